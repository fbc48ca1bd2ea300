"""Release the figures of a period: count, draw the noise once, sign, and store for ever.

The released tables are the ledger of the budget too. The primary key (period, table) refuses to spend twice.
A file apart from the database, and a note in the keystore, say after a restore what was spent before.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from secrets import randbelow
from typing import Final

from sqlalchemy import Connection, func, select
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session, sessionmaker
from structlog import get_logger

from privacy.keystore import Keystore
from privacy.noise import Below, noisy
from privacy.pseudonyms import quarter_of
from privacy.sealing import EnvelopeRefused
from signals.clock import Clock, today
from signals.db import is_sqlite
from signals.errors import SignalsError
from signals.models import Comparison, OrganisationYear, Publication, Signal, SignalFact
from signals.statistics import comparing
from signals.statistics.counting import Counts, Locate, count_quarter, count_year
from signals.statistics.ledger import LedgerFile
from signals.statistics.menu import ATTEMPTS, BUDGET, COMPARISON, PeriodKind, Table, kind_of, tables_of
from signals.statistics.periods import YEAR_GRACE_DAYS, last_day_of, periods_until
from signals.statistics.publications import publications, refuse_forged, sign
from signals.statistics.sealed_facts import forget_facts, secret_of

_SERIALIZATION_FAILURE: Final = "40001"

log = get_logger(__name__)


class ReleaseRefused(SignalsError):
    """This period cannot be released now."""

    code = "release_refused"
    status = 409


@dataclass(frozen=True, kw_only=True)
class Release:
    """The tables of a released period; `is_new` is False when it was released before."""

    period: str
    drawn_on: date
    is_new: bool
    tables: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Releasing:
    """Everything that a release needs. Without a `ledger`, as in the demo, a restore is not noticed."""

    sessions: sessionmaker[Session]
    keys: Keystore = field(repr=False)
    locate: Locate = field(repr=False)
    ledger: LedgerFile | None
    below: Below = field(default=randbelow, repr=False)

    def release_due(self, clock: Clock, *, grace_days: int) -> tuple[Release, ...]:
        """Release every due quarter, year and comparison, oldest first; a refused one holds up no other."""
        self.adopt()
        on = today(clock)
        with self.sessions() as session:
            periods = [*due(session, on, grace_days=grace_days), *comparing.due_comparisons(session, on)]
        done = []
        for period in periods:
            try:
                done.append(self.release(clock, period=period))
            except ReleaseRefused:
                log.warning("figures.release_refused", period=period)
        self._forget_keys()
        return tuple(release for release in done if release.is_new)

    def release(self, clock: Clock, *, period: str) -> Release:
        """Release a period that is over, or return its earlier release; raise `ReleaseRefused`."""
        self.adopt()
        try:
            with self.sessions.begin() as session:
                return self._release(session, period, today(clock))
        except EnvelopeRefused:
            raise ReleaseRefused("facts do not open: restore the newest copy of the keystore") from None
        except IntegrityError:
            raise ReleaseRefused("another process was faster: its release stands") from None
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) != _SERIALIZATION_FAILURE:
                raise
            raise ReleaseRefused("signals change at this moment: try again") from None

    def adopt(self) -> int:
        """Store the tables of the ledger's file that a restored database lacks; return how many.

        Raises `NoLedger` for a wrong file, and `Forged` for a table without the root's signature.
        """
        if self.ledger is None:
            return 0
        root = self.keys.root_signing_key().public_key()
        known = {(table.period, table.code): table for table in self.ledger.tables()}
        with self.sessions.begin() as session:
            for place in session.execute(select(Publication.period, Publication.code)):
                known.pop((place.period, place.code), None)
            for table in known.values():
                refuse_forged(table, root)
            session.add_all(known.values())
            session.flush()
            session.add_all(self._own_totals(session.connection(), known.values()))
            for period in _periods_in_ledger(session):
                forget_facts(session.connection(), of=period)
        return len(known)

    def differing(self, session: Session) -> tuple[str, ...]:
        """Return each table (`2026/attempts`) that the ledger's file has otherwise than the database."""
        stored = {(row.period, row.code): row.content for row in publications(session)}
        found = self.ledger.tables() if self.ledger else ()
        return tuple(
            f"{row.period}/{row.code}" for row in found if stored.get((row.period, row.code)) != row.content
        )

    def _release(self, session: Session, period: str, on: date) -> Release:
        _read_at_one_moment(session)
        earlier = session.scalars(select(Publication).where(Publication.period == period)).all()
        if earlier:
            return _as_release(earlier, is_new=False)
        self._refuse(session, period, on)
        counts, own = self._count(session.connection(), period, on)
        compared = session.get(Comparison, period)
        tables = [comparing.table_for(compared)] if compared else tables_of(kind_of(period))
        rows = [self._draw(table, period, counts, on) for table in tables]
        _refuse_overspending([*publications(session), *rows])
        session.add_all(rows)
        session.flush()  # of two processes, the second waits here and fails
        session.add_all(own)
        forget_facts(session.connection(), of=period)
        if self.ledger is not None:
            self.ledger.append(rows)
            self.keys.secret(_note_of(period))
        return _as_release(rows, is_new=True)

    def _refuse(self, session: Session, period: str, on: date) -> None:
        is_year = kind_of(period) is PeriodKind.YEAR
        if period not in {*_periods(session, on), *comparing.due_comparisons(session, on)}:
            raise ReleaseRefused(
                f"{period} is no quarter like 2026-Q3 and no comparison or year that is over and had signals"
            )
        if is_year and on <= last_day_of(period) + timedelta(days=YEAR_GRACE_DAYS):
            raise ReleaseRefused(f"{period} is released {YEAR_GRACE_DAYS} days after its end")
        if is_year and (missing := self._open_quarters(session, period, on)):
            raise ReleaseRefused(f"{period} ends the facts of {', '.join(missing)}: release that first")
        if self._is_noted(period):
            raise ReleaseRefused(
                f"{period} was released before, and this database lacks it: it was restored to a day before. "
                "Put the ledger (figures.ledger_file) of the machine that released back, and try again"
            )

    def _open_quarters(self, session: Session, year: str, on: date) -> list[str]:
        missing = set(_periods(session, on)) - _periods_in_ledger(session)
        return sorted(one for one in missing if one.startswith(f"{year}-") and not self._is_noted(one))

    def _is_noted(self, period: str) -> bool:
        """Return whether the keystore knows that a period was released."""
        return self.ledger is not None and self.keys.has_secret(_note_of(period))

    def _own_totals(self, connection: Connection, adopted: Iterable[Publication]) -> list[OrganisationYear]:
        """Return the own totals of adopted years; none of a year whose facts no longer open."""
        days = {one.period: one.drawn_on for one in adopted if kind_of(one.period) is PeriodKind.YEAR}
        try:
            counted = [self._count(connection, year, on)[1] for year, on in days.items()]
        except EnvelopeRefused:
            return []
        return [total for totals in counted for total in totals]

    def _count(self, connection: Connection, period: str, on: date) -> tuple[Counts, list[OrganisationYear]]:
        if kind_of(period) is PeriodKind.QUARTER:
            return count_quarter(connection, period), []
        if kind_of(period) is PeriodKind.COMPARISON:
            return {COMPARISON: comparing.count_comparison(connection, self.keys, period)}, []
        return count_year(connection, period, keys=self.keys, locate=self.locate, on=on)

    def _draw(self, table: Table, period: str, counts: Counts, on: date) -> Publication:
        drawn = noisy({cell: counts[table.code][cell] for cell in table.cells}, table.scale, below=self.below)
        content = {
            "dimensions": {dimension.name: dimension.codes for dimension in table.dimensions},
            "sensitivity": table.sensitivity,
            "cells": [[*cell, count] for cell, count in drawn.items()],
        }
        row = Publication(
            period=period,
            code=table.code,
            epsilon=f"{float(table.epsilon):.2f}",
            drawn_on=on,
            content=json.dumps(content, separators=(",", ":")),
        )
        row.signature = sign(row, self.keys.root_signing_key())
        return row

    def _forget_keys(self) -> None:
        """Destroy the keys of facts whose year is drawn: rows in older copies become unreadable."""
        with self.sessions() as session:
            over = [*map(secret_of, _periods_in_ledger(session)), *comparing.secrets_over(session)]
        self.keys.forget_secrets(over)


