"""Make the numbers to show from noisy ones: no negative number, and sums that fit. This costs no budget."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from signals.statistics.menu import Codes, Flag
from signals.statistics.publications import ReleasedTable

_EVERYTHING: Final = ""
_GROUPS: Final = (
    ("regions", _EVERYTHING),
    ("outcomes", _EVERYTHING),
    ("course", Flag.IN_TIME),
    ("course", Flag.REPEAT),
)
"""The groups of cells (table, first code) that each hold every concluded signal once."""


def fitted(tables: Iterable[ReleasedTable]) -> dict[str, dict[Codes, int]]:
    """Return the numbers to show of the tables of one period, by code of the table.

    Regions, outcomes, `in_time` and `repeat` each sum to the number of concluded signals. That number is the
    mean of their sums, weighted by the inverse variance (least squares). Within a group the numbers are the
    nearest ones that are not negative and have that sum. The other cells are the noisy ones, at least 0.
    """
    found = {table.code: table for table in tables}
    shown = {code: _not_negative(table.noisy) for code, table in found.items()}
    groups = list(_groups(found))
    whole = _whole(groups)
    for table, noisy in groups:
        shown[table.code] |= _nearest(noisy, whole)
    return shown


def _not_negative(noisy: Mapping[Codes, int]) -> dict[Codes, int]:
    return {cell: max(0, count) for cell, count in noisy.items()}


def _groups(found: Mapping[str, ReleasedTable]) -> Iterator[tuple[ReleasedTable, Mapping[Codes, int]]]:
    for code, first in _GROUPS:
        if code in found:
            noisy = found[code].noisy
            yield found[code], {cell: noisy[cell] for cell in noisy if first in (_EVERYTHING, cell[0])}


def _whole(groups: Sequence[tuple[ReleasedTable, Mapping[Codes, int]]]) -> int:
    """Return the best estimate of the sum that all groups share."""
    weights = [1 / (len(noisy) * table.variance) for table, noisy in groups]
    sums = [weight * sum(noisy.values()) for weight, (_, noisy) in zip(weights, groups, strict=True)]
    return max(0, round(sum(sums) / sum(weights))) if groups else 0


def _nearest(noisy: Mapping[Codes, int], whole: int) -> dict[Codes, int]:
    """Return the nearest whole numbers of this sum, none negative (projection on a simplex)."""
    shift = _shift(sorted(noisy.values(), reverse=True), whole)
    exact = {cell: max(0.0, count + shift) for cell, count in noisy.items()}
    shown = {cell: int(value) for cell, value in exact.items()}
    by_rest = sorted(exact, key=lambda cell: (shown[cell] - exact[cell], cell))
    for cell in by_rest[: whole - sum(shown.values())]:
        shown[cell] += 1
    return shown


def _shift(descending: Sequence[int], whole: int) -> float:
    """Return the shift of all numbers after which those above 0 have this sum."""
    total, shift = 0, -float(descending[0])
    for place, count in enumerate(descending, start=1):
        total += count
        candidate = (whole - total) / place
        if count + candidate <= 0:
            break
        shift = candidate
    return shift
