"""Receiving a report at the door: route, seal and store in one atomic write; nothing readable touches disk.

The public side only: holds public keys and the front's secret, never the keystore.
"""

import fcntl
import json
import os
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cache, cached_property
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    BindParameter,
    Connection,
    Dialect,
    Engine,
    Insert,
    Row,
    String,
    bindparam,
    cast,
    create_engine,
    event,
    literal,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import psycopg
from sqlalchemy.dialects.sqlite import pysqlite
from sqlalchemy.exc import IntegrityError

from privacy.receipts import body_mac, idempotency_hash, receipt_for, receipt_hash
from privacy.redaction import redact
from privacy.sealing import SCHEMA_VERSION, seal_text_to_mailbox
from signals.clock import Clock, today
from signals.db import is_sqlite, reading, single_statements
from signals.errors import (
    FieldProblem,
    Invalid,
    KeyReused,
    NotesDisabled,
    SignalsError,
)
from signals.intake.content import Report, context_of
from signals.intake.daily_limit import AreaLimit
from signals.models import IdempotencyKey, Receipt, SealedReport
from signals.models.base import Base, new_id
from signals.routing.rows import OrganisationFacts
from signals.routing.snapshot import Router, SealingKey
from signals.vocabulary import OrganisationKind, ReceiptState

NOTICED_DAYS_BACK = 14
RETRY_DAYS = 7
"""For how long the same key and body give the same answer."""

_NOTHING_REDACTED: Final = "{}"

Authorisation = Callable[[Connection], None]
"""A check that runs inside the storing transaction and raises to refuse (the seam for tokens)."""


@dataclass(frozen=True, kw_only=True)
class Redaction:
    """How many strings of one kind were removed from a note."""

    kind: str
    count: int


