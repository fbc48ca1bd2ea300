"""A figure as a page and the report show it: a chart, its table, and notes for the reader."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from markupsafe import Markup


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A number with its interval below it; a `pale` one says little."""

    shown: str
    interval: str = ""
    pale: bool = False


@dataclass(frozen=True, kw_only=True)
class Row:
    """A line of a table; a `group` heads the first line of each."""

    head: str
    cells: Sequence[Cell]
    group: str = ""


@dataclass(frozen=True, kw_only=True)
class Grid:
    """A table of words and numbers as people read them."""

    caption: str
    heads: Sequence[str]
    rows: Sequence[Row]

    @property
    def groups(self) -> list[tuple[str, list[Row]]]:
        """Return the rows under the heading of their group."""
        return [(group, list(rows)) for group, rows in groupby(self.rows, key=lambda row: row.group)]

    @property
    def is_pale(self) -> bool:
        """Return whether a number says little."""
        return any(cell.pale for row in self.rows for cell in row.cells)


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One figure; `table` is its table in the open data, "" for public facts."""

    key: str
    title: str
    about: str
    notes: Sequence[str]
    chart: Markup
    grid: Grid
    table: str = ""
