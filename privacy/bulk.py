"""Insert or find many rows with one statement: by arrays on PostgreSQL, by SQLAlchemy's own means elsewhere.

On PostgreSQL the statement is the same for any number of rows, so it stays prepared.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import ARRAY, JSON, Column, ColumnElement, Connection, String, Table, any_, literal
from sqlalchemy.dialects import postgresql, sqlite

Columns = Mapping[str, Sequence[Any]]
"""Values by the name of their column; all sequences have one length."""


def among(connection: Connection, column: ColumnElement[Any], values: Iterable[Any]) -> ColumnElement[bool]:
    """Return the condition that a column has one of many values: `IN` costs a parameter for each."""
    if connection.dialect.name != "postgresql":
        return column.in_(list(values))
    return column == any_(literal(list(values), ARRAY(column.type)))


def insert_many(
    connection: Connection,
    table: Table,
    columns: Columns,
    same: Mapping[str, Any] | None = None,
    *,
    unless: tuple[str, ...] | None = None,
) -> int:
    """Insert rows that are given as columns; return how many are new.

    `same` holds the columns with one value in all rows. Columns in neither become null. `unless` names the
    unique constraint by which rows that exist are left out; empty, it stands for any constraint and asks
    for no right to read them. Without it the database raises `IntegrityError` and stores nothing.
    """
    if not next(iter(columns.values())):
        return 0
    insert_into = _insert_arrays if connection.dialect.name == "postgresql" else _insert_rows
    return insert_into(connection, table, columns, same or {}, unless)


def _insert_arrays(
    connection: Connection,
    table: Table,
    columns: Columns,
    same: Mapping[str, Any],
    unless: tuple[str, ...] | None,
) -> int:
    # A column of nulls alone tells psycopg no type; left out, it becomes null as well.
    arrays = {name: values for name, values in columns.items() if any(value is not None for value in values)}
    statement = _insert_statement(table, tuple(arrays), tuple(same), unless)
    parameters = [_plain(table.c[name], values) for name, values in arrays.items()]
    parameters += [_plain(table.c[name], [value])[0] for name, value in same.items()]
    return connection.exec_driver_sql(statement, tuple(parameters)).rowcount


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


@cache
def _insert_statement(
    table: Table, arrays: tuple[str, ...], same: tuple[str, ...], unless: tuple[str, ...] | None
) -> str:
    quote = postgresql.dialect().identifier_preparer.quote  # type: ignore[no-untyped-call]
    names = ", ".join(quote(name) for name in (*arrays, *same))
    values = [f"unnest(%b::{_type_of(table.c[name])}[])" for name in arrays]
    values += [f"%b::{_type_of(table.c[name])}" for name in same]
    arbiter = f" ({', '.join(map(quote, unless))})" if unless else ""
    known = "" if unless is None else f" ON CONFLICT{arbiter} DO NOTHING"
    return f"INSERT INTO {table.name} ({names}) SELECT {', '.join(values)}{known}"


def _type_of(column: Column[Any]) -> str:
    """Return PostgreSQL's name of a column's type, without a length: a cast would cut a string to it."""
    if isinstance(column.type, String):
        return "text"
    return column.type.compile(postgresql.dialect())  # type: ignore[no-untyped-call]


def _plain(column: Column[Any], values: Sequence[Any]) -> list[Any]:
    """Return values that psycopg takes as they are: members of an enum as text, JSON as text."""
    if isinstance(column.type, JSON):
        return [json.dumps(value) for value in values]
    if isinstance(column.type, String):
        return [None if value is None else str(value) for value in values]
    return list(values)