@dataclass(frozen=True, kw_only=True)
class Received:
    """The answer to a report; the same again for a retry."""

    receipt: str = field(repr=False)
    organisation: OrganisationFacts
    received_on: date
    redactions: tuple[Redaction, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Intake:
    """The public side's way in; one per process."""

    engine: Engine
    router: Router
    front_secret: bytes = field(repr=False)
    area_limit: AreaLimit
    notes_enabled: bool = False

    def receive(
        self, clock: Clock, *, key: uuid.UUID, report: Report, authorise: Authorisation | None = None
    ) -> Received:
        """Store a report once and answer it; a retry with the same key and body gets the same answer.

        Raises `KeyReused` for the same key with another body, `AreaFull` past the day's limit,
        `Invalid` for `noticed_on` out of range, `NotesDisabled`, `NoMailboxKey`.
        """
        on = today(clock)
        body = report.canonical()
        identity = _Identity.of(self.front_secret, key, body)
        try:
            row, receiver = self._sealed(identity, report, body, on, clock.now())
        except SignalsError:
            # A retry is never refused: its first try was accepted, perhaps under yesterday's rules.
            found = self._find(identity)
            if found is None:
                raise
            return self._answer(identity, found)
        while not self._is_stored(identity, row, authorise):
            found = self._find(identity)
            if found is not None:
                return self._answer(identity, found)
            # The first try was forgotten at this very moment: its time was over.
        self.area_limit.count(receiver.id, on)
        redactions = _redactions_from(row["redactions"])
        return Received(
            receipt=identity.receipt, organisation=receiver, received_on=on, redactions=redactions
        )

    def receipt_state(self, clock: Clock, receipt: str | None) -> tuple[ReceiptState, date]:
        """(state, as of yesterday) of a receipt in the form of `parse_receipt`; `unknown` when never issued.

        One and the same query whatever is found, so that the answer's time tells nothing.
        """
        on = today(clock)
        digest = receipt_hash(receipt) if receipt else bytes(32)
        with self._readers.connect() as connection:
            found = connection.execute(_RECEIPT_QUERY, {"digest": digest}).first()
        return _state_as_of(found, on), on - timedelta(days=1)

    def _sealed(
        self, identity: "_Identity", report: Report, body: bytes, on: date, now: datetime
    ) -> tuple[dict[str, Any], OrganisationFacts]:
        """The row to store and who receives it; `body` is the report in its canonical form."""
        self._refuse_invalid(report, on)
        snapshot = self.router.snapshot()
        route = snapshot.route(report.address.postcode, report.address.number, on)
        receiver, sealing_key = snapshot.receiver(
            route, on
        )  # never unsealed to disk: without a key it raises
        self.area_limit.check(self._readers, receiver.id, on, now)
        # Only here: a retry is recognised by what was sent, not by what is left of it.
        content, redactions = _without_what_identifies(report, body)
        return _row(identity, content, receiver, sealing_key, on=on, redactions=redactions), receiver

    def refused_on(self, on: date, *, noticed_on: date | None, note: str | None) -> tuple[FieldProblem, ...]:
        """What the day and the settings refuse of a report, whatever else may be wrong with it."""
        problems = []
        if noticed_on is not None and not on - timedelta(days=NOTICED_DAYS_BACK) <= noticed_on <= on:
            problems.append(FieldProblem(field="noticed_on", code="out_of_range"))
        if note is not None and not self.notes_enabled:
            problems.append(FieldProblem(field="note", code=NotesDisabled.code))
        return tuple(problems)

    def _refuse_invalid(self, report: Report, on: date) -> None:
        problems = self.refused_on(on, noticed_on=report.noticed_on, note=report.note)
        if [problem.field for problem in problems] == ["note"]:
            raise NotesDisabled
        if problems:
            raise Invalid(*problems)

    def _is_stored(self, identity: "_Identity", row: dict[str, Any], authorise: Authorisation | None) -> bool:
        """Whether the row was new."""
        try:
            return self._store(row, authorise)
        except IntegrityError:
            # Of two at once with one key and body, the receipt's hash may be the first to collide.
            if self._find(identity) is None:
                raise
            return False

    def _store(self, row: dict[str, Any], authorise: Authorisation | None) -> bool:
        """Whether the report was new; its key and its envelope are stored both or neither."""
        storing = _STORING[self.engine.dialect.name]()
        with _writing(self.engine):
            if authorise is None:
                stored = self._stored_by_driver(storing, row)
                if stored is not None:
                    return stored
            with self.engine.begin() as connection:
                if authorise is not None:
                    authorise(connection)
                return storing.run(connection.exec_driver_sql, row)

    def _stored_by_driver(self, storing: "ReportWriter", row: dict[str, Any]) -> bool | None:
        """The same past SQLAlchemy, which is a third of it; None where that failed, whatever the reason.

        Then it is said again the usual way, which knows lost connections and names what is wrong: however
        often it is said, the row is stored once.
        """
        dbapi = self.engine.dialect.loaded_dbapi
        try:
            connection = self._single_statements.raw_connection()
        except dbapi.Error:
            return None
        try:
            driver: Any = connection.driver_connection
            return storing.run_alone(driver.execute, row)
        except dbapi.IntegrityError:
            return None
        except dbapi.Error:
            connection.invalidate()
            return None
        finally:
            connection.close()

    def check_storing(self) -> None:
        """Raise the database's error when no report could be stored: its schema is of another version, or
        its rights were not granted. Nothing is stored.
        """
        storing = _STORING[self.engine.dialect.name]()
        with self._readers.connect() as connection:
            for insert in storing.inserts:
                # Planned and not run, which both databases do only with tables, columns and rights in place.
                connection.exec_driver_sql(f"EXPLAIN {insert.statement}", (None,) * len(insert.columns))

    @cached_property
    def _single_statements(self) -> Engine:
        return _autocommitting(self.engine)

    @cached_property
    def _readers(self) -> Engine:
        return reading(self._single_statements)

    def _find(self, identity: "_Identity") -> Row[bytes, uuid.UUID, date, str] | None:
        with self._readers.connect() as connection:
            return connection.execute(_REPLAY_QUERY, {"key_hash": identity.key_hash}).first()

    def _answer(self, identity: "_Identity", found: Row[bytes, uuid.UUID, date, str]) -> Received:
        if found.body_mac != identity.body_mac:
            raise KeyReused
        return Received(
            receipt=identity.receipt,
            organisation=self.router.snapshot().organisations[found.organisation_id],
            received_on=found.received_on,
            redactions=_redactions_from(found.redactions),
        )


@dataclass(frozen=True, kw_only=True)
class _Identity:
    """What a report is recognised by, none of which can be turned back into key or body."""

    key_hash: bytes
    body_mac: bytes
    receipt: str = field(repr=False)

    @classmethod
    def of(cls, secret: bytes, key: uuid.UUID, body: bytes) -> "_Identity":
        return cls(
            key_hash=idempotency_hash(key),
            body_mac=body_mac(secret, key, body),
            receipt=receipt_for(secret, key, body),
        )


def _without_what_identifies(report: Report, body: bytes) -> tuple[bytes, str]:
    """What is sealed, with the note redacted, and how many strings of each kind were taken out, as JSON."""
    if report.note is None:
        return body, _NOTHING_REDACTED
    redacted = redact(report.note)
    # Kinds as keys: ten of them fit in the column's 200 characters, a list of objects would not.
    counts = json.dumps(dict(redacted.counts), separators=(",", ":"))
    return replace(report, note=redacted.text).canonical(), counts


def _redactions_from(stored: str) -> tuple[Redaction, ...]:
    """The counts as they are stored, in the order of the kinds' names."""
    if stored == _NOTHING_REDACTED:
        return ()
    return tuple(Redaction(kind=kind, count=count) for kind, count in dict(json.loads(stored)).items())


def _row(
    identity: _Identity,
    content: bytes,
    receiver: OrganisationFacts,
    key: SealingKey,
    *,
    on: date,
    redactions: str,
) -> dict[str, Any]:
    signal_id = new_id()
    context = context_of(signal_id, receiver.id, key.key_id)
    return {
        "idempotency_hash": identity.key_hash,
        "body_mac": identity.body_mac,
        "receipt_hash": receipt_hash(identity.receipt),
        "signal_id": signal_id,
        "organisation_id": receiver.id,
        "mailbox_key_id": key.key_id,
        "schema_version": SCHEMA_VERSION,
        "received_on": on,
        "unrouted": receiver.kind is OrganisationKind.NATIONAL,
        "redactions": redactions,
        "envelope": seal_text_to_mailbox(content, key.public_key, context),
    }


def _autocommitting(engine: Engine) -> Engine:
    """Connections for single statements, without BEGIN and COMMIT.

    On PostgreSQL a pool of its own: to switch a shared connection there and back costs as much as the INSERT,
    and every ROLLBACK on it makes psycopg forget its prepared statements.
    """
    if is_sqlite(engine):
        return single_statements(engine)
    own = create_engine(
        engine.url,
        isolation_level="AUTOCOMMIT",
        pool_reset_on_return=None,
        pool_timeout=10,
        pool_recycle=1800,
        hide_parameters=True,
        connect_args={"connect_timeout": 5},
    )
    event.listen(engine, "engine_disposed", lambda _engine: own.dispose())
    return own


class InsertStatement(NamedTuple):
    """A statement as SQL text, and the names of its values in their order.

    As text it takes half the time of the same INSERT as an expression, which also forgets its row count.
    """

    statement: str
    columns: tuple[str, ...]
    as_stored: Callable[[Any], Any]

    def run(self, execute: Callable[[str, tuple[Any, ...]], Any], row: Mapping[str, Any]) -> bool:
        """Whether it stored one; `execute` is a driver's or a connection's."""
        as_stored = self.as_stored
        values = tuple([as_stored(row[name]) for name in self.columns])
        return bool(execute(self.statement, values).rowcount == 1)


class ReportWriter(NamedTuple):
    """How a report is stored, unless its idempotency hash is known: its key and its envelope, or neither.

    On PostgreSQL one statement; SQLite has no INSERT within an INSERT and takes two in a transaction.
    """

    inserts: tuple[InsertStatement, ...]

    def run(self, execute: Callable[..., Any], row: Mapping[str, Any]) -> bool:
        """Whether the report was new; within a transaction."""
        return all(insert.run(execute, row) for insert in self.inserts)

    def run_alone(self, execute: Callable[..., Any], row: Mapping[str, Any]) -> bool:
        """The same on a connection that commits each statement."""
        if len(self.inserts) == 1:
            return self.run(execute, row)
        execute("BEGIN IMMEDIATE")
        stored = self.run(execute, row)
        execute("COMMIT")  # after an error it is left open: the pool rolls back what comes back to it
        return stored


@cache
def _for_postgresql() -> ReportWriter:
    dialect = psycopg.dialect(paramstyle="format")  # type: ignore[no-untyped-call]
    key = postgresql.insert(IdempotencyKey).values(_parameters(IdempotencyKey, _KEY))
    key = key.on_conflict_do_nothing(index_elements=["idempotency_hash"])
    stored = key.returning(IdempotencyKey.idempotency_hash).cte("stored")
    report = _parameters(SealedReport, _REPORT)
    both = postgresql.insert(SealedReport).from_select(_REPORT, select(*report.values()).select_from(stored))
    return ReportWriter((_insert(both, dialect, _as_it_is),))


@cache
def _for_sqlite() -> ReportWriter:
    key = sqlite.insert(IdempotencyKey).values(_parameters(IdempotencyKey, _KEY))
    key = key.on_conflict_do_nothing(index_elements=["idempotency_hash"])
    report = sqlite.insert(SealedReport).values(_parameters(SealedReport, _REPORT))
    dialect = pysqlite.dialect()
    return ReportWriter(tuple(_insert(each, dialect, _sqlite_value) for each in (key, report)))


def _parameters(model: type[Base], names: Iterable[str]) -> dict[str, BindParameter[Any]]:
    columns = model.__table__.c
    return {name: bindparam(name, type_=columns[name].type) for name in names}


def _insert(statement: Insert, dialect: Dialect, as_stored: Callable[[Any], Any]) -> InsertStatement:
    compiled: Any = statement.compile(dialect=dialect)
    return InsertStatement(str(compiled), tuple(compiled.positiontup), as_stored)


def _as_it_is(value: Any) -> Any:
    return value


def _sqlite_value(value: Any) -> Any:
    """A value as SQLAlchemy's types store it there."""
    if isinstance(value, uuid.UUID):
        return value.hex
    return value.isoformat() if isinstance(value, date) else value


_SQLITE_WRITERS = threading.Lock()


def _writing(engine: Engine) -> AbstractContextManager[Any]:
    """SQLite's writers stand in line, between processes too; its own busy handler sleeps and starves some."""
    return _sqlite_turn(engine.url.database) if is_sqlite(engine) else nullcontext()


@contextmanager
def _sqlite_turn(database: str | None) -> Iterator[None]:
    with _SQLITE_WRITERS:
        if not database or database == ":memory:":
            yield
            return
        lock = os.open(f"{database}.turns", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)  # and with it the turn ends


def _state_as_of(found: Row[ReceiptState, ReceiptState, date, int] | None, on: date) -> ReceiptState:
    """The state at the end of yesterday; on the day of receipt itself, `received`."""
    if found is None:
        return ReceiptState.UNKNOWN
    return ReceiptState(found.state_before if found.changed_on >= on else found.state)


_KEY: Final = ("idempotency_hash", "body_mac", "receipt_hash", "organisation_id", "received_on", "redactions")
_REPORT: Final = (
    "signal_id", "organisation_id", "mailbox_key_id", "schema_version", "received_on", "unrouted",
    "receipt_hash", "envelope",
)  # fmt: skip
_STORING: Final = {"postgresql": _for_postgresql, "sqlite": _for_sqlite}
_REPLAY_QUERY = select(
    IdempotencyKey.body_mac,
    IdempotencyKey.organisation_id,
    IdempotencyKey.received_on,
    IdempotencyKey.redactions,
).where(IdempotencyKey.idempotency_hash == bindparam("key_hash"))
_RECEIPT_QUERY = (
    select(Receipt.state, Receipt.state_before, Receipt.changed_on, literal(1).label("rank"))
    .where(Receipt.receipt_hash == bindparam("digest"))
    .union_all(
        select(
            cast(literal(ReceiptState.RECEIVED.value), String),
            cast(literal(ReceiptState.RECEIVED.value), String),
            IdempotencyKey.received_on,
            literal(2),
        ).where(IdempotencyKey.receipt_hash == bindparam("digest"))
    )
    .order_by("rank")
    .limit(1)
)
