"""A released table as it is: every cell, margins last, its measures side by side."""

from collections.abc import Iterable
from itertools import groupby

from flask_babel import gettext

from privacy.disclosure.tables import TOTAL
from signals.statistics import ReleasedTable
from signals.web.figures import story, words
from signals.web.figures.figure import Grid, Row


def whole_table(table: ReleasedTable) -> Grid | None:
    """The table in the reader's words; None for one that was withheld."""
    if table.withheld:
        return None
    dimensions = [one.name for one in table.schema.dimensions]
    measures = [one.name for one in table.schema.measures]
    rows = []
    for keys, cells in groupby(table.rows, key=lambda row: row[0]):
        values = {measure: value for _keys, measure, value in cells}
        rows.append(
            Row(
                head=_head(dimensions, keys),
                cells=[story.counted(values[measure]) for measure in measures],
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
    """How many cells of each table are shown and hidden; of a withheld one all are hidden."""
    rows = []
    for table in tables:
        title, cells = table.schema.title[words.language()], len(list(table.schema.cells(table.period)))
        shown = sum(value is not None for _keys, _measure, value in table.rows)
        head = gettext("%(title)s (withheld)", title=title) if table.withheld else title
        rows.append(Row(head=head, cells=[words.number(shown), words.number(cells - shown)]))
    heads = [gettext("Table"), gettext("Shown"), gettext("Hidden")]
    return Grid(caption=gettext("What the check hid"), heads=heads, rows=rows)


def _head(dimensions: list[str], keys: tuple[str, ...]) -> str:
    named = [words.member(name, key) for name, key in zip(dimensions, keys, strict=True)]
    return ", ".join(named) or words.member("period", TOTAL)
