"""Serve the pages and calls on which a team arranges its own work: members, settings, absence, limits.

Start at `settings_pages`.
"""
