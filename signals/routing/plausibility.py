"""Doubts about an address, for the worker who visits it; no report is refused for them.

New streets are on no map yet, and a few house numbers have five digits. So intake takes every well-formed
address, and only the desk shows the doubt. It is computed at each opening and not stored.
"""

from enum import StrEnum
from typing import Final

from signals.routing.postcodes import Address

HIGHEST_USUAL_NUMBER: Final = 9999
"""House numbers of five digits exist, but a typing error is far more common [design]."""


class AddressDoubt(StrEnum):
    """The things to check."""

    POSTCODE_UNKNOWN = "postcode_unknown"  # on no map that routing has
    NUMBER_UNUSUAL = "number_unusual"  # far above what a street has


def doubts_about(address: Address, *, municipality_code: str | None) -> tuple[AddressDoubt, ...]:
    """Return the doubts about an address; `municipality_code`: from routing, None when it knows none."""
    found = []
    if municipality_code is None:
        found.append(AddressDoubt.POSTCODE_UNKNOWN)
    if address.number > HIGHEST_USUAL_NUMBER:
        found.append(AddressDoubt.NUMBER_UNUSUAL)
    return tuple(found)
