"""Percentages of released counts, with the range that rounding leaves them."""

from dataclasses import dataclass
from typing import Final

LEAST: Final = 10
"""No smaller count is ever shown."""

ROUNDED_BY: Final = 2
"""A count that is shown was rounded to five: the true one lies at most this far off."""


@dataclass(frozen=True, kw_only=True)
class Share:
    """A part of a whole, 0 to 1: what the shown counts give, and the least and the most it can be."""

    value: float
    low: float
    high: float


def share(part: int | None, whole: int | None) -> Share | None:
    """The share of two shown counts; None when one of them is hidden."""
    if part is None or whole is None:
        return None
    low = max(LEAST, part - ROUNDED_BY) / (whole + ROUNDED_BY)
    high = (part + ROUNDED_BY) / max(LEAST, whole - ROUNDED_BY)
    return Share(value=min(1.0, part / whole), low=min(1.0, low), high=min(1.0, high))
