"""Take releases back from their published folder, after a restore to a day before them.

The published figures stay in the world. A second release of the same period would have other roundings and
other hidden cells. A later release that is audited without the published one could reveal what that hides.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from privacy.disclosure.folder import Published, PublishedRelease, read_folder, read_releases
from privacy.disclosure.tables import QUARTER, Cell, Schema, read_period
from signals.clock import Clock
from signals.models import StoredRelease
from signals.statistics import ledger
from signals.statistics.counting import quarter_after
from signals.statistics.old_menu import is_division, tables_for
from signals.statistics.releases import ReleaseRefused, place_in_time, published, schemas_of, shape_of
from signals.statistics.releasing import Releasing


@dataclass(frozen=True, kw_only=True)
class Adopted:
    """A restored period; with `recounted` False the present counts differ from the published ones.

    Such a quarter keeps no true counts, so its year is never released.
    """

    period: str
    recounted: bool


def adopt(releasing: Releasing, clock: Clock, *, folder: Path) -> tuple[Adopted, ...]:
    """Store, as they were published, the releases of a folder that the database does not have.

    Their quarters are counted as at a release, so that no later quarter counts them again. Raises
    `BrokenFolder`, and `ReleaseRefused` when the folder is of another service, or has a gap.
    """
    found, releases = read_folder(folder), read_releases(folder)
    with releasing.alone():
        with releasing.sessions() as session:
            _refuse_another_history(session, found)
            there = set(session.scalars(select(StoredRelease.period)))
        lost = [release for release in releases if release.period not in there]
        lost.sort(key=lambda release: place_in_time(release.period))
        _refuse_gaps(there, lost)
        return tuple(_adopt(releasing, clock, found, release) for release in lost)


def _adopt(releasing: Releasing, clock: Clock, found: Published, release: PublishedRelease) -> Adopted:
    period = release.period
    with releasing.sessions() as session:
        schemas = _schemas(session, found, period)
    values = {cell: value for cell, value in found.values.items() if cell.period == period}
    recounted = True
    if read_period(period).kind == QUARTER:
        recounted = releasing.count(clock, period, fits=lambda book: _fits(book, schemas, period, values))
    releasing.store(
        period,
        schemas,
        values,
        released_on=release.released_on,
        withheld={name for when, name in found.withheld if when == period},
        protocol=release.protocol,
    )
    return Adopted(period=period, recounted=recounted)


def _refuse_another_history(session: Session, found: Published) -> None:
    """Raise `ReleaseRefused` when folder and database differ in a cell that both have."""
    stored = published(session)
    for cell, value in found.values.items():
        if cell in stored and stored[cell] != value:
            raise ReleaseRefused(f"{cell.table} of {cell.period} was released otherwise here")


def _refuse_gaps(there: Iterable[str], lost: Iterable[PublishedRelease]) -> None:
    """Raise `ReleaseRefused` when a quarter is missing between two: it was published too."""
    last = max((period for period in there if _is_quarter(period)), default=None)
    for period in (release.period for release in lost if _is_quarter(release.period)):
        if last is not None and period != quarter_after(last):
            raise ReleaseRefused(f"the folder has {period} and lacks {quarter_after(last)}")
        last = period


def _is_quarter(period: str) -> bool:
    return read_period(period).kind == QUARTER


def _schemas(session: Session, found: Published, period: str) -> tuple[Schema, ...]:
    """Return the tables of a period from the folder; raise `ReleaseRefused` when they differ from ours."""
    described = {schema.name: schema for schema in found.schemas}
    names = [name for when, name in found.tables if when == period]
    known = {schema.name: schema for schema in (*tables_for(read_period(period).kind), *schemas_of(session))}
    for name in names:
        if not is_division(name) and shape_of(known.get(name)) != shape_of(described[name]):
            raise ReleaseRefused(f"{name} of {period} has other members than it has here")
    wanted = [schema.name for schema in tables_for(read_period(period).kind) if not is_division(schema.name)]
    if [name for name in names if not is_division(name)] != wanted:
        raise ReleaseRefused(f"the folder lacks tables of {period}")
    return tuple(described[name] for name in names)


def _fits(
    book: ledger.Ledger, schemas: Iterable[Schema], period: str, values: Mapping[Cell, int | None]
) -> bool:
    """Return whether the new counts would be shown as they were published, wherever they are not hidden."""
    from privacy.disclosure.puzzle import shown_as  # it takes numpy along

    derived = {measure.name for schema in schemas for measure in schema.measures if measure.derived}
    return all(
        values.get(cell) is None or shown_as(count) == values[cell]
        for cell, count in ledger.cells(book, schemas, period).items()
        if cell.measure not in derived
    )
