"""Serve the pages on which staff sign in and keep their own account.

Start at `sign_in_pages`.
"""
