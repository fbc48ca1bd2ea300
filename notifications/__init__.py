"""Send messages to staff by e-mail and text message: written with their cause, sent later by a worker.

Start at `outbox` (write a message) and at `delivery` (send the due messages). `channels` holds the providers.
"""
