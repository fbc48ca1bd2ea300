"""Open the keystore by the settings, and destroy keys that nothing needs any more.

Start at `opening.open_keys`.
"""
