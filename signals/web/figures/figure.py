"""A figure as a page and the report show it: a chart, its table, and notes for the reader."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup


@dataclass(frozen=True, kw_only=True)
class Row:
    """A line of a table; None is a hidden cell."""

    head: str
    cells: Sequence[str | None]
    total: bool = False


@dataclass(frozen=True, kw_only=True)
class Grid:
    """A table of words and numbers as people read them."""

    caption: str
    heads: Sequence[str]
    rows: Sequence[Row]

    @property
    def hides(self) -> bool:
        """Return whether a cell is hidden."""
        return any(cell is None for row in self.rows for cell in row.cells)


@dataclass(frozen=True, kw_only=True)
class Source:
    """The source of the numbers: one table of one release."""

    period: str
    table: str


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One figure; without a `grid` it was withheld or not released, and `missing` says so."""

    key: str
    title: str
    about: str
    reliability: Sequence[str]
    source: Source | None
    chart: Markup | None = None
    grid: Grid | None = None
    missing: str = ""
    signs: Sequence[tuple[str, str]] = ()
    """(class of the sign, words) of each sign in the chart, besides hatching."""
    stacked: bool = False
    """True when the table is wide and stands below the chart."""
