"""Store a report once, together with the row that recognises a retry."""

import fcntl
import os
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import date
from functools import cache, cached_property
from typing import Any, Final, TypeVar

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Dialect,
    Engine,
    Executable,
    Integer,
    Row,
    String,
    bindparam,
    case,
    cast,
    event,
    func,
    literal,
    literal_column,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import psycopg
from sqlalchemy.dialects.sqlite import pysqlite
from sqlalchemy.exc import DBAPIError

from privacy.patience import FRONT
from signals.db import is_sqlite, reading, single_statements
from signals.models import IdempotencyKey, Receipt, SealedReport, SpentToken, UnprovenDay
from signals.models.base import Base
from signals.vocabulary import ReceiptState

Stored = Row[bytes, uuid.UUID, date, str]
"""(MAC of the body, organisation, day of receipt, counts of redactions) of a report that came before."""

_Insert = TypeVar("_Insert", postgresql.Insert, sqlite.Insert)

ReceiptRow = Row[ReceiptState, ReceiptState, date, int]
"""(state, state before, day of the change, rank) of a receipt."""


@dataclass(frozen=True, kw_only=True)
class ReportWriter:
    """The SQL that stores a report with its idempotency key and its admission, or none of them.

    The admission spends a token, or takes a place in the lane for reports without one. It breaks a constraint
    when the token was spent or the lane is full, so that the database stores nothing.
    PostgreSQL takes one statement, which needs no transaction around it. SQLite has no INSERT within an
    INSERT and takes two. SQL text costs half the time of an expression.
    """

    statements: tuple[str, ...]
    as_stored: Callable[[Any], Any]

    def write(self, connection: Connection, row: Mapping[str, Any]) -> bool:
        """Return whether the report was new."""
        values = {name: self.as_stored(value) for name, value in row.items()}
        return all(connection.exec_driver_sql(text, values).rowcount == 1 for text in self.statements)

    def explain(self, connection: Connection) -> None:
        """Let the database plan the statements without running them; raise its error when it cannot."""
        for text in self.statements:
            connection.exec_driver_sql(f"EXPLAIN {text}", dict.fromkeys(_ALL))


@dataclass(frozen=True)
class ReportStore:
    """The tables of the public side: reports, idempotency keys and receipts; one store a process."""

    engine: Engine
    in_transaction: bool = False
    """Whether `begin` is more than the bounds of one statement, as for the demo."""

    def add(self, row: Mapping[str, Any]) -> bool:
        """Store a report with its key and its admission, all or nothing; return whether it is new.

        A row with `nonce_hash` and `week` spends that token; one with `most` takes one of so many places.
        Raises SQLAlchemy's `IntegrityError` when a column that must be unique is known or no place is left.
        """
        writer = _WRITERS[self.engine.dialect.name](proven="nonce_hash" in row)
        if not (self.in_transaction or is_sqlite(self.engine)):
            return self._add_alone(writer, row)
        with _turn_to_write(self.engine), self.engine.begin() as connection:
            return writer.write(connection, row)

    def _add_alone(self, writer: ReportWriter, row: Mapping[str, Any]) -> bool:
        """Store a report by one statement that commits itself; send it again over a lost connection.

        The row is stored once, however often the statement is sent.
        """
        try:
            with self._autocommit.connect() as connection:
                return writer.write(connection, row)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
        with self._autocommit.connect() as connection:
            return writer.write(connection, row)

    def find(self, key_hash: bytes) -> Stored | None:
        """Return what an earlier report left under this hash of its idempotency key.

        The answer may be given: what the row says is on every server that a commit waits for.
        """
        query = _EARLIER if is_sqlite(self.engine) else _EARLIER_AND_REPLICATED
        with self.readers.connect() as connection:
            return connection.execute(query, {"key_hash": key_hash}).first()

    def receipt(self, digest: bytes) -> ReceiptRow | None:
        """Return a receipt by its hash, or the key of a report that waits.

        The query is the same whatever it finds, so that the time of the answer tells nothing.
        """
        with self.readers.connect() as connection:
            return connection.execute(_RECEIPT, {"digest": digest}).first()

    def check(self) -> None:
        """Raise the database's error when no report could be stored; store nothing.

        Planning fails where a table, a column or a right of the front's role is missing.
        """
        with self.readers.connect() as connection:
            for proven in (True, False):
                _WRITERS[self.engine.dialect.name](proven=proven).explain(connection)

    @cached_property
    def readers(self) -> Engine:
        """Connections for single queries, which wait for no writer."""
        return reading(self._autocommit)

    @cached_property
    def _autocommit(self) -> Engine:
        """Connections for single statements, without BEGIN and COMMIT.

        PostgreSQL gets a pool of its own. Switching a shared connection costs as much as the INSERT, and a
        ROLLBACK makes psycopg forget its prepared statements.
        """
        if is_sqlite(self.engine):
            return single_statements(self.engine)
        from privacy.postgresql import postgresql_engine  # its driver is for those who use it

        own = postgresql_engine(
            self.engine.url, FRONT, isolation_level="AUTOCOMMIT", pool_reset_on_return=None
        )
        event.listen(self.engine, "engine_disposed", lambda _engine: own.dispose())
        return own


