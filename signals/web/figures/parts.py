"""Parts that all figures share: one figure from one table, bars, cells, and sentences on reliability."""

from collections.abc import Callable, Sequence

from flask_babel import gettext
from markupsafe import Markup

from signals.statistics import ReleasedTable
from signals.web.figures import words
from signals.web.figures.charts import Bar
from signals.web.figures.figure import Figure, Grid, Source
from signals.web.figures.shares import Share
from signals.web.figures.svg import Frame

Drawn = tuple[Markup, Grid]
"""A chart and the table with its numbers."""


def figure_of(
    table: ReleasedTable,
    *,
    key: str,
    title: str,
    about: str,
    draw: Callable[[], Drawn],
    notes: Sequence[str] = (),
    signs: Sequence[tuple[str, str]] = (),
) -> Figure:
    """Return the figure of one released table; a withheld table is not drawn, and the figure says so."""
    chart, grid = (None, None) if table.withheld else draw()
    return Figure(
        key=key,
        title=title,
        about=about,
        reliability=[*notes, *reliability()],
        source=Source(period=table.period, table=table.schema.name),
        chart=chart,
        grid=grid,
        missing=withheld() if table.withheld else "",
        signs=signs,
    )


def missing(*, key: str, title: str, about: str) -> Figure:
    """Return the figure of a table that was not released yet."""
    return Figure(
        key=key,
        title=title,
        about=about,
        reliability=reliability(),
        source=None,
        missing=gettext("This table was not released yet: it comes once a year, after the year is over."),
    )


def reliability() -> list[str]:
    """Return the sentences that hold for every released table."""
    return [
        gettext(
            "Every number is rounded to five, so it is at most two off. Numbers below ten are hidden, zero "
            "too, and so are others that would give them away. Percentages are made from the rounded "
            "numbers; the range behind one is what rounding leaves."
        ),
        gettext(
            "A release never changes. What is known later counts in the next one; drills never count. Before "
            "release it was computed that no hidden number can be narrowed to fewer than five possibilities."
        ),
    ]


def hatched() -> str:
    """Return the meaning of hatching."""
    return str(
        gettext(
            "Hatched: hidden, because the number is smaller than 10, or because it would give such a number "
            "away."
        )
    )


def withheld() -> str:
    """Return why a table of a release has no numbers."""
    return str(
        gettext(
            "This table was withheld: with all that was published before, one of its hidden numbers could "
            "have been worked out."
        )
    )


def frame(key: str, title: str, bars: Sequence[Bar]) -> Frame:
    """Return name and description of a chart: its values, in the order of the chart."""
    said = "; ".join(f"{bar.label}: {bar.shown or gettext('hidden')}".replace("\n", " ") for bar in bars)
    return Frame(key=f"{key}-chart", title=title, description=f"{said}.")


def share_bar(label: str, found: Share | None) -> Bar:
    """Return a share as a bar with its range."""
    if found is None:
        return Bar(label=label, value=None, shown=gettext("hidden"))
    return Bar(
        label=label, value=found.value, shown=words.percent(found.value), low=found.low, high=found.high
    )


def count_bar(label: str, count: int | None) -> Bar:
    """Return a count as a bar."""
    return Bar(label=label, value=count, shown=gettext("hidden") if count is None else words.number(count))


def counted(count: int | None) -> str | None:
    """Return a count for a table."""
    return None if count is None else words.number(count)
