"""Pseudonyms: one address gives the same 16 bytes within one organisation and quarter, and nowhere else.

With a key in hand all Dutch addresses are tried in seconds: the custody of the key is the whole protection.
"""

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Sequence
from datetime import date
from typing import Final

from privacy.macs import Mac

PSEUDONYM_SIZE: Final = 16
MATCHED_QUARTERS: Final = 5

_POSTCODE: Final = re.compile(r"[1-9][0-9]{3}[A-Z]{2}")
_HIGHEST_NUMBER: Final = 99999
_NUMBER: Final = re.compile(r"\s*0*([1-9][0-9]{0,4})(?![0-9])(.*)", re.DOTALL)


class AddressRefused(ValueError):
    """This is no Dutch postcode and house number (the text itself is never quoted)."""

    def __init__(self) -> None:
        super().__init__(type(self).__doc__)


def canonical_address(postcode: str, number: int | str, addition: str | None = None) -> bytes:
    """Return the one spelling of an address: `addr/v1|1234AB|12|A`.

    Case, spaces and punctuation do not count (`1234 ab`, `12-a` is `1234AB`, `12A`), nor does it matter
    whether the addition came with the number. A separator between two digits stays: `1-12` and `11-2` are
    two homes. Raises `AddressRefused`.
    """
    digits, rest = _split_number(number)
    suffix = _addition(f"{rest} {addition or ''}")
    return f"addr/v1|{_postcode(postcode)}|{digits}|{suffix}".encode()


def pseudonym(key: bytes, postcode: str, number: int | str, addition: str | None = None) -> bytes:
    """Return HMAC-SHA256 of the canonical address, cut to 16 bytes; `key` is the one of a quarter."""
    return _mac(key, canonical_address(postcode, number, addition))


def pseudonyms(
    macs: Sequence[Mac], postcode: str, number: int | str, addition: str | None = None
) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    """Return (`pseudonym`, `house_pseudonym`) of one address under each key; the address is spelt once.

    `macs` come from `many_macs`, one for each key.
    """
    digits, rest = _split_number(number)
    code, suffix = _postcode(postcode), _addition(f"{rest} {addition or ''}")
    exact, house = f"addr/v1|{code}|{digits}|{suffix}".encode(), f"house/v1|{code}|{digits}".encode()
    return _cut(macs, exact), _cut(macs, house)


def house_pseudonym(key: bytes, postcode: str, number: int | str) -> bytes:
    """Return the pseudonym of the house whatever the addition, for "possibly the same house"; 16 bytes."""
    digits, _ = _split_number(number)
    return _mac(key, f"house/v1|{_postcode(postcode)}|{digits}".encode())


def quarter_of(day: date) -> str:
    """Return the calendar quarter as text that sorts by time: `2026-Q4`."""
    return f"{day.year:04d}-Q{(day.month + 2) // 3}"


def quarters_for_matching(day: date) -> list[str]:
    """Return five quarters, the current one first: together they reach back at least twelve months."""
    current = day.year * 4 + (day.month - 1) // 3
    return [f"{index // 4:04d}-Q{index % 4 + 1}" for index in range(current, current - MATCHED_QUARTERS, -1)]


def _cut(macs: Sequence[Mac], message: bytes) -> tuple[bytes, ...]:
    return tuple([mac(message)[:PSEUDONYM_SIZE] for mac in macs])


def _mac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, hashlib.sha256)[:PSEUDONYM_SIZE]


def _postcode(text: str) -> str:
    compact = text if _POSTCODE.fullmatch(text) else "".join(_plain(text).split())
    if not _POSTCODE.fullmatch(compact):
        raise AddressRefused
    return compact


def _split_number(number: int | str) -> tuple[str, str]:
    if type(number) is int and 0 < number <= _HIGHEST_NUMBER:
        return str(number), ""
    match = _NUMBER.fullmatch(_plain(str(number)))
    if match is None:
        raise AddressRefused
    return match[1], match[2]


def _addition(text: str) -> str:
    kept = ""
    separated = False
    for character in _plain(text):
        if not character.isalnum():
            separated = True
            continue
        if separated and kept[-1:].isdigit() and character.isdigit():
            kept += "-"
        kept += character
        separated = False
    return kept


def _plain(text: str) -> str:
    if text.isascii():
        return text.upper()  # which all forms of it have in common
    # Upper-casing can undo a normal form, so normalise on both sides of it.
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).upper())
