"""What looks wrong about an address, for who rings the bell to check; nothing is ever refused for it.

New streets are on no map yet, and a few houses have five digits: so the door takes every well-formed address,
and only the desk reads the doubt. It is worked out at each opening and stored nowhere.
"""

from enum import StrEnum
from typing import Final

from signals.routing.postcodes import Address

HIGHEST_USUAL_NUMBER: Final = 9999
"""House numbers of five digits exist, but a slip of the finger is far more common [design]."""


class AddressDoubt(StrEnum):
    """What to check."""

    POSTCODE_UNKNOWN = "postcode_unknown"  # on no map that routing has
    NUMBER_UNUSUAL = "number_unusual"  # far above what a street has


def doubts_about(address: Address, *, municipality_code: str | None) -> tuple[AddressDoubt, ...]:
    """What to check of an address; `municipality_code`: where routing finds it, None when nowhere."""
    found = []
    if municipality_code is None:
        found.append(AddressDoubt.POSTCODE_UNKNOWN)
    if address.number > HIGHEST_USUAL_NUMBER:
        found.append(AddressDoubt.NUMBER_UNUSUAL)
    return tuple(found)