@cache
def _for_postgresql(*, proven: bool) -> ReportWriter:
    key = postgresql.insert(IdempotencyKey).values(_parameters(IdempotencyKey, _KEY))
    key = key.on_conflict_do_nothing(index_elements=["idempotency_hash"])
    stored = key.returning(IdempotencyKey.idempotency_hash).cte("stored")
    table, values = _admission(proven)
    new = select(*values.values()).select_from(stored)
    admission = _counted(postgresql.insert(table).from_select(list(values), new), proven)
    admitted = admission.returning(_ONE.label("one")).cte("admitted")
    report = _parameters(SealedReport, _REPORT)
    all_three = postgresql.insert(SealedReport).from_select(
        _REPORT, select(*report.values()).select_from(admitted)
    )
    dialect = psycopg.dialect()  # type: ignore[no-untyped-call]
    return ReportWriter(statements=(_text(all_three, dialect),), as_stored=lambda value: value)


@cache
def _for_sqlite(*, proven: bool) -> ReportWriter:
    key = sqlite.insert(IdempotencyKey).values(_parameters(IdempotencyKey, _KEY))
    key = key.on_conflict_do_nothing(index_elements=["idempotency_hash"])
    report = sqlite.insert(SealedReport).values(_parameters(SealedReport, _REPORT))
    table, values = _admission(proven)
    admission = _counted(sqlite.insert(table).values(values), proven)
    dialect = pysqlite.dialect(paramstyle="named")
    statements = tuple(_text(statement, dialect) for statement in (key, admission, report))
    return ReportWriter(statements=statements, as_stored=_sqlite_value)


def _admission(proven: bool) -> tuple[type[Base], dict[str, ColumnElement[Any]]]:
    """Return the table that admits a report, and the values of its new row."""
    if proven:
        return SpentToken, dict(_parameters(SpentToken, ("nonce_hash", "week")))
    of_report = _parameters(SealedReport, ("organisation_id", "received_on"))
    place = {"organisation_id": of_report["organisation_id"], "day": of_report["received_on"]}
    return UnprovenDay, {**place, "number": _ONE}


def _counted(admission: _Insert, proven: bool) -> _Insert:
    """Let a place of a day count on; past the most it becomes null, which the column refuses."""
    if proven:
        return admission
    number = UnprovenDay.number
    within = number < bindparam("most", type_=Integer())
    return admission.on_conflict_do_update(
        index_elements=["organisation_id", "day"], set_={"number": case((within, number + _ONE))}
    )


def _parameters(model: type[Base], names: Iterable[str]) -> dict[str, BindParameter[Any]]:
    columns = model.__table__.c
    return {name: bindparam(name, type_=columns[name].type) for name in names}


def _text(statement: Executable, dialect: Dialect) -> str:
    return str(statement.compile(dialect=dialect))  # type: ignore[attr-defined]


def _sqlite_value(value: Any) -> Any:
    """Return a value as SQLAlchemy's types store it in SQLite."""
    if isinstance(value, uuid.UUID):
        return value.hex
    return value.isoformat() if isinstance(value, date) else value


_SQLITE_WRITERS = threading.Lock()


def _turn_to_write(engine: Engine) -> AbstractContextManager[Any]:
    """Queue the writers of SQLite, between processes too: its own busy handler sleeps and starves some."""
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
            os.close(lock)  # which ends the turn


_ONE: Final = literal_column("1", Integer)
_KEY: Final = (
    "idempotency_hash", "body_mac", "receipt_hash", "organisation_id", "received_on", "redactions",
    "from_phone",
)  # fmt: skip
_REPORT: Final = (
    "signal_id", "organisation_id", "mailbox_key_id", "schema_version", "received_on", "unrouted",
    "receipt_hash", "profession", "envelope",
)  # fmt: skip
_ALL: Final = (*_KEY, *_REPORT, "nonce_hash", "week", "most")
_WRITERS: Final = {"postgresql": _for_postgresql, "sqlite": _for_sqlite}
_EARLIER = select(
    IdempotencyKey.body_mac,
    IdempotencyKey.organisation_id,
    IdempotencyKey.received_on,
    IdempotencyKey.redactions,
).where(IdempotencyKey.idempotency_hash == bindparam("key_hash"))
# A primary that was restarted shows rows that its standby never got. An empty message in the write-ahead log
# makes the query's own commit wait for the standby, and so for all that was written before.
_EARLIER_AND_REPLICATED = _EARLIER.add_columns(func.pg_logical_emit_message(True, "signals", ""))
_RECEIPT = (
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
