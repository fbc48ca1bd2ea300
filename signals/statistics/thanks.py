"""Tell carriers how many people were reached: the one number of a release that they read."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from signals.models import Publication
from signals.statistics.menu import YES
from signals.statistics.publications import released_table

_TABLE: Final = "regions"
_ROUNDED_TO: Final = 10
"""The noise of 26 cells is larger than this, so nobody reads more into the number than it says."""


@dataclass(frozen=True, kw_only=True)
class Reached:
    """About so many people were reached in the country, in a year."""

    year: str
    people: int


def reached_in_newest_year(session: Session) -> Reached | None:
    """Return the number of the newest released year; None before the first, and when it rounds to zero."""
    year = session.scalar(select(func.max(Publication.period)).where(Publication.code == _TABLE))
    if year is None:
        return None
    table = released_table(session, period=year, code=_TABLE)
    drawn = sum(count for codes, count in table.noisy.items() if codes[-1] == YES)
    people = _ROUNDED_TO * round(drawn / _ROUNDED_TO)
    return Reached(year=year, people=people) if people > 0 else None
