"""Serve the pages and calls of the privacy officer: residents' rights, the audit trail, retention.

Start at `pages`.
"""
