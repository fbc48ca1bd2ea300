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
from typing import Any, Final

from sqlalchemy import (
    BindParameter,
    Connection,
    Dialect,
    Engine,
    Executable,
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
from sqlalchemy.exc import DBAPIError

from signals.db import is_sqlite, reading, single_statements
from signals.models import IdempotencyKey, Receipt, SealedReport
from signals.models.base import Base
from signals.vocabulary import ReceiptState

Authorisation = Callable[[Connection], None]
"""A check that runs inside the storing transaction and raises to refuse (the seam for tokens)."""

Stored = Row[bytes, uuid.UUID, date, str]
"""(MAC of the body, organisation, day of receipt, counts of redactions) of a report that came before."""

ReceiptRow = Row[ReceiptState, ReceiptState, date, int]
"""(state, state before, day of the change, rank) of a receipt."""


@dataclass(frozen=True, kw_only=True)
class ReportWriter:
    """The SQL that stores a report with its idempotency key, or neither of them.

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
            connection.exec_driver_sql(f"EXPLAIN {text}", dict.fromkeys(_KEY + _REPORT))


@dataclass(frozen=True)
class ReportStore:
    """The tables of the public side: reports, idempotency keys and receipts; one store a process."""

    engine: Engine

    def add(self, row: Mapping[str, Any], authorise: Authorisation | None = None) -> bool:
        """Store a report and its idempotency key, both or neither; return whether the key was new.

        Raises SQLAlchemy's `IntegrityError` when another column that must be unique is known.
        """
        writer = _WRITERS[self.engine.dialect.name]()
        if authorise is None and not is_sqlite(self.engine):
            return self._add_alone(writer, row)
        with _turn_to_write(self.engine), self.engine.begin() as connection:
            if authorise is not None:
                authorise(connection)
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
        """Return what an earlier report left under this hash of its idempotency key."""
        with self.readers.connect() as connection:
            return connection.execute(_EARLIER, {"key_hash": key_hash}).first()

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
            _WRITERS[self.engine.dialect.name]().explain(connection)

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
        own = create_engine(
            self.engine.url,
            isolation_level="AUTOCOMMIT",
            pool_reset_on_return=None,
            pool_timeout=10,
            pool_recycle=1800,
            hide_parameters=True,
            connect_args={"connect_timeout": 5},
        )
        event.listen(self.engine, "engine_disposed", lambda _engine: own.dispose())
        return own


@cache
def _for_postgresql() -> ReportWriter:
    key = postgresql.insert(IdempotencyKey).values(_parameters(IdempotencyKey, _KEY))
    key = key.on_conflict_do_nothing(index_elements=["idempotency_hash"])
    stored = key.returning(IdempotencyKey.idempotency_hash).cte("stored")
    report = _parameters(SealedReport, _REPORT)
    both = postgresql.insert(SealedReport).from_select(_REPORT, select(*report.values()).select_from(stored))
    dialect = psycopg.dialect()  # type: ignore[no-untyped-call]
    return ReportWriter(statements=(_text(both, dialect),), as_stored=lambda value: value)


@cache
def _for_sqlite() -> ReportWriter:
    key = sqlite.insert(IdempotencyKey).values(_parameters(IdempotencyKey, _KEY))
    key = key.on_conflict_do_nothing(index_elements=["idempotency_hash"])
    report = sqlite.insert(SealedReport).values(_parameters(SealedReport, _REPORT))
    dialect = pysqlite.dialect(paramstyle="named")
    return ReportWriter(statements=(_text(key, dialect), _text(report, dialect)), as_stored=_sqlite_value)


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


_KEY: Final = (
    "idempotency_hash", "body_mac", "receipt_hash", "organisation_id", "received_on", "redactions",
    "from_phone",
)  # fmt: skip
_REPORT: Final = (
    "signal_id", "organisation_id", "mailbox_key_id", "schema_version", "received_on", "unrouted",
    "receipt_hash", "from_phone", "envelope",
)  # fmt: skip
_WRITERS: Final = {"postgresql": _for_postgresql, "sqlite": _for_sqlite}
_EARLIER = select(
    IdempotencyKey.body_mac,
    IdempotencyKey.organisation_id,
    IdempotencyKey.received_on,
    IdempotencyKey.redactions,
).where(IdempotencyKey.idempotency_hash == bindparam("key_hash"))
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
