"""A figure as a page and the report show it: a chart, its table, and what must be known to read it."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup


@dataclass(frozen=True, kw_only=True)
class Row:
    """A line of a table; a cell that is None is hidden."""

    head: str
    cells: Sequence[str | None]
    total: bool = False


@dataclass(frozen=True, kw_only=True)
class Grid:
    """A table of words and numbers, as read."""

    caption: str
    heads: Sequence[str]
    rows: Sequence[Row]

    @property
    def hides(self) -> bool:
        """Whether a cell is hidden."""
        return any(cell is None for row in self.rows for cell in row.cells)


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where the numbers come from: one table of one release."""

    period: str
    table: str


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One figure. Without a `grid` it was withheld or not released; `missing` says so."""

    key: str
    title: str
    about: str
    reliability: Sequence[str]
    source: Source | None
    chart: Markup | None = None
    grid: Grid | None = None
    missing: str = ""
    signs: Sequence[tuple[str, str]] = ()
    """(class of the sign, words) of what the chart draws, besides hatching."""
    stacked: bool = False
    """Whether the table stands below the chart, for it is wide."""
