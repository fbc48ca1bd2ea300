"""Share compiled SQL between the engines of a test process.

In production one engine lives as long as its process and compiles each statement once. A test has up to four
engines of its own: without sharing, compiling takes a quarter of the CPU.
"""

from sqlalchemy import Connection, Engine, event
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache


class _OfOneClass:
    """A dialect that equals any other of its class; the dialect is a part of a statement's key."""

    supports_statement_cache = True

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    def __hash__(self) -> int:
        return hash(type(self))


class SharedSQLite(_OfOneClass, SQLiteDialect_pysqlite):
    """SQLite, as all engines of the tests speak it."""

    supports_statement_cache = True


class SharedPostgreSQL(_OfOneClass, PGDialect_psycopg):
    """PostgreSQL, as all engines of the tests speak it."""

    supports_statement_cache = True


def share_compiled_statements() -> None:
    """Let every engine look in one cache, by dialects that SQLAlchemy's registry finds first."""
    for name in ("sqlite", "sqlite.pysqlite"):
        registry.register(name, __name__, "SharedSQLite")
    for name in ("postgresql", "postgresql.psycopg"):
        registry.register(name, __name__, "SharedPostgreSQL")
    compiled = LRUCache[object, object](2_000)

    @event.listens_for(Engine, "engine_connect")
    def look_there(connection: Connection) -> None:
        connection.execution_options(compiled_cache=compiled)
