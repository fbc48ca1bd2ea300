"""Serve an issuer: the calls of Privacy Pass for phones, and the pages on which an employer makes codes.

Start at `calls.request_token`. This folder imports nothing of the service that spends tokens.
"""
