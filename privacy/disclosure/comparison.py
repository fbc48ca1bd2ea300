"""What was published earlier against what is published now: a release never changes, so nothing may differ.

Whoever kept an older download can show it, also where a service was set back as a whole and knows of nothing.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from privacy.disclosure.folder import Published
from privacy.disclosure.tables import Cell

_Place = tuple[str, str]  # period and table
_ABSENT = -1  # no count


class What(StrEnum):
    """How a table of a period is not what it was."""

    GONE = "gone"  # published then, not there now
    ADDED = "added"  # of a period that was released without it
    RESHAPED = "reshaped"  # other members, measures or ties
    WITHHELD = "withheld"  # withheld then and not now, or the other way round
    VALUE = "value"  # one cell


@dataclass(frozen=True, kw_only=True)
class Change:
    """One difference; `cell` for that of a value alone."""

    what: What
    period: str
    table: str
    cell: Cell | None = None


class NothingInCommon(ValueError):
    """The folders share no table of any period, so that nothing can be compared."""


def changes(older: Published, newer: Published) -> tuple[Change, ...]:
    """Every difference in what both or only the older publish, by period and table; new periods are none.

    Raises NothingInCommon for folders of other figures.
    """
    if not set(older.tables) & set(newer.tables):
        raise NothingInCommon
    released = {period for period, _ in older.tables}
    places = {*older.tables, *(place for place in newer.tables if place[0] in released)}
    cells = _by_place(older.values.keys() | newer.values.keys())
    return tuple(
        change for place in sorted(places) for change in _of_table(older, newer, place, cells.get(place, []))
    )


def compared(older: Published, newer: Published) -> int:
    """How many cells stand in both."""
    return len(older.values.keys() & newer.values.keys())


def _by_place(cells: Iterable[Cell]) -> dict[_Place, list[Cell]]:
    found: dict[_Place, list[Cell]] = {}
    for cell in sorted(cells):
        found.setdefault((cell.period, cell.table), []).append(cell)
    return found


def _of_table(older: Published, newer: Published, place: _Place, cells: Iterable[Cell]) -> Iterator[Change]:
    period, table = place
    what = _of_whole(older, newer, place)
    if what is not None:
        yield Change(what=what, period=period, table=table)
        return
    for cell in cells:
        if older.values.get(cell, _ABSENT) != newer.values.get(cell, _ABSENT):
            yield Change(what=What.VALUE, period=period, table=table, cell=cell)


def _of_whole(older: Published, newer: Published, place: _Place) -> What | None:
    if place not in newer.tables:
        return What.GONE
    if place not in older.tables:
        return What.ADDED
    if _shape(older, place[1]) != _shape(newer, place[1]):
        return What.RESHAPED
    return What.WITHHELD if (place in older.withheld) != (place in newer.withheld) else None


def _shape(published: Published, table: str) -> dict[str, Any]:
    """Everything but the words of the title."""
    schema = next(schema for schema in published.schemas if schema.name == table)
    return {key: value for key, value in schema.as_json().items() if key != "title"}
