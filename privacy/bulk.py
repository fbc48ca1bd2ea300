"""Many rows in one INSERT: on PostgreSQL as arrays in its binary form, elsewhere as SQLAlchemy does it.

Made for arrival: no row becomes a dictionary, no value is bound by itself, and the statement is the same
whatever the number of rows, so that it stays prepared.
"""

import json
import struct
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Date,
    DateTime,
    Integer,
    LargeBinary,
    Select,
    String,
    Table,
    Uuid,
    bindparam,
    func,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.types import NULLTYPE, TypeDecorator, TypeEngine

Columns = Mapping[str, Sequence[Any]]

_NULL: Final = b"\xff\xff\xff\xff"
_DAY_ZERO: Final = date(2000, 1, 1).toordinal()  # from where PostgreSQL counts days and microseconds
_MOMENT_ZERO: Final = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_number: Final = struct.Struct(">i").pack
_long_number: Final = struct.Struct(">q").pack
_head: Final = struct.Struct(">iiIii").pack


def insert_many(
    connection: Connection,
    table: Table,
    columns: Columns,
    same: Mapping[str, Any] | None = None,
    *,
    unless: tuple[str, ...] | None = None,
) -> int:
    """Insert rows that are given as columns of one length, by the columns' names; returns how many are new.

    `same`: the columns that have one value in all rows. Columns in neither become null. `unless`: the columns
    of a unique constraint by which rows that exist are left out (empty: of any, which asks for no right to
    see them); without it the database raises `IntegrityError` for them and nothing is stored.
    """
    if not next(iter(columns.values())):
        return 0
    insert_into = _insert_arrays if connection.dialect.name == "postgresql" else _insert_rows
    return insert_into(connection, table, columns, same or {}, unless)


@contextmanager
def pipelined(connection: Connection) -> Iterator[None]:
    """While it lasts, statements without rows go to PostgreSQL without waiting until each is done.

    So it works on one while the next is made here. The end waits for all: there an error shows at the latest,
    as psycopg's own. No rows can be read in between.
    """
    if connection.dialect.name != "postgresql":
        yield
        return
    with connection.connection.driver_connection.pipeline():  # type: ignore[union-attr]
        yield


def fetch_all(connection: Connection, query: Select[*tuple[Any, ...]]) -> Sequence[tuple[Any, ...]]:
    """The rows of a query; from PostgreSQL in binary form, for as text sealed bytes are twice as long."""
    if connection.dialect.name != "postgresql":
        return [tuple(row) for row in connection.execute(query)]
    compiled = query.compile(connection)
    cursor = connection.connection.driver_connection.cursor(binary=True)  # type: ignore[union-attr]
    rows: Sequence[tuple[Any, ...]] = cursor.execute(compiled.string, compiled.params).fetchall()
    return rows


def among(column: ColumnElement[Any], values: Collection[Any], connection: Connection) -> ColumnElement[bool]:
    """The condition that a column has one of these values, for a query on this connection.

    On PostgreSQL one parameter, whatever their number; SQLite takes 32,766 values at most.
    """
    if connection.dialect.name != "postgresql":
        return column.in_(values)
    array = _array_parameter(connection)(_element(column.type).array(list(values)))
    return column == func.any(bindparam(None, array, unique=True, type_=NULLTYPE))


def array_of_numbers(connection: Connection, values: Sequence[bytes]) -> Any:
    """A parameter for `%b::bigint[]` of PostgreSQL: each value is 8 bytes, read as a signed number."""
    return _array_parameter(connection)(_BIGINT.array(values))


@dataclass(frozen=True, slots=True)
class _Element:
    """A type of PostgreSQL: its name, its object id (fixed in its sources) and the binary form of a value."""

    name: str
    oid: int
    encode: Callable[[Any], bytes]

    def array(self, values: Sequence[Any], *, nullable: bool = False) -> bytes:
        """The binary form of a one-dimensional array; None only where it is `nullable`."""
        head = _head(1, int(nullable), self.oid, len(values), 1)
        if nullable:
            return head + b"".join([_NULL if v is None else _sized(self.encode(v)) for v in values])
        data = values if self.encode is _as_it_is else [*map(self.encode, values)]
        if len(set(map(len, data))) == 1:
            size = _number(len(data[0]))
            return head + size + size.join(data)
        return head + b"".join([*map(_sized, data)])


