"""Serve the public: the form, the intake API and receipts; this folder never imports the keystore.

Start at `pages.receive`; `api.receive` does the same for programs.
"""
