"""Serve administrators: organisations, coverage, staff, imports and delivery; no address and no signal.

Start at `office`, whose calls API and pages share.
"""
