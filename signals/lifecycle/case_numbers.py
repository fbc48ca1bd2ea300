"""Make and read the references of signals, for paper and the telephone."""

import secrets
from typing import Final

CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Douglas Crockford's base32: no letter that looks like a digit."""
_PAIRS: Final = [one + other for one in CROCKFORD for other in CROCKFORD]
_AS_READ: Final = str.maketrans("OIL", "011")
_HALF: Final = 4


def new_reference() -> str:
    """Return a new reference such as `K7P4-QX2M`: 40 random bits; a constraint keeps it unique."""
    bits = secrets.randbits(40)
    return f"{_PAIRS[bits >> 30]}{_PAIRS[bits >> 20 & 1023]}-{_PAIRS[bits >> 10 & 1023]}{_PAIRS[bits & 1023]}"


def reference_as_read(text: str) -> str:
    """Return the reference that somebody read out or typed: `k7p4 qx2m` is `K7P4-QX2M`.

    Case, spaces and dashes do not count; O means 0, and I and L mean 1. A text that is no reference gives a
    value that no signal has.
    """
    compact = "".join(sign for sign in text.upper() if sign.isalnum()).translate(_AS_READ)
    return f"{compact[:_HALF]}-{compact[_HALF:]}"
