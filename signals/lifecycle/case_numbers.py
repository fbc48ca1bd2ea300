"""References: by which people name a signal, on paper and on the telephone."""

import secrets
from typing import Final

CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Douglas Crockford's base32: no letter that looks like a digit."""
_PAIRS: Final = [one + other for one in CROCKFORD for other in CROCKFORD]
_AS_READ: Final = str.maketrans("OIL", "011")
_HALF: Final = 4


def new_reference() -> str:
    """`K7P4-QX2M`: 40 random bits that people can read out; unique by constraint."""
    bits = secrets.randbits(40)
    return f"{_PAIRS[bits >> 30]}{_PAIRS[bits >> 20 & 1023]}-{_PAIRS[bits >> 10 & 1023]}{_PAIRS[bits & 1023]}"


def reference_as_read(text: str) -> str:
    """The reference that somebody read out or typed: `k7p4 qx2m` is `K7P4-QX2M`.

    Case, spaces and dashes of any kind do not count; O is read as 0, I and L as 1. What cannot be a
    reference comes back as something that no signal has.
    """
    compact = "".join(sign for sign in text.upper() if sign.isalnum()).translate(_AS_READ)
    return f"{compact[:_HALF]}-{compact[_HALF:]}"
