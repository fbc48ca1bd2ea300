"""Take a file of places into the database in short transactions, so that a killed import goes on later."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from typing import Final

from sqlalchemy import ColumnElement, delete, func, select, update

from signals.audit.grounds import Ground
from signals.models.place import PlacePage
from signals.operation import Operation
from signals.routing.place_pages import PlaceRow, pages, with_rest_of
from signals.routing.snapshot import lock_routing
from signals.vocabulary import AuditAction

LEAST_SHARE: Final = 0.9
"""The part of the present postcodes that a whole file has at least."""

_BATCH: Final = 100

Begin = Callable[[], AbstractContextManager[Operation]]
"""Opens an operation and commits it at the end."""


class FewerPlaces(ValueError):
    """The file lacks many of the postcodes that are in use; the message counts them."""


class ImportedMeanwhile(Exception):
    """Another import ran at the same time and removed pages of this one: run it again."""


@dataclass(frozen=True, kw_only=True)
class PlaceImport:
    """The result: four-digit postcodes with names from the file, and how many of them an earlier run took."""

    postcodes: int
    resumed: int


def import_places(
    begin: Begin, *, kind: str, file: bytes, rows: Iterable[PlaceRow], partial: bool = False
) -> PlaceImport:
    """Put the places of a file in use, in place of those before; a partial file leaves other postcodes alone.

    `file`: the SHA-256 of the file. Places that no run finished are used by nobody, and the next run of the
    same file keeps them. Raises `FewerPlaces`, `ImportedMeanwhile` and what the rows raise; then the places
    before stay in use.
    """
    if partial:  # its pages hold those before, so they are others than those of the whole file
        file = sha256(b"partial" + file).digest()
    with begin() as operation:
        done = _taken(operation, kind, file)
    taken, waiting = set(done), pages(rows, done)
    while batch := list(islice(waiting, _BATCH)):
        with begin() as operation:
            _keep(operation, kind, file, batch, partial)
        taken.update(pc4 for pc4, _ in batch)
    with begin() as operation:
        _put_in_use(operation, kind, file, taken, partial)
    return PlaceImport(postcodes=len(taken), resumed=len(done))


def _taken(operation: Operation, kind: str, file: bytes) -> frozenset[int]:
    """Return the postcodes that a run of the same file took; drop those of other unfinished files."""
    session = operation.session
    lock_routing(session)
    others = PlacePage.file != file
    session.execute(delete(PlacePage).where(PlacePage.kind == kind, ~PlacePage.in_use, others))
    return frozenset(session.scalars(select(PlacePage.pc4).where(*_of_file(kind, file))))


def _keep(
    operation: Operation, kind: str, file: bytes, batch: list[tuple[int, bytes]], partial: bool
) -> None:
    session = operation.session
    lock_routing(session)
    before = {}
    if partial:
        present = select(PlacePage.pc4, PlacePage.page).where(PlacePage.kind == kind, PlacePage.in_use)
        wanted = PlacePage.pc4.in_([pc4 for pc4, _ in batch])
        before = {row.pc4: row.page for row in session.execute(present.where(wanted))}
    for pc4, page in batch:
        whole = with_rest_of(page, before[pc4]) if pc4 in before else page
        session.merge(PlacePage(kind=kind, pc4=pc4, file=file, in_use=False, page=whole))


def _put_in_use(operation: Operation, kind: str, file: bytes, taken: set[int], partial: bool) -> None:
    session = operation.session
    lock_routing(session)
    if set(session.scalars(select(PlacePage.pc4).where(*_of_file(kind, file)))) != taken:
        raise ImportedMeanwhile
    old = [PlacePage.kind == kind, PlacePage.file != file]
    if partial:
        old.append(PlacePage.pc4.in_(select(PlacePage.pc4).where(*_of_file(kind, file)).scalar_subquery()))
    else:
        _refuse_fewer(operation, kind, len(taken))
    session.execute(delete(PlacePage).where(*old))
    session.execute(update(PlacePage).where(*_of_file(kind, file)).values(in_use=True))
    operation.record(AuditAction.COVERAGE_CHANGED, ground=Ground.OFFICIAL_FILE)


def _refuse_fewer(operation: Operation, kind: str, found: int) -> None:
    present = select(func.count()).select_from(PlacePage).where(PlacePage.kind == kind, PlacePage.in_use)
    known = operation.session.scalars(present).one()
    if found < LEAST_SHARE * known:
        raise FewerPlaces(f"it holds {found:,} of the {known:,} four-digit postcodes that are in use")


def _of_file(kind: str, file: bytes) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return PlacePage.kind == kind, PlacePage.file == file
