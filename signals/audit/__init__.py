"""Record each access to a signal in an append-only trail, and verify that trail.

Start at `log.AuditLog.record`; `trail` links, verifies and prunes the entries.
"""
