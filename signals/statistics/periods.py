"""Quarters and years of the calendar: when they end, and which may be drawn."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from privacy.pseudonyms import quarter_of

YEAR_GRACE_DAYS: Final = 35
"""Days after a year before its tables are drawn: a conclusion can be taken back for four weeks."""


def first_day_of(period: str) -> date:
    """Return the first day of a quarter or a year."""
    quarter = period if "Q" in period else f"{period}-Q1"
    return date(int(quarter[:4]), int(quarter[-1]) * 3 - 2, 1)


def first_day_after(quarter: str) -> date:
    """Return the first day after a quarter."""
    year, number = int(quarter[:4]), int(quarter[-1])
    return date(year + number // 4, number % 4 * 3 + 1, 1)


def last_day_of(period: str) -> date:
    """Return the last day of a quarter or a year."""
    quarter = period if "Q" in period else f"{period}-Q4"
    return first_day_after(quarter) - timedelta(days=1)


def quarter_after(quarter: str) -> str:
    """Return the next quarter."""
    return quarter_of(first_day_after(quarter))


def periods_until(first_quarter: str, on: date) -> Iterator[str]:
    """Yield each quarter that ended before a day, and each year right after its fourth quarter."""
    quarter = first_quarter
    while last_day_of(quarter) < on:
        yield quarter
        if quarter.endswith("Q4"):
            yield quarter[:4]
        quarter = quarter_after(quarter)
