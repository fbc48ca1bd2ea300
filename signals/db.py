"""Engines and sessions for SQLite and PostgreSQL. Nothing connects at import.

SQLite: WAL, synchronous=FULL (a receipt given is a report kept), foreign keys on, and BEGIN taken
over from the driver so that writers begin IMMEDIATE and savepoints work.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.orm import Session, sessionmaker

from privacy.patience import COMMANDS, Patience
from privacy.secret_files import make_private

SQLITE_BUSY_SECONDS = 30


def make_engine(url: str, *, pool_size: int = 5, echo: bool = False, patience: Patience = COMMANDS) -> Engine:
    """Return an engine with this project's habits; it does not connect yet.

    Statement parameters are hidden from logs and exceptions: they hold sealed content and hashes.
    `patience`: how long this kind of work waits for PostgreSQL.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite_engine(url, echo=echo)
    from privacy.postgresql import postgresql_engine  # its driver is for those who use it

    return postgresql_engine(parsed, patience, pool_size=pool_size, max_overflow=pool_size, echo=echo)


def _sqlite_engine(url: str, *, echo: bool) -> Engine:
    database = make_url(url).database
    if database and database != ":memory:":
        make_private(Path(database))
    engine = create_engine(
        url, hide_parameters=True, echo=echo, connect_args={"timeout": SQLITE_BUSY_SECONDS}
    )
    event.listen(engine, "connect", _prepare_sqlite_connection)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite_connection(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # BEGIN is ours, see _begin_sqlite
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    """Begin with IMMEDIATE, which waits: a deferred writer fails when another one wrote first."""
    options = connection.get_execution_options()
    if not options.get("sqlite_single_statements", False):
        connection.exec_driver_sql("BEGIN" if options.get("sqlite_read_only", False) else "BEGIN IMMEDIATE")


def reading(engine: Engine) -> Engine:
    """Return the pool for transactions that only read; on SQLite they wait for no writer."""
    return engine.execution_options(sqlite_read_only=True)


def ping(engine: Engine) -> None:
    """Raise the database's error when it cannot be reached."""
    with reading(engine).connect() as connection:
        connection.exec_driver_sql("SELECT 1")


def at_one_moment(engine: Engine) -> Engine:
    """Return the pool for transactions that read everything as of their first statement."""
    readers = reading(engine)
    return readers if is_sqlite(engine) else readers.execution_options(isolation_level="REPEATABLE READ")


@contextmanager
def reading_session(factory: sessionmaker[Session], readers: Engine) -> Iterator[Session]:
    """Open a session that only reads, on an engine of `reading` or `at_one_moment`.

    It ends by committing nothing, for after a ROLLBACK psycopg forgets every prepared statement.
    """
    with factory(bind=readers) as session:
        yield session
        session.expunge_all()
        session.commit()


def single_statements(engine: Engine) -> Engine:
    """Return the pool for statements that are each a transaction of their own."""
    if is_sqlite(engine):
        return engine.execution_options(sqlite_single_statements=True)
    return engine.execution_options(isolation_level="AUTOCOMMIT")


def session_factory(engine: Engine) -> sessionmaker[Session]:
    """Sessions that keep their objects after commit: views render what they committed."""
    return sessionmaker(engine, expire_on_commit=False)


def set_local(bind: Session | Connection, **values: str) -> None:
    """Set `signals.<name>` for this transaction; row-level security decides on rows by it.

    They end with the transaction, so that a pooled connection keeps none. SQLite has no such thing.
    """
    if is_sqlite(bind):
        return
    connection = bind.connection() if isinstance(bind, Session) else bind
    connection.exec_driver_sql(_setting_sql(tuple(values)), values)


@cache
def _setting_sql(names: tuple[str, ...]) -> str:
    """One statement for all, as text: to build it as an expression costs more than to run it."""
    unfit = [name for name in names if not name.isidentifier()]
    if unfit:
        raise ValueError(f"no name of a setting: {unfit[0]!r}")
    return "SELECT " + ", ".join(f"set_config('signals.{name}', %({name})s, true)" for name in names)


def driver_error(error: BaseException) -> BaseException:
    """Return the driver's error below one of SQLAlchemy, whose text holds SQL; else the error."""
    return getattr(error, "orig", None) or error


def is_sqlite(bind: Any) -> bool:
    """Whether this engine, connection or session speaks to SQLite."""
    target = bind.get_bind() if isinstance(bind, Session) else bind
    return str(target.dialect.name) == "sqlite"
