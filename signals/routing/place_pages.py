"""Pages of names by postcode and house number: one small compressed text for each four-digit postcode.

Eight million addresses become some four thousand pages of a kilobyte. A line of a page is two letters of a
postcode, the first and last house number, and the names. A split postcode ends with a line for all numbers.
"""

import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import groupby

from signals.routing.compact_coverage import larger_part, number_ranges
from signals.routing.postcodes import HIGHEST_HOUSE_NUMBER, Address

PlaceRow = tuple[str, int, tuple[str, ...]]
"""A canonical postcode, a house number, and the names."""


def page_of(rows: Iterable[PlaceRow]) -> bytes:
    """Return the page of the rows of one four-digit postcode, in any order."""
    by_letters: dict[str, dict[int, tuple[str, ...]]] = {}
    for pc6, number, names in rows:
        by_letters.setdefault(pc6[4:], {}).setdefault(number, names)
    lines = [line for letters, names in sorted(by_letters.items()) for line in _lines(letters, names)]
    return _packed(lines)


def with_rest_of(page: bytes, before: bytes) -> bytes:
    """Return a page with the postcodes that only the page before it has."""
    lines = _unpacked(page)
    present = {line[:2] for line in lines}
    return _packed([*lines, *(line for line in _unpacked(before) if line[:2] not in present)])


def names_in(page: bytes, address: Address) -> tuple[str, ...]:
    """Return the names of an address of the page's postcode; none for a postcode that it lacks.

    A page that somebody damaged names nothing: it must stop no report.
    """
    start = f"\n{address.postcode[4:]}\t".encode()
    with suppress(zlib.error, ValueError):
        # Arrival names many addresses: most lines are passed over unread.
        for text in zlib.decompress(page).split(start)[1:]:
            first, last, *names = text.partition(b"\n")[0].decode().split("\t")
            if int(first) <= address.number <= int(last):
                return tuple(names)
    return ()


def pages(rows: Iterable[PlaceRow], done: frozenset[int] = frozenset()) -> Iterator[tuple[int, bytes]]:
    """Yield the four digits and the page of each postcode that is not done.

    Rows of one four-digit postcode are adjacent; memory holds these. Raises what the rows raise.
    """
    for digits, group in groupby(rows, key=lambda row: row[0][:4]):
        if int(digits) not in done:
            yield int(digits), page_of(group)


def _lines(letters: str, names: dict[int, tuple[str, ...]]) -> Iterator[str]:
    joined = {number: "\t".join(each) for number, each in names.items()}
    if len(set(joined.values())) > 1:
        for _, first, last, name in number_ranges(letters, joined):
            yield f"{letters}\t{first}\t{last}\t{name}"
    yield f"{letters}\t0\t{HIGHEST_HOUSE_NUMBER}\t{larger_part(joined)}"


def _packed(lines: list[str]) -> bytes:
    return zlib.compress("".join(f"\n{line}" for line in lines).encode(), 9)


def _unpacked(page: bytes) -> list[str]:
    return zlib.decompress(page).decode().split("\n")[1:]