def _insert_arrays(
    connection: Connection,
    table: Table,
    columns: Columns,
    same: Mapping[str, Any],
    unless: tuple[str, ...] | None,
) -> int:
    array = _array_parameter(connection)
    # In the order in which the statement mentions them.
    given = [*columns.items(), *((name, [value]) for name, value in same.items())]
    parameters = tuple(array(_packed(table.c[name], values)) for name, values in given)
    statement = _insert_statement(table, tuple(columns), tuple(same), unless)
    return connection.exec_driver_sql(statement, parameters).rowcount


def _insert_rows(
    connection: Connection,
    table: Table,
    columns: Columns,
    same: Mapping[str, Any],
    unless: tuple[str, ...] | None,
) -> int:
    rows = [dict(zip(columns, row, strict=True)) | dict(same) for row in zip(*columns.values(), strict=True)]
    statement = sqlite.insert(table)
    if unless is not None:
        statement = statement.on_conflict_do_nothing(index_elements=unless or None)
    return connection.execute(statement, rows, execution_options={"preserve_rowcount": True}).rowcount


def _array_parameter(connection: Connection) -> Callable[[bytes], Any]:
    """What marks bytes as an array in binary form for this connection's driver."""
    wrapper, dumper = _wrapper_and_dumper()
    adapters = connection.connection.driver_connection.adapters  # type: ignore[union-attr]
    adapters.register_dumper(wrapper, dumper)
    return wrapper


@cache
def _wrapper_and_dumper() -> tuple[type[Any], type[Any]]:
    # Imported late: whoever stays with SQLite starts without it.
    from psycopg.adapt import Dumper
    from psycopg.pq import Format

    class Array:
        """The binary form of an array; its type is the one that the statement names."""

        __slots__ = ("data",)

        def __init__(self, data: bytes) -> None:
            self.data = data

    class ArrayDumper(Dumper):
        format = Format.BINARY

        def dump(self, obj: Array) -> bytes:
            return obj.data

    return Array, ArrayDumper


@cache
def _insert_statement(
    table: Table, columns: tuple[str, ...], same: tuple[str, ...], unless: tuple[str, ...] | None
) -> str:
    quote = postgresql.dialect().identifier_preparer.quote  # type: ignore[no-untyped-call]
    names = ", ".join(quote(name) for name in (*columns, *same))
    arrays = [f"unnest(%b::{_element(table.c[name].type).name}[])" for name in columns]
    values = [f"(%b::{_element(table.c[name].type).name}[])[1]" for name in same]
    arbiter = f" ({', '.join(map(quote, unless))})" if unless else ""
    known = "" if unless is None else f" ON CONFLICT{arbiter} DO NOTHING"
    return (
        f"INSERT INTO {table.name} ({names}) "
        f"SELECT {', '.join(arrays + values)}{known}"  # in the list, where no row is put aside in between
    )


def _packed(column: Column[Any], values: Sequence[Any]) -> bytes:
    return _element(column.type).array(values, nullable=bool(column.nullable))


@cache
def _element(kind: TypeEngine[Any]) -> _Element:
    if isinstance(kind, TypeDecorator):
        kind = kind.impl_instance
    return next(element for types, element in _ELEMENTS.items() if isinstance(kind, types))


def _sized(data: bytes) -> bytes:
    return _number(len(data)) + data


def _as_it_is(value: bytes) -> bytes:
    return value


def _text(value: str) -> bytes:
    return value.encode()  # of an enumeration, too: its members are text


@cache
def _day(value: date) -> bytes:
    return _number(value.toordinal() - _DAY_ZERO)


def _moment(value: datetime) -> bytes:
    return _long_number((value - _MOMENT_ZERO) // _MICROSECOND)


def _truth(value: bool) -> bytes:
    return b"\1" if value else b"\0"


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


_BIGINT: Final = _Element("bigint", 20, _as_it_is)
_ELEMENTS: Final[Mapping[type[Any], _Element]] = {
    Uuid: _Element("uuid", 2950, attrgetter("bytes")),
    LargeBinary: _Element("bytea", 17, _as_it_is),
    DateTime: _Element("timestamptz", 1184, _moment),
    Date: _Element("date", 1082, _day),
    Boolean: _Element("boolean", 16, _truth),
    Integer: _Element("integer", 23, _number),
    JSON: _Element("json", 114, _json),
    String: _Element("text", 25, _text),
}