def due(session: Session, on: date, *, grace_days: int) -> list[str]:
    """Return the periods to release on a day: quarters and years whose days of grace are over."""
    there = _periods_in_ledger(session)
    grace = {PeriodKind.QUARTER: grace_days, PeriodKind.YEAR: max(grace_days, YEAR_GRACE_DAYS)}
    return [
        period
        for period in _periods(session, on)
        if period not in there and last_day_of(period) + timedelta(days=grace[kind_of(period)]) < on
    ]


def spent(tables: Iterable[Publication]) -> Fraction:
    """Return the most that one signal spends: it enters each table once, and `attempts` or a comparison."""
    highest: dict[tuple[str, PeriodKind], Fraction] = {}
    for table in tables:
        kind = kind_of(table.period)
        place = (ATTEMPTS, PeriodKind.YEAR) if kind is PeriodKind.COMPARISON else (table.code, kind)
        highest[place] = max(highest.get(place, Fraction(0)), Fraction(table.epsilon))
    return sum(highest.values(), Fraction(0))


def _refuse_overspending(tables: Iterable[Publication]) -> None:
    if (wanted := spent(tables)) > BUDGET:
        raise ReleaseRefused(
            f"a signal would spend {float(wanted):.2f}, and its budget is {float(BUDGET):.2f}"
        )


def _periods(session: Session, on: date) -> Iterator[str]:
    """Yield each quarter and year that ended before a day, from the first one with a signal."""
    quarters = {one for one in _periods_in_ledger(session) if kind_of(one) is PeriodKind.QUARTER}
    fact = session.scalar(select(func.min(SignalFact.received_quarter)))
    signal = session.scalar(select(func.min(Signal.received_on)))
    known = *quarters, fact, quarter_of(signal) if signal else None
    first = min(filter(None, known), default=None)
    yield from periods_until(first, on) if first else ()


def _periods_in_ledger(session: Session) -> set[str]:
    return set(session.scalars(select(Publication.period).distinct()))


def _as_release(rows: Sequence[Publication], *, is_new: bool) -> Release:
    first, codes = rows[0], tuple(row.code for row in rows)
    return Release(period=first.period, drawn_on=first.drawn_on, is_new=is_new, tables=codes)


def _note_of(period: str) -> str:
    return f"released-{period.lower()}"


def _read_at_one_moment(session: Session) -> None:
    """Read facts and signals as of one moment, on PostgreSQL too; keep the caller's own transaction."""
    if not is_sqlite(session) and not isinstance(session.bind, Connection):
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
