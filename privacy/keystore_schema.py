"""The keystore's own tables (Core, no ORM) and its own engine, apart from the database on purpose."""

import sqlite3
from pathlib import Path
from typing import Any, Final

from sqlalchemy import (
    Column,
    Connection,
    Date,
    Engine,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    Uuid,
    create_engine,
    event,
)
from sqlalchemy.engine import URL, make_url

from privacy.patience import JOBS, Patience
from privacy.secret_files import make_private

SQLITE_WAIT_SECONDS: Final = 30
READ_ONLY: Final = "keystore_read_only"

keystore_metadata: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

master_versions: Final = Table(
    "master_versions",
    keystore_metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("wrapped", LargeBinary, nullable=False),  # a known text: tells whether a master key is the one
)

mailbox_keys: Final = Table(
    "mailbox_keys",
    keystore_metadata,
    Column("key_id", Uuid, primary_key=True),
    Column("organisation_id", Uuid, nullable=False),
    Column("week", Date, nullable=False),  # its Monday
    Column("public_key", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    UniqueConstraint("organisation_id", "week"),
)

case_keys: Final = Table(
    "case_keys",
    keystore_metadata,
    Column("key_id", Uuid, primary_key=True),
    Column("created_on", Date, nullable=False, index=True),  # no time finer than a date
    Column("wrapped", LargeBinary, nullable=False),
    Column("summary", LargeBinary, nullable=False),  # the wrapped key of what a list shows, and of no more
    sqlite_with_rowid=False,  # rowids would keep the order of arrival
)

pseudonym_keys: Final = Table(
    "pseudonym_keys",
    keystore_metadata,
    Column("organisation_id", Uuid, primary_key=True),  # who uses the key
    Column("origin_id", Uuid, primary_key=True),  # who it was made for: another one after a merger
    Column("quarter", String(7), primary_key=True),
    Column("wrapped", LargeBinary, nullable=False),
)

secrets_table: Final = Table(
    "secrets",
    keystore_metadata,
    Column("name", String(64), primary_key=True),
    Column("wrapped", LargeBinary, nullable=False),
)


def keystore_engine(url: str, patience: Patience = JOBS) -> Engine:
    """Return an engine that is fit for keys: SQLite (file of mode 0600) or PostgreSQL by psycopg 3.

    Creates the file and its folder; connects to nothing. Errors of this engine never quote values.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        from privacy.postgresql import postgresql_engine  # its driver is for those who use it

        return postgresql_engine(parsed, patience, pool_size=4, max_overflow=4)
    _private_file(parsed)
    engine = create_engine(parsed, hide_parameters=True, connect_args={"timeout": SQLITE_WAIT_SECONDS})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def checkpoint_sqlite(engine: Engine) -> None:
    """Empty SQLite's write-ahead log, where changed pages live on; does nothing on PostgreSQL.

    A reader may hold it back: then the next checkpoint does it.
    """
    if engine.dialect.name != "sqlite":
        return
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute("PRAGMA busy_timeout = 250")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        cursor.execute(f"PRAGMA busy_timeout = {SQLITE_WAIT_SECONDS * 1000}")
    finally:
        connection.close()


def _private_file(url: URL) -> None:
    if not url.database or url.database == ":memory:":
        return
    make_private(Path(url.database))


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # BEGIN is ours (`_begin_sqlite`)
    cursor = connection.cursor()
    cursor.execute("PRAGMA secure_delete = ON")  # zeros over deleted keys
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA temp_store = MEMORY")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A deferred transaction that turns into a writer fails with "database is locked" instead of waiting.
    read_only = connection.get_execution_options().get(READ_ONLY, False)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")
