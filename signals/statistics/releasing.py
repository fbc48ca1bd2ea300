"""Releasing: a period is counted, protected, audited and stored once, and never changes.

Counting and storing are two transactions: what was counted is kept (`ledger`), so that a run that was killed
in between goes on from the very same numbers, and no lock is held while the auditor solves.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any, Final

from sqlalchemy import Connection, func, insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from privacy.disclosure.tables import QUARTER, WINDOW, YEAR, Cell, Period, Schema, read_period
from privacy.pseudonyms import quarter_of
from signals.clock import Clock, today
from signals.db import is_sqlite
from signals.models import CountedTable, SealedReport, Signal, SignalFact, StoredRelease, StoredTable
from signals.models.signal import WAITING
from signals.statistics import ledger
from signals.statistics.counting import (
    CountingKeys,
    Locate,
    count,
    first_day_after,
    last_day_of,
    mark,
    quarter_after,
)
from signals.statistics.menu import WINDOW_YEARS, menu, tables_for
from signals.statistics.pool import move_facts
from signals.statistics.releases import ReleaseRefused, published

_LOCK: Final = 0x52656C65
_TRIES: Final = 5
_SERIALIZATION_FAILURE: Final = "40001"
_LAST_YEAR_OF_A_WINDOW: Final = 2026


@dataclass(frozen=True, kw_only=True)
class Release:
    """What releasing a period did; `is_new` is False when it had been released before."""

    period: str
    released_on: date
    is_new: bool
    tables: tuple[str, ...]
    withheld: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Releasing:
    """What releasing works with, in the process that holds the keystore.

    `chance`: by which some cells are hidden beside those that must be; None, as everywhere but in a demo: the
    system's.
    """

    sessions: sessionmaker[Session]
    keys: CountingKeys = field(repr=False)
    locate: Locate = field(repr=False)
    chance: Random | None = None

    def release(self, clock: Clock, *, period: str) -> Release:
        """Count, protect, audit and store a period; nothing is done when it was released before.

        Raises `ReleaseRefused` for a period that is unknown, not over, out of order or incomplete, while
        reports of it wait to arrive, and while another process is releasing.
        """
        wanted = _read(period)
        with self._alone() as is_alone:
            if not is_alone:
                raise ReleaseRefused("another process is releasing figures")
            with self.sessions.begin() as session:
                before = _released_before(session, period)
                if before is not None:
                    return before
                if not _is_begun(session):  # the first quarter may be that of a fact which still waits
                    move_facts(session, keys=self.keys)
                _refuse_unless_complete(session, wanted, period, today(clock))
                is_counted = wanted.kind != QUARTER or _is_counted(session, period)
            try:
                if not is_counted:
                    self._count(clock, period)
                return self._store(clock, period, wanted)
            except IntegrityError:
                raise ReleaseRefused("another process was faster") from None

    def release_due(self, clock: Clock, *, grace_days: int) -> tuple[Release, ...]:
        """Release every period that is over for more than `grace_days` days, in order.

        Ends, without an error, at one whose reports have not all arrived, and when another process is at it.
        """
        done: list[Release] = []
        while True:
            with self.sessions() as session:
                period = next_due(session, today(clock) - timedelta(days=grace_days))
            if period is None:
                return tuple(done)
            try:
                done.append(self.release(clock, period=period))
            except ReleaseRefused:
                return tuple(done)

    @contextmanager
    def _alone(self) -> Iterator[bool]:
        """A lock of PostgreSQL for as long as this lasts; on SQLite the primary key of a release decides."""
        with self.sessions() as session:
            if is_sqlite(session):
                yield True
                return
            with session.begin():
                yield bool(session.scalar(text("SELECT pg_try_advisory_xact_lock(:n)"), {"n": _LOCK}))

    def _count(self, clock: Clock, quarter: str) -> None:
        """Count and mark in one snapshot; when a signal changed meanwhile, count again."""
        for number in range(_TRIES):
            try:
                if self._count_once(clock, quarter):
                    return
            except DBAPIError as error:
                if getattr(error.orig, "sqlstate", None) != _SERIALIZATION_FAILURE or number == _TRIES - 1:
                    raise
        raise ReleaseRefused("signals keep changing: try again later")

    def _count_once(self, clock: Clock, quarter: str) -> bool:
        with self.sessions() as session, session.begin() as transaction:
            _read_at_one_moment(session)
            counted = count(session, keys=self.keys, locate=self.locate, quarter=quarter, on=today(clock))
            ledger.store(session, ledger.ledger_of(counted.groups), quarter=quarter)
            is_whole = mark(session, counted, quarter=quarter)
            if not is_whole:
                transaction.rollback()
            return is_whole

    def _store(self, clock: Clock, period: str, wanted: Period) -> Release:
        from privacy.disclosure.protection import protect  # it takes scipy along, which only a release needs

        schemas = tables_for(wanted.kind)
        with self.sessions() as session:
            counts = _counts(session, wanted, period)
            earlier = published(session)
        done = protect(counts, menu(), earlier, chance=self.chance)
        with self.sessions.begin() as session:
            session.execute(
                insert(StoredRelease),
                {"period": period, "released_on": today(clock), "protocol": done.protocol},
            )
            rows = [
                _row(schema, period, number, done.values, done.withheld)
                for number, schema in enumerate(schemas)
            ]
            session.execute(insert(StoredTable), rows)
        names = tuple(schema.name for schema in schemas)
        withheld = tuple(name for name in names if name in done.withheld)
        return Release(period=period, released_on=today(clock), is_new=True, tables=names, withheld=withheld)


def _counts(session: Session, wanted: Period, period: str) -> dict[Cell, int]:
    """The true counts of a period, and of what was released of the same years: they hang together."""
    there = set(session.scalars(select(StoredRelease.period)))
    near = [each for each in there if wanted.first <= read_period(each).first <= wanted.last]
    counts: dict[Cell, int] = {}
    for each in (period, *near):
        kind = read_period(each)
        counts |= ledger.cells(ledger.load(session, _quarters_of(kind)), tables_for(kind.kind), each)
    return counts


def next_due(session: Session, on: date) -> str | None:
    """The next period to be released of those that were over before a date; None when there is none."""
    released_periods = set(session.scalars(select(StoredRelease.period)))
    for period in _completed(released_periods):
        if period not in released_periods:
            return period
    quarter = next_quarter(session)
    return quarter if quarter is not None and last_day_of(quarter) < on else None


def next_quarter(session: Session) -> str | None:
    """The quarter to be released next: after the last one, or the first with a signal; None without any."""
    quarters = [p for p in session.scalars(select(StoredRelease.period)) if read_period(p).kind == QUARTER]
    if quarters:
        return quarter_after(max(quarters))
    counted = session.scalar(select(func.min(CountedTable.quarter)))
    if counted is not None:
        return str(counted)
    fact = session.scalar(select(func.min(SignalFact.received_quarter)))
    signal = session.scalar(select(func.min(Signal.received_on)).where(Signal.is_drill.is_(False)))
    return min(filter(None, (fact, quarter_of(signal) if signal else None)), default=None)


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
    )


def _refuse_unless_complete(session: Session, wanted: Period, period: str, on: date) -> None:
    if _last_day(wanted, period) >= on:
        raise ReleaseRefused(f"{period} is not over yet")
    if wanted.kind == QUARTER:
        _refuse_out_of_order(session, period)
        _refuse_while_reports_wait(session, period)
    elif wanted.kind == YEAR:
        _refuse_without(session, period, _quarters_of(wanted))
    else:
        _refuse_other_windows(wanted, period)
        _refuse_without(session, period, [str(year) for year in range(wanted.first, wanted.last + 1)])


def _refuse_out_of_order(session: Session, period: str) -> None:
    expected = next_quarter(session)
    if expected is None:
        raise ReleaseRefused("nothing was received yet")
    if period != expected:
        raise ReleaseRefused(f"{period} cannot be released: {expected} is next")


def _refuse_while_reports_wait(session: Session, period: str) -> None:
    """Intake is complete only when what the public side stored has arrived."""
    waiting = select(func.count()).select_from(SealedReport)
    waiting = waiting.where(text(WAITING), SealedReport.received_on < first_day_after(period))
    if session.scalar(waiting):
        raise ReleaseRefused(f"reports of {period} wait to arrive: let the worker bring them in first")


def _refuse_without(session: Session, period: str, needed: Iterable[str]) -> None:
    there = set(session.scalars(select(StoredRelease.period)))
    missing = [each for each in needed if each not in there]
    if missing:
        raise ReleaseRefused(f"{period} is the sum of its parts, and {', '.join(missing)} was not released")


def _refuse_other_windows(wanted: Period, period: str) -> None:
    """One fixed set of windows, which do not overlap: no two can be subtracted."""
    if not _is_a_window(wanted):
        raise ReleaseRefused(f"{period} is none of the fixed periods of {WINDOW_YEARS} years, like 2023-2026")


def _is_a_window(wanted: Period) -> bool:
    ends_right = (wanted.last - _LAST_YEAR_OF_A_WINDOW) % WINDOW_YEARS == 0
    return ends_right and wanted.last - wanted.first == WINDOW_YEARS - 1


def _last_day(wanted: Period, period: str) -> date:
    return last_day_of(period) if wanted.kind == QUARTER else date(wanted.last, 12, 31)


def _quarters_of(wanted: Period) -> list[str]:
    if wanted.kind == QUARTER:
        return [f"{wanted.first}-Q{wanted.quarter}"]
    return [f"{year}-Q{number}" for year in range(wanted.first, wanted.last + 1) for number in range(1, 5)]


def _completed(periods: set[str]) -> Iterator[str]:
    """The years and windows all of whose parts are among these periods; a year that was just found counts."""
    years = sorted({read_period(period).first for period in periods})
    whole = [year for year in years if periods >= {f"{year}-Q{number}" for number in range(1, 5)}]
    yield from map(str, whole)
    for year in whole:
        window = Period(WINDOW, year - WINDOW_YEARS + 1, year, 0)
        if _is_a_window(window) and set(range(window.first, year + 1)) <= set(whole):
            yield f"{window.first}-{year}"


def _is_begun(session: Session) -> bool:
    return session.scalar(select(StoredRelease.period).limit(1)) is not None


def _is_counted(session: Session, quarter: str) -> bool:
    found = select(func.count()).select_from(CountedTable).where(CountedTable.quarter == quarter)
    return bool(session.scalar(found))


def _read_at_one_moment(session: Session) -> None:
    """Facts and signals as they are together, on PostgreSQL too; the caller's transaction is left alone."""
    if not is_sqlite(session) and not isinstance(session.bind, Connection):
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})


def _row(
    schema: Schema, period: str, number: int, values: Mapping[Cell, int | None], withheld: frozenset[str]
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
