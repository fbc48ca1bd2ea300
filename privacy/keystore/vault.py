"""The base of every kind of key: transactions, the master key, and the rows that it opens."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from operator import attrgetter
from typing import Any, Final, Self
from uuid import UUID

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Row,
    Select,
    Table,
    bindparam,
    delete,
    func,
    inspect,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import OperationalError, ProgrammingError
from structlog import get_logger

from privacy.bulk import among
from privacy.keystore.errors import KeyRefused, KeystoreEmpty, KeystoreNotOwned, WrongMasterKey
from privacy.keystore.wrapping import BOUND, Master, bound_values
from privacy.keystore_schema import READ_ONLY, checkpoint_sqlite, keystore_metadata, master_versions

CHUNK: Final = 1000
REWRITE_LOCK_SECONDS: Final = 2
"""How long a table that is written anew may hold up others while it waits for its turn."""
_MASTER_CHECK: Final = b"signals/keystore/master/v1"

log = get_logger(__name__)


class Vault:
    """An engine and a master key; every method is one transaction and may be called from any thread."""

    def __init__(self, engine: Engine, master_key: bytes) -> None:
        self._engine = engine
        self._master = Master(master_key)
        self._known_check: bytes | None = None

    def create_schema(self) -> None:
        """Make the tables that do not exist yet and bind a new keystore to this master key."""
        with self._engine.begin() as connection:
            keystore_metadata.create_all(connection)
            self._require_master(connection)

    def ping(self) -> None:
        """Raise `WrongMasterKey`, `KeystoreEmpty` or the database's own error when it cannot be used."""
        try:
            with self._reading() as connection:
                row = connection.execute(select(master_versions)).one_or_none()
        except (OperationalError, ProgrammingError):
            if not self.was_made():
                raise KeystoreEmpty from None
            raise
        if row is None:
            raise KeystoreEmpty
        if not self._fits(row):
            raise WrongMasterKey

    def was_made(self) -> bool:
        """Whether there is a keystore here, under whichever master key."""
        with self._reading() as connection:
            return inspect(connection).has_table(master_versions.name)

    def counts(self) -> dict[str, int]:
        """Return how many rows each table holds, for health pages and metrics."""
        with self._reading() as connection:
            return {
                table.name: connection.scalar(select(func.count()).select_from(table)) or 0
                for table in keystore_metadata.sorted_tables
            }

    def dispose(self) -> None:
        """Close the engine's connections."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_problem: object) -> None:
        self.dispose()

    def rewrap(self, new_master_key: bytes) -> int:
        """Wrap everything under a new master key, in one transaction; returns how many values.

        After it the old master key opens nothing here, and neither it nor what is left of old rows in backups
        opens anything once the old key is destroyed. Other processes must restart with the new key: until
        then they raise `WrongMasterKey`. A damaged value stays as it is.
        """
        new = Master(new_master_key)
        with self._writing(rotating=True) as connection:
            count = sum(self._rewrap_column(connection, column, new) for column in BOUND)
            version = connection.scalars(select(master_versions.c.version)).one() + 1
            check = new.wrap(_MASTER_CHECK, master_versions.c.wrapped, version)
            connection.execute(update(master_versions).values(version=version, wrapped=check))
        self._master, self._known_check = new, check
        self._forget_opened()
        checkpoint_sqlite(self._engine)
        return count

    def rewrite(self) -> int:
        """Write each table anew, so that destroyed keys leave the files of PostgreSQL; return how many.

        There a deleted row stays until its place is used again. SQLite writes zeros over it at once.
        Raises SQLAlchemy's `OperationalError` for a table in use, `KeystoreNotOwned` for another role's.
        """
        if self._engine.dialect.name == "sqlite":
            return 0
        tables = keystore_metadata.sorted_tables
        with self._engine.connect() as pooled:
            connection = pooled.execution_options(isolation_level="AUTOCOMMIT")
            try:
                connection.exec_driver_sql(f"SET lock_timeout = '{REWRITE_LOCK_SECONDS}s'")
                for table in tables:
                    file = _file_of(connection, table)
                    connection.exec_driver_sql(f"VACUUM FULL {table.name}")
                    if _file_of(connection, table) == file:  # PostgreSQL warns only
                        raise KeystoreNotOwned
            finally:
                connection.invalidate()  # and its limit with it
        return len(tables)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with self._engine.connect() as connection:
            yield connection.execution_options(**{READ_ONLY: True})
            connection.commit()  # after a ROLLBACK psycopg forgets every prepared statement

    @contextmanager
    def _writing(self, *, rotating: bool = False) -> Iterator[Connection]:
        with self._engine.begin() as connection:
            self._require_master(connection, rotating=rotating)
            yield connection

    def _require_master(self, connection: Connection, *, rotating: bool = False) -> None:
        # Held until the commit: nothing may be wrapped under a master key that is being replaced. (SQLite
        # has no row locks and needs none: it has one writer.)
        query = select(master_versions).with_for_update(read=not rotating)
        row = connection.execute(query).one_or_none()
        if row is None:
            first = {"version": 1, "wrapped": self._master.wrap(_MASTER_CHECK, master_versions.c.wrapped, 1)}
            insert_if_absent(connection, master_versions, [first])
            row = connection.execute(query).one()
        if not self._fits(row):
            raise WrongMasterKey

    def _fits(self, row: Row[Any]) -> bool:
        if row.wrapped == self._known_check:
            return True
        try:
            fits = self._master.unwrap(row.wrapped, master_versions.c.wrapped, row.version) == _MASTER_CHECK
        except KeyRefused:
            return False
        self._known_check = row.wrapped
        return fits

    def _opened_by_id(
        self, column: Column[bytes], key_ids: Iterable[UUID]
    ) -> Iterator[tuple[Row[Any], bytes]]:
        pages = chunks(set(key_ids))
        if not pages:
            return iter(())
        query = _by_id(column)
        with self._reading() as connection:
            rows = [row for chunk in pages for row in connection.execute(query, {"key_ids": chunk})]
        return self._readable(column, rows)

    def _readable(self, column: Column[bytes], rows: Iterable[Row[Any]]) -> Iterator[tuple[Row[Any], bytes]]:
        """Yield the rows whose value opens, and log each other one: it hurts nobody else.

        Raises `WrongMasterKey` when the rows are right, and this master key is wrong.
        """
        checked = False
        for row in rows:
            try:
                yield row, self._opened(column, row)
            except KeyRefused:
                if not checked:
                    self.ping()
                    checked = True
                ids = {name: str(value) for name, value in row._mapping.items() if name.endswith("_id")}
                log.error("keystore.key_damaged", table=column.table.name, **ids)

    def _opened(self, column: Column[bytes], row: Row[Any]) -> bytes:
        return self._master.unwrap(row.wrapped, column, *bound_values(column, row))

    def _destroy_by_id(self, table: Table, key_ids: Iterable[UUID]) -> int:
        pages = chunks(set(key_ids))
        if not pages:
            return 0
        with self._writing() as connection:
            count = sum(
                connection.execute(delete(table).where(among(connection, table.c.key_id, chunk))).rowcount
                for chunk in pages
            )
        checkpoint_sqlite(self._engine)
        return count

    def _ids(self, query: Select[tuple[UUID]]) -> list[UUID]:
        with self._reading() as connection:
            return list(connection.scalars(query))

    def _rewrap_column(self, connection: Connection, column: Column[bytes], new: Master) -> int:
        bound, table = BOUND[column], column.table
        changes = [
            {f"of_{name}": value for name, value in zip(bound, row, strict=False)}
            | {"rewrapped": new.wrap(value, column, *bound_values(column, row))}
            for row, value in self._readable(column, connection.execute(_with_place(column)).all())
        ]
        if not changes:
            return 0
        matched = (table.c[name] == bindparam(f"of_{name}") for name in bound)
        change = update(table).where(*matched).values({column: bindparam("rewrapped")})
        connection.execute(change, changes)
        return len(changes)

    def _forget_opened(self) -> None:
        """Drop what is kept opened in memory; kinds of keys that keep something say so."""


def _file_of(connection: Connection, table: Table) -> int:
    return int(connection.exec_driver_sql(f"SELECT pg_relation_filenode('{table.name}')").scalar_one())


@cache
def _by_id(column: Column[bytes]) -> Select[Any]:
    """Build the query once: every opening runs it."""
    return _with_place(column).where(column.table.c.key_id.in_(bindparam("key_ids", expanding=True)))


@cache
def _with_place(column: Column[bytes]) -> Select[Any]:
    """Select the columns that a wrapped value is bound to, and the value as `wrapped`."""
    return select(*(column.table.c[name] for name in BOUND[column]), column.label("wrapped"))


def insert_if_absent(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows; one whose primary or unique key exists is left out.

    Several must come sorted: two writers of the same ones would deadlock otherwise.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(postgresql.insert(table).on_conflict_do_nothing(), rows)
    else:
        connection.execute(sqlite.insert(table).on_conflict_do_nothing(), rows)


def chunks(ids: Collection[UUID]) -> list[list[UUID]]:
    """Ids in pages of at most `CHUNK`, in order of id."""
    ordered = sorted(ids, key=attrgetter("int"))  # five times as fast as by the ids' own order, and the same
    return [ordered[start : start + CHUNK] for start in range(0, len(ordered), CHUNK)]
