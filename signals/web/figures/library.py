"""The releases, for pages and calls: each answer reads them in one short transaction."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final, TypeVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from privacy.disclosure.tables import QUARTER, WINDOW, YEAR, Period, read_period
from signals.errors import NotFound
from signals.models import StoredRelease
from signals.statistics import ReleasedTable, ReleaseSummary, released, released_table
from signals.web.figures.context import figures
from signals.web.figures.shelf import Shelf

T = TypeVar("T")

_ORDER: Final = {QUARTER: 0, YEAR: 1, WINDOW: 2}


class Library:
    """The releases, and their tables on demand.

    `state` is the number of releases. Releases never change or go, so an equal number means equal releases.
    """

    def __init__(self, session: Session, shelf: Shelf) -> None:
        self.session, self._shelf = session, shelf
        self.state: int = session.scalar(select(func.count()).select_from(StoredRelease)) or 0
        self.releases: Sequence[ReleaseSummary] = self.kept(
            "releases", lambda: sorted(released(session), key=_newest_first)
        )

    def kept(self, what: Hashable, make: Callable[[], T]) -> T:
        """Return something made from these releases; it is made once."""
        return self._shelf.get((what, self.state), make)

    def table(self, period: str, name: str) -> ReleasedTable:
        """Return one table; raise `NotFound` when it was not released."""
        return released_table(self.session, period=period, table=name)

    def newest(self, name: str, kind: str) -> ReleasedTable | None:
        """Return the newest release of a table for a kind of period; None before the first."""
        period = next(iter(self.periods(name, kind)), None)
        return self.table(period, name) if period else None

    def newest_of(self, name: str, kind: str, most: int) -> list[ReleasedTable]:
        """Return at most `most` newest releases of a table, oldest first."""
        periods = list(self.periods(name, kind))[:most]
        return [self.table(period, name) for period in reversed(periods)]

    def periods(self, name: str, kind: str) -> Iterator[str]:
        """Yield the periods of a kind with a released table, newest first."""
        for one in self.releases:
            if read_period(one.period).kind == kind and name in _names(one):
                yield one.period

    def release(self, period: str) -> ReleaseSummary:
        """Return one release; raise `NotFound`."""
        found = next((one for one in self.releases if one.period == period), None)
        if found is None:
            raise NotFound
        return found


@contextmanager
def library() -> Iterator[Library]:
    """Open the releases in a transaction that only reads."""
    context = figures()
    with context.sessions() as session:
        yield Library(session, context.shelf)


def _newest_first(release: ReleaseSummary) -> tuple[int, int, int]:
    found: Period = read_period(release.period)
    return _ORDER[found.kind], -found.last, -found.quarter


def _names(release: ReleaseSummary) -> Iterable[str]:
    return [name for name, _title in release.tables]
