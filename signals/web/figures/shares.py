"""Percentages of released counts, each with its range: the counts are rounded."""

from dataclasses import dataclass
from typing import Final

LEAST: Final = 10
"""A release shows no smaller count."""

ROUNDED_BY: Final = 2
"""A shown count is rounded to five: the true count differs by at most this."""


@dataclass(frozen=True, kw_only=True)
class Share:
    """A part of a whole, 0 to 1: from the shown counts, with the least and the most possible value."""

    value: float
    low: float
    high: float


def share(part: int | None, whole: int | None) -> Share | None:
    """Return the share of two shown counts; None when one of them is hidden."""
    if part is None or whole is None:
        return None
    low = max(LEAST, part - ROUNDED_BY) / (whole + ROUNDED_BY)
    high = (part + ROUNDED_BY) / max(LEAST, whole - ROUNDED_BY)
    return Share(value=min(1.0, part / whole), low=min(1.0, low), high=min(1.0, high))
