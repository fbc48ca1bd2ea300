"""Hold the code that all staff pages share: sign-in checks, forms, words, and opened signals.

Start at `auth.requires_page`.
"""
