"""A released table as it is: every cell, margins last, its measures side by side."""

from itertools import groupby

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


def _head(dimensions: list[str], keys: tuple[str, ...]) -> str:
    named = [words.member(name, key) for name, key in zip(dimensions, keys, strict=True)]
    return ", ".join(named) or words.member("period", TOTAL)
