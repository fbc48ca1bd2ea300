"""Compiled SQL shared by the engines of a test process.

In production one engine lives as long as its process and compiles each statement once. A test has an engine,
and often four, of its own: compiling anew took a tenth of all tests.
"""

from sqlalchemy import Connection, Dialect, Engine, event
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache


def share_compiled_statements() -> None:
    """Let every engine look in one cache: a statement is found by what it says and for which database."""
    compiled = LRUCache[object, object](2_000)

    @event.listens_for(Engine, "engine_connect")
    def look_there(connection: Connection) -> None:
        connection.execution_options(compiled_cache=compiled)

    for dialect in (SQLiteDialect_pysqlite, PGDialect_psycopg):
        # A dialect of an engine is a part of the key; all of one class are made alike here.
        dialect.__eq__ = _of_one_class  # type: ignore[method-assign]
        dialect.__hash__ = _by_class  # type: ignore[method-assign]


def _of_one_class(one: Dialect, other: object) -> bool:
    return type(one) is type(other)


def _by_class(one: Dialect) -> int:
    return hash(type(one))
