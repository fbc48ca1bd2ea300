"""A whole released table: every cell, margins last; its measures or its last dimension side by side."""

from collections.abc import Iterable, Mapping
from itertools import groupby

from flask_babel import gettext

from privacy.disclosure.tables import TOTAL
from signals.statistics import ReleasedTable
from signals.web.figures import parts, words
from signals.web.figures.figure import Grid, Row

_NO_CELL = "–"


def whole_table(table: ReleasedTable) -> Grid | None:
    """Return the table in the reader's words; None for a withheld one."""
    if table.withheld:
        return None
    if len(table.schema.dimensions) > 1 and len(table.schema.measures) == 1:
        return _crossed(table)
    dimensions = [one.name for one in table.schema.dimensions]
    measures = [one.name for one in table.schema.measures]
    rows = []
    for keys, cells in groupby(table.rows, key=lambda row: row[0]):
        values = {measure: value for _keys, measure, value in cells}
        rows.append(
            Row(
                head=_head(dimensions, keys),
                cells=[parts.counted(values[measure]) for measure in measures],
                total=TOTAL in keys,
            )
        )
    head = ", ".join(words.dimension(name) for name in dimensions) or words.dimension("period")
    return Grid(
        caption=table.schema.title[words.language()],
        heads=[head, *(words.measure(name) for name in measures)],
        rows=sorted(rows, key=lambda row: row.total),
    )


def checked(tables: Iterable[ReleasedTable]) -> Grid:
    """Return the numbers of shown and hidden cells of each table; a withheld table hides all."""
    rows = []
    for table in tables:
        title, cells = table.schema.title[words.language()], len(list(table.schema.cells(table.period)))
        shown = sum(value is not None for _keys, _measure, value in table.rows)
        head = gettext("%(title)s (withheld)", title=title) if table.withheld else title
        rows.append(Row(head=head, cells=[words.number(shown), words.number(cells - shown)]))
    heads = [gettext("Table"), gettext("Shown"), gettext("Hidden")]
    return Grid(caption=gettext("What the check hid"), heads=heads, rows=rows)


def _crossed(table: ReleasedTable) -> Grid:
    """Return the table with its last dimension from left to right, so that a line holds all of one thing."""
    *down, across = [one.name for one in table.schema.dimensions]
    lines: dict[tuple[str, ...], dict[str, int | None]] = {}
    for keys, _measure, value in table.rows:
        lines.setdefault(keys[:-1], {})[keys[-1]] = value
    columns = list(dict.fromkeys(column for line in lines.values() for column in line))
    columns.sort(key=lambda column: column == TOTAL)
    rows = [
        Row(
            head=_head(down, keys),
            cells=[_cell(line, column) for column in columns],
            total=TOTAL in keys,
        )
        for keys, line in lines.items()
    ]
    heads = [", ".join(map(words.dimension, down)), *(words.member(across, column) for column in columns)]
    return Grid(
        caption=table.schema.title[words.language()],
        heads=heads,
        rows=sorted(rows, key=lambda row: row.total),
    )


def _cell(line: Mapping[str, int | None], column: str) -> str | None:
    """Return the cell; an impossible one (reached without an attempt) is no cell, so it is not hidden."""
    return parts.counted(line[column]) if column in line else _NO_CELL


def _head(dimensions: list[str], keys: tuple[str, ...]) -> str:
    named = [words.member(name, key) for name, key in zip(dimensions, keys, strict=True)]
    return ", ".join(named) or words.member("period", TOTAL)
