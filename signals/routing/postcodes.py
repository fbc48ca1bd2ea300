"""Dutch addresses as carriers type them, in one canonical form.

Error messages never repeat what was typed: an address is personal data of the resident.
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Self

LOWEST_HOUSE_NUMBER: Final = 1
HIGHEST_HOUSE_NUMBER: Final = 99999
LONGEST_ADDITION: Final = 6

# Past this length a text is no postcode, however many spaces it has; the limit keeps the work bounded.
_LONGEST_POSTCODE_TEXT: Final = 32
# [0-9] and not \d, which also matches full-width and Arabic-Indic digits.
_SPACES: Final = "[ \u00a0\u202f]*"  # those that do not break, too: phones and word processors put them there
_POSTCODE: Final = re.compile(f"{_SPACES}([1-9][0-9]{{3}}){_SPACES}([A-Za-z]{{2}}){_SPACES}")
_ADDITION: Final = re.compile(r"[A-Za-z0-9 ./-]*")
_SEPARATORS: Final = re.compile(r"(?P<between_digits>(?<=[0-9])[ ./-]+(?=[0-9]))|[ ./-]+")
_LETTERS_NOT_ISSUED: Final = frozenset({"SA", "SD", "SS"})


class InvalidAddressPart(ValueError):
    """A part of an address is not acceptable; `code` is stable and gives the reason without the text."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class InvalidPostcode(InvalidAddressPart):
    """Codes: `malformed`, `letters_not_issued`."""


class InvalidHouseNumber(InvalidAddressPart):
    """Codes: `malformed` (no integer), `out_of_range`."""


class InvalidAddition(InvalidAddressPart):
    """Codes: `too_long`, `malformed`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """Canonical parts of one address; equal addresses compare equal, and nothing of them is in the repr."""

    postcode: str = field(repr=False)
    number: int = field(repr=False)
    addition: str = field(default="", repr=False)

    @classmethod
    def parse(cls, *, postcode: str, number: int, addition: str | None = None) -> Self:
        """Return the canonical address of typed text; raise a subclass of `InvalidAddressPart`."""
        return cls(
            postcode=parse_postcode(postcode),
            number=parse_house_number(number),
            addition=parse_addition(addition),
        )


def parse_postcode(text: str) -> str:
    """Return canonical `1012AB` for `1012 ab`; ignore spaces around the digits and the letters.

    Raises `InvalidPostcode`: `malformed`, or `letters_not_issued` for SA, SD and SS, which the Dutch post
    does not issue.
    """
    match = _POSTCODE.fullmatch(text) if len(text) <= _LONGEST_POSTCODE_TEXT else None
    if match is None:
        raise InvalidPostcode("malformed")
    letters = match[2].upper()
    if letters in _LETTERS_NOT_ISSUED:
        raise InvalidPostcode("letters_not_issued")
    return match[1] + letters


def parse_house_number(value: int) -> int:
    """Return an integer from 1 to 99999; raise `InvalidHouseNumber` otherwise."""
    # bool is a subclass of int, so JSON's `true` would pass as house number 1.
    if type(value) is not int:
        raise InvalidHouseNumber("malformed")
    if not LOWEST_HOUSE_NUMBER <= value <= HIGHEST_HOUSE_NUMBER:
        raise InvalidHouseNumber("out_of_range")
    return value


def parse_addition(text: str | None) -> str:
    """Return canonical `A` for `-a`, `a`, ` A.` or `/A`; empty for None and for separators alone.

    Between two digits separators become one hyphen, for `1-12`, `11-2` and `112` are three doors; elsewhere
    they go (`1-A` is `1A`). At most 6 characters as typed, separators included; ASCII letters and digits
    with space, hyphen, dot and slash as separators. Raises `InvalidAddition`. One form, because two spellings
    of one door must give one pseudonym; the form of `privacy.pseudonyms.canonical_address`.
    """
    if text is None:
        return ""
    if len(text) > LONGEST_ADDITION:
        raise InvalidAddition("too_long")
    if _ADDITION.fullmatch(text) is None:
        raise InvalidAddition("malformed")
    return _SEPARATORS.sub(_kept_of_separators, text).upper()


def _kept_of_separators(found: re.Match[str]) -> str:
    return "-" if found["between_digits"] else ""


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
