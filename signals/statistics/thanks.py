"""Tell carriers how many people were reached: the one number of a release that they read."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from signals.models import Publication
from signals.statistics.menu import YES
from signals.statistics.publications import read_table

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
    newest = select(Publication).where(Publication.code == _TABLE).order_by(Publication.period.desc())
    row = session.scalar(newest.limit(1))
    if row is None:
        return None
    drawn = sum(count for codes, count in read_table(row).noisy.items() if codes[-1] == YES)
    people = _ROUNDED_TO * round(drawn / _ROUNDED_TO)
    return Reached(year=row.period, people=people) if people > 0 else None
