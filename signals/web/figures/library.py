"""The released tables, for pages and calls: each answer reads them in one short transaction."""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any, TypeVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from signals.errors import NotFound
from signals.models import Publication
from signals.statistics.estimates import Line, lines_of, says_enough
from signals.statistics.exports import Shown
from signals.statistics.fitting import fitted
from signals.statistics.menu import Codes, PeriodKind, kind_of, menu
from signals.statistics.publications import ReleasedTable, pooled, publications, read_table
from signals.web.figures.context import figures

T = TypeVar("T")
Tables = Mapping[str, ReleasedTable]
"""The tables of one period by code, in the order of the menu."""


@dataclass(frozen=True, kw_only=True)
class Release:
    """A period with its tables."""

    period: str
    tables: Tables

    @property
    def released_on(self) -> date:
        """Return the day on which the last of its tables was drawn."""
        return max(table.drawn_on for table in self.tables.values())


class Library:
    """The releases by period, years pooled on demand.

    `state` is the number of tables. They never change or go, so an equal number means equal releases.
    """

    def __init__(self, session: Session, shelf: dict[Hashable, Any]) -> None:
        self.session, self._shelf = session, shelf
        self.state: int = session.scalar(select(func.count()).select_from(Publication)) or 0
        self._rows: Mapping[str, Sequence[Publication]] = self.kept("rows", lambda: _by_period(session))

    def kept(self, what: Hashable, make: Callable[[], T]) -> T:
        """Return something made from these releases; it is made once, or by two threads at once."""
        place = what, self.state
        if place not in self._shelf:
            self._shelf[place] = make()
        found: T = self._shelf[place]
        return found

    @property
    def years(self) -> Sequence[str]:
        """Return the released years, oldest first."""
        return [period for period in self._rows if kind_of(period) is PeriodKind.YEAR]

    @property
    def quarters(self) -> Sequence[str]:
        """Return the released quarters, oldest first."""
        return [period for period in self._rows if kind_of(period) is PeriodKind.QUARTER]

    @property
    def pools(self) -> Sequence[str]:
        """Return the pooled years up to the newest, the shortest first."""
        return [f"{first}-{self.years[-1]}" for first in reversed(self.years[:-1])]

    @property
    def releases(self) -> Sequence[Release]:
        """Return every period with its tables, newest first: quarters, years, then pooled years."""
        periods = [*reversed(self.quarters), *reversed(self.years), *self.pools]
        return [Release(period=period, tables=self.tables(period)) for period in periods]

    def tables(self, period: str) -> Tables:
        """Return the tables of a quarter, a year, or pooled years like `2024-2026`; raise `NotFound`."""
        if period not in self._rows and period not in self.pools:
            raise NotFound
        return self.kept(("tables", period), lambda: self._read(period))

    def table(self, period: str, code: str) -> ReleasedTable:
        """Return one table; raise `NotFound` when it was not released."""
        found = self.tables(period).get(code)
        if found is None:
            raise NotFound
        return found

    def shown(self, period: str) -> Mapping[str, Mapping[Codes, int]]:
        """Return the numbers to show of each table of a period."""
        return self.kept(("shown", period), lambda: fitted(self.tables(period).values()))

    def shown_table(self, period: str, code: str) -> Shown:
        """Return a table with its numbers to show; raise `NotFound` when it was not released."""
        return self.table(period, code), self.shown(period)[code]

    def lines(self, period: str, code: str) -> list[Line]:
        """Return the lines of one table."""
        return self.kept(("lines", period, code), lambda: lines_of(*self.shown_table(period, code)))

    def exported(self, code: str) -> list[Shown]:
        """Return one table of the menu in every period in which it was drawn, oldest first."""
        periods = [period for period, rows in self._rows.items() if code in {row.code for row in rows}]
        return [self.shown_table(period, code) for period in periods]

    @property
    def codes(self) -> Sequence[str]:
        """Return the tables of the menu that were drawn, in its order."""
        drawn = {row.code for rows in self._rows.values() for row in rows}
        return [table.code for table in menu() if table.code in drawn]

    def telling_period(self, code: str) -> str:
        """Return the fewest newest years in which a table says enough, or all; at least one is released."""
        candidates = [self.years[-1], *self.pools]
        return next((one for one in candidates if says_enough(self.lines(one, code))), candidates[-1])

    def _read(self, period: str) -> Tables:
        if period in self._rows:
            return {row.code: read_table(row) for row in self._rows[period]}
        drawn = [self.tables(year) for year in reversed(self.years) if year >= period[:4]]
        return {code: pooled([tables[code] for tables in drawn if code in tables]) for code in drawn[0]}


@contextmanager
def library() -> Iterator[Library]:
    """Open the releases in a transaction that only reads."""
    context = figures()
    with context.sessions() as session:
        yield Library(session, context.shelf)


def _by_period(session: Session) -> Mapping[str, Sequence[Publication]]:
    """Return the stored tables of each period, in the order of the menu; a page reads only what it shows."""
    order = [table.code for table in menu()]
    rows = [row for row in publications(session) if row.code in order]
    ordered = sorted(rows, key=lambda row: (row.period, order.index(row.code)))
    return {period: list(rows) for period, rows in groupby(ordered, key=lambda row: row.period)}
