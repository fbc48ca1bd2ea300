"""The releases as everybody reads them: periods, tables, and all published cells together."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from privacy.disclosure.tables import QUARTER, WINDOW, YEAR, Cell, Schema, read_period
from signals.errors import NotFound
from signals.models import StoredRelease, StoredTable
from signals.statistics.old_menu import MUNICIPALITIES, is_division, menu
from signals.statistics.releasing import ReleaseRefused


class TableName(NamedTuple):
    """A released table: its name in URLs, and its title by language (nl, en)."""

    name: str
    title: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class ReleaseSummary:
    """A released period, with its tables in the order of the menu, withheld ones too."""

    period: str
    released_on: date
    tables: tuple[TableName, ...]


@dataclass(frozen=True, kw_only=True)
class ReleasedTable:
    """One table as everybody reads it. A value of None is hidden; a withheld table has no rows.

    `protocol`: that of its whole release, by language.
    """

    period: str
    released_on: date
    schema: Schema
    rows: tuple[tuple[tuple[str, ...], str, int | None], ...]
    withheld: bool
    protocol: Mapping[str, str] = field(repr=False)


def released(session: Session) -> tuple[ReleaseSummary, ...]:
    """Return every released period, the latest first."""
    names: dict[str, list[str]] = {}
    for period, name in session.execute(select(StoredTable.period, StoredTable.name).order_by(_in_order)):
        names.setdefault(period, []).append(name)
    titles = {schema.name: schema.title for schema in (*menu(), *divisions(session))}
    found = session.execute(select(StoredRelease.period, StoredRelease.released_on))
    return tuple(
        ReleaseSummary(
            period=period,
            released_on=on,
            tables=tuple(TableName(name, titles.get(name, {})) for name in names.get(period, ())),
        )
        for period, on in sorted(found, key=lambda row: place_in_time(row[0]), reverse=True)
    )


def released_table(session: Session, *, period: str, table: str) -> ReleasedTable:
    """Return a table of a released period; raise `NotFound` when it was not released."""
    found = list(_tables(session, StoredTable.period == period, StoredTable.name == table))
    if not found:
        raise NotFound
    return found[0]


def released_series(session: Session, *, table: str, kind: str) -> tuple[ReleasedTable, ...]:
    """Return a table in all released periods of one kind (quarter, year, window), the oldest first."""
    found = _tables(session, StoredTable.name == table)
    return tuple(
        sorted(
            (each for each in found if read_period(each.period).kind == kind),
            key=lambda each: place_in_time(each.period),
        )
    )


def all_tables(session: Session) -> tuple[ReleasedTable, ...]:
    """Return every table of every release, the oldest period first, in the order of the menu."""
    order = {schema.name: place for place, schema in enumerate(menu())}
    found = _tables(session)
    return tuple(
        sorted(found, key=lambda each: (place_in_time(each.period), order.get(each.schema.name, len(order))))
    )


def withheld_tables(session: Session) -> frozenset[tuple[str, str]]:
    """Return (period, table) of each withheld table."""
    query = select(StoredTable.period, StoredTable.name).where(StoredTable.cells.is_(None))
    return frozenset((period, name) for period, name in session.execute(query))


def published(session: Session) -> dict[Cell, int | None]:
    """Return every released cell; a withheld table has hidden cells only.

    Raises `ReleaseRefused` when the menu gives a released table other members.
    """
    known = {schema.name: schema for schema in schemas_of(session)}
    cells: dict[Cell, int | None] = {}
    for period, name, values in session.execute(
        select(StoredTable.period, StoredTable.name, StoredTable.cells)
    ):
        cells |= dict.fromkeys(known[name].cells(period))
        for keys, measure, value in json.loads(values or "[]"):
            cells[Cell(name, period, tuple(keys), measure)] = value
    return cells


def schemas_of(session: Session) -> tuple[Schema, ...]:
    """Return all schemas: the menu, with the municipalities of each division as released.

    Raises `ReleaseRefused` when the menu gives a released table other members.
    """
    known = {schema.name: schema for schema in menu() if not is_division(schema.name)}
    for name, schema in session.execute(select(StoredTable.name, StoredTable.schema).distinct()):
        if is_division(name):
            continue
        if shape_of(known.get(name)) != shape_of(Schema.from_json(json.loads(schema))):
            raise ReleaseRefused(f"the table {name} was released with other members than it has now")
    return (*known.values(), *divisions(session))


def divisions(session: Session) -> tuple[Schema, ...]:
    """Return the released tables of municipalities, one for each division of the country."""
    query = select(StoredTable.name, StoredTable.schema).where(StoredTable.name.startswith(MUNICIPALITIES))
    found = {name: schema for name, schema in session.execute(query.distinct()) if is_division(name)}
    return tuple(Schema.from_json(json.loads(found[name])) for name in sorted(found))


_in_order: Final = StoredTable.position


def _tables(session: Session, *which: Any) -> Iterator[ReleasedTable]:
    query = select(StoredTable, StoredRelease.released_on, StoredRelease.protocol)
    query = query.join(StoredRelease, StoredRelease.period == StoredTable.period).where(*which)
    for table, on, protocol in session.execute(query):
        yield ReleasedTable(
            period=table.period,
            released_on=on,
            schema=Schema.from_json(json.loads(table.schema)),
            rows=tuple(
                (tuple(keys), measure, value) for keys, measure, value in json.loads(table.cells or "[]")
            ),
            withheld=table.cells is None,
            protocol=read_protocol(protocol),
        )


def read_protocol(stored: str) -> Mapping[str, str]:
    """Return the protocol of a release by language, Dutch first; old ones are in English only."""
    if not stored.startswith("{"):
        return {"en": stored}
    found: dict[str, str] = json.loads(stored)
    return found


def protocol_in(language: str, protocol: Mapping[str, str]) -> tuple[str, str]:
    """Return (language, text) of a protocol in a language, else in its first."""
    chosen = language if language in protocol else next(iter(protocol))
    return chosen, protocol[chosen]


def shape_of(schema: Schema | None) -> Mapping[str, Any]:
    """Return the fixed part of a table: everything but its title."""
    return {key: value for key, value in schema.as_json().items() if key != "title"} if schema else {}


def place_in_time(period: str) -> tuple[int, int, int]:
    """Return the rank of a period by its end; of two that end together the longer comes last."""
    wanted = read_period(period)
    return wanted.last, wanted.quarter or 4, (QUARTER, YEAR, WINDOW).index(wanted.kind)
