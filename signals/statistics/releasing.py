"""Release a period: count, protect, audit and store it once; it never changes.

Counting and storing are two transactions. The ledger keeps the counts, so that a run that dies in between
continues with the same numbers. No lock is held while the auditor solves.
"""

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any, Final

from sqlalchemy import Connection, func, insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from privacy.disclosure.tables import QUARTER, WINDOW, Cell, Period, Schema, read_period
from signals.clock import Clock, today
from signals.db import is_sqlite
from signals.models import CountedTable, StoredRelease, StoredTable
from signals.statistics import ledger
from signals.statistics.counting import (
    CountingKeys,
    Locate,
    count,
    mark,
)
from signals.statistics.divisions import PLACES, Division, division_of
from signals.statistics.due_periods import counted_quarters, next_due, quarters_of, refuse_unless_complete
from signals.statistics.old_menu import is_division, tables_for
from signals.statistics.pool import move_facts
from signals.statistics.releases import ReleaseRefused, divisions, published, read_protocol, schemas_of

_LOCK: Final = 0x52656C65
_TRIES: Final = 5
_SERIALIZATION_FAILURE: Final = "40001"


@dataclass(frozen=True, kw_only=True)
class Release:
    """The release of a period; `is_new` is False when it existed before.

    `protocol`: that of the audit, by language.
    """

    period: str
    released_on: date
    is_new: bool
    tables: tuple[str, ...]
    withheld: tuple[str, ...]
    protocol: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Releasing:
    """Everything that a release needs, in the process that holds the keystore.

    `chance` chooses the cells to hide beside those that must be; None means the system's randomness, as
    everywhere but in the demo. With `remembers` the keystore notes each release: a database that was restored
    to an earlier day then does not release it again. A new demo may.
    """

    sessions: sessionmaker[Session]
    keys: CountingKeys = field(repr=False)
    locate: Locate = field(repr=False)
    chance: Random | None = None
    remembers: bool = True

    def release(self, clock: Clock, *, period: str) -> Release:
        """Count, protect, audit and store a period, unless it was released before.

        Raises `ReleaseRefused` for a period that is unknown, not over, out of order or incomplete, while its
        reports wait to arrive, while another process releases, and for one that was released before the
        database was restored (`adopting`).
        """
        wanted = _read(period)
        with self.alone():
            with self.sessions.begin() as session:
                self._remember(session)
                before = _released_before(session, period)
                if before is not None:
                    return before
                if not _is_begun(session):  # the first quarter may be that of a fact which still waits
                    move_facts(session, keys=self.keys)
                refuse_unless_complete(session, wanted, period, today(clock))
                self._refuse_what_was_lost(session, period)
                is_counted = wanted.kind != QUARTER or _is_counted(session, period)
            if not is_counted:
                self.count(clock, period)
            done = self._protect_and_store(clock, period, wanted)
        with self.sessions() as session:
            self._remember(session)
        return done

    def release_due(self, clock: Clock, *, grace_days: int) -> tuple[Release, ...]:
        """Release, in order, every period that ended more than `grace_days` days ago; return the releases.

        Stop without an error at a quarter with waiting reports, and when another process releases. Skip a
        refused year.
        """
        done: list[Release] = []
        refused: set[str] = set()
        while True:
            with self.sessions() as session:
                period = next_due(session, today(clock) - timedelta(days=grace_days), besides=refused)
            if period is None:
                return tuple(done)
            try:
                released = self.release(clock, period=period)
            except ReleaseRefused:
                if read_period(period).kind == QUARTER:
                    return tuple(done)
                refused.add(period)
            else:
                if released.is_new:  # another process may have been faster since we looked
                    done.append(released)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold a lock of PostgreSQL meanwhile; on SQLite the primary key of a release decides.

        Raises `ReleaseRefused` when another process releases.
        """
        # Commit at the end: the demo runs this inside a transaction, where a rollback undoes the release.
        with self.sessions.begin() as session:
            lock = text("SELECT pg_try_advisory_xact_lock(:n)")
            if not is_sqlite(session) and not session.scalar(lock, {"n": _LOCK}):
                raise ReleaseRefused("another process is releasing figures")
            try:
                yield
            except IntegrityError:
                raise ReleaseRefused("another process was faster") from None

    def _remember(self, session: Session) -> None:
        """Note the releases in the keystore, because its backup is separate from that of the database."""
        for period in session.scalars(select(StoredRelease.period)) if self.remembers else ():
            if not self.keys.has_secret(_note_of(period)):
                self.keys.secret(_note_of(period))

    def _refuse_what_was_lost(self, session: Session, period: str) -> None:
        if self.remembers and self.keys.has_secret(_note_of(period)):
            raise ReleaseRefused(
                f"{period} was released before, and this database does not have it: it was restored to a day "
                "before. Bring back what was published, from a folder of it: "
                f"signals statistics release {period} --after FOLDER"
            )

    def count(
        self, clock: Clock, quarter: str, *, fits: Callable[[ledger.Ledger], bool] | None = None
    ) -> bool:
        """Count and mark in one snapshot; count again when a signal changes meanwhile.

        Keep the counts when they fit the published ones, if any; return whether they are kept.
        """
        with self.sessions() as session:
            if _is_counted(session, quarter):
                book = ledger.load(session, [quarter])
                return fits is None or fits(book)
        for number in range(_TRIES):
            try:
                fitting = self._count_once(clock, quarter, fits or (lambda _book: True))
                if fitting is not None:
                    return fitting
            except DBAPIError as error:
                if getattr(error.orig, "sqlstate", None) != _SERIALIZATION_FAILURE or number == _TRIES - 1:
                    raise
        raise ReleaseRefused("signals keep changing: try again later")

    def _count_once(self, clock: Clock, quarter: str, fits: Callable[[ledger.Ledger], bool]) -> bool | None:
        """Return whether the counts are kept; None, without any change, when a signal changed meanwhile."""
        with self.sessions() as session, session.begin() as transaction:
            _read_at_one_moment(session)
            counted = count(session, keys=self.keys, locate=self.locate, quarter=quarter, on=today(clock))
            book = ledger.ledger_of(counted.groups)
            fitting = fits(book)
            if fitting:
                ledger.store(session, book, quarter=quarter)
            if not mark(session, counted, quarter=quarter):
                transaction.rollback()
                return None
            return fitting

    def _protect_and_store(self, clock: Clock, period: str, wanted: Period) -> Release:
        from privacy.disclosure.protection import (
            protect,
        )  # it takes HiGHS along, which only a release needs
        from privacy.disclosure.puzzle import Inconsistent

        with self.sessions() as session:
            schemas = _tables_for(session, wanted)
            counts = _counts(session, wanted, period, schemas)
            earlier, known = published(session), schemas_of(session)
        everything = {schema.name: schema for schema in (*known, *schemas)}
        try:
            done = protect(counts, tuple(everything.values()), earlier, chance=self.chance)
        except Inconsistent as problem:
            raise ReleaseRefused(f"the counts of {period} do not fit what was released: {problem}") from None
        values, on = done.values, today(clock)
        self.store(period, schemas, values, released_on=on, withheld=done.withheld, protocol=done.protocol)
        names = tuple(schema.name for schema in schemas)
        return Release(
            period=period,
            released_on=on,
            is_new=True,
            tables=names,
            withheld=tuple(name for name in names if name in done.withheld),
            protocol=done.protocol,
        )

    def store(
        self,
        period: str,
        schemas: Sequence[Schema],
        values: Mapping[Cell, int | None],
        *,
        released_on: date,
        withheld: Collection[str],
        protocol: Mapping[str, str],
    ) -> None:
        """Write a release once and for ever; raise `IntegrityError` when it is there."""
        release = {"period": period, "released_on": released_on, "protocol": _canonical(dict(protocol))}
        rows = [_row(schema, period, number, values, withheld) for number, schema in enumerate(schemas)]
        with self.sessions.begin() as session:
            session.execute(insert(StoredRelease), release)
            session.execute(insert(StoredTable), rows)


def _tables_for(session: Session, wanted: Period) -> tuple[Schema, ...]:
    """Return the tables of this period; the municipalities of a window are those of its own years."""
    found = tables_for(wanted.kind)
    if wanted.kind != WINDOW:
        return found
    division = _division(session, wanted).table(wanted, divisions(session))
    return tuple(division if is_division(schema.name) else schema for schema in found)


def _division(session: Session, window: Period) -> Division:
    counted_on = session.get_one(StoredRelease, f"{window.last}-Q4").released_on
    return division_of(window, counted_on, _book(session, window)[PLACES])


def _counts(session: Session, wanted: Period, period: str, schemas: Sequence[Schema]) -> dict[Cell, int]:
    """Return the true counts of a period, and of all releases of the same years: they are connected."""
    book = _book(session, wanted)
    if wanted.kind == WINDOW:
        municipalities = next(schema.name for schema in schemas if is_division(schema.name))
        book[municipalities] = _division(session, wanted).counts(book[PLACES])
    counts = ledger.cells(book, schemas, period)
    counted = counted_quarters(session)
    for each in session.scalars(select(StoredRelease.period)):
        other = read_period(each)
        if wanted.first <= other.first <= wanted.last and counted >= set(quarters_of(other)):
            counts |= ledger.cells(_book(session, other), tables_for(other.kind), each)
    return counts


def _book(session: Session, period: Period) -> dict[str, Counter[ledger.Place]]:
    return dict(ledger.load(session, quarters_of(period)))


def _read(period: str) -> Period:
    try:
        return read_period(period)
    except ValueError:
        raise ReleaseRefused(
            "not a period: a quarter is 2026-Q3, a year 2026, a period of four years 2023-2026"
        ) from None


def _released_before(session: Session, period: str) -> Release | None:
    found = session.get(StoredRelease, period)
    if found is None:
        return None
    query = select(StoredTable.name, StoredTable.cells.is_(None)).where(StoredTable.period == period)
    tables = session.execute(query.order_by(StoredTable.position)).all()
    return Release(
        period=period,
        released_on=found.released_on,
        is_new=False,
        tables=tuple(name for name, _ in tables),
        withheld=tuple(name for name, is_withheld in tables if is_withheld),
        protocol=read_protocol(found.protocol),
    )


def _is_begun(session: Session) -> bool:
    return session.scalar(select(StoredRelease.period).limit(1)) is not None


def _is_counted(session: Session, quarter: str) -> bool:
    found = select(func.count()).select_from(CountedTable).where(CountedTable.quarter == quarter)
    return bool(session.scalar(found))


def _note_of(period: str) -> str:
    return f"released-{period.lower()}"


def _read_at_one_moment(session: Session) -> None:
    """Read facts and signals as of one moment, on PostgreSQL too; keep the caller's own transaction."""
    if not is_sqlite(session) and not isinstance(session.bind, Connection):
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})


def _row(
    schema: Schema, period: str, number: int, values: Mapping[Cell, int | None], withheld: Collection[str]
) -> dict[str, Any]:
    cells = [[list(cell.keys), cell.measure, values.get(cell)] for cell in schema.cells(period)]
    return {
        "period": period,
        "name": schema.name,
        "position": number,
        "schema": _canonical(schema.as_json()),
        "cells": None if schema.name in withheld else _canonical(cells),
    }


def _canonical(data: Any) -> str:
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False)
