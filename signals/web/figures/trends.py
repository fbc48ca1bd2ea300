"""Figures over time: one quarter after the other, at most two years on a page."""

from collections.abc import Sequence
from typing import Final

from flask_babel import gettext

from signals.statistics import ReleasedTable
from signals.web.figures import charts, parts, words
from signals.web.figures.charts import Bar
from signals.web.figures.figure import Figure, Grid, Row, Source
from signals.web.figures.numbers import Numbers
from signals.web.figures.parts import Drawn
from signals.web.figures.shares import Share

QUARTERS: Final = 8
"""A phone shows so many columns; older quarters are in the releases and the open data."""

_FOLLOWED: Final = (("claimed_in_time", "signals"), ("contacted_in_time", "signals"), ("reached", "signals"))
_MEDIANS: Final = ("median_hours_to_claim", "median_hours_to_contact")


def received(tables: Sequence[ReleasedTable]) -> Figure:
    """Draw the signals received in each quarter, oldest first; `tables` of `intake`."""
    title = gettext("Signals received by quarter")
    counts = [None if table.withheld else Numbers(table).get("signals") for table in tables]
    bars = [
        Bar(label=words.short_quarter(table.period), value=count, shown=parts.counted(count) or "")
        for table, count in zip(tables, counts, strict=True)
    ]
    rows = [
        Row(head=words.period(table.period), cells=[parts.counted(count)])
        for table, count in zip(tables, counts, strict=True)
    ]
    return Figure(
        key="received",
        title=title,
        about=gettext("Counted by the quarter in which a signal was received."),
        reliability=parts.reliability(),
        source=_newest(tables),
        chart=charts.columns(parts.frame("received", title, bars), bars),
        grid=Grid(caption=title, heads=[gettext("Quarter"), gettext("Signals")], rows=rows),
    )


def followed_up(tables: Sequence[ReleasedTable]) -> Figure:
    """Draw follow-up in each quarter; the columns are the share reached. `tables` of `follow_up`."""
    title = gettext("Follow-up by quarter")
    bars = [_reached(table) for table in tables]
    heads = [
        gettext("Quarter"),
        gettext("Concluded"),
        *(words.measure(part) for part, _ in _FOLLOWED),
        *(words.measure(median) for median in _MEDIANS),
    ]
    rows = [Row(head=words.period(table.period), cells=_cells(table)) for table in tables]
    return Figure(
        key="followed-up",
        title=title,
        about=gettext("The columns show which share of the residents was reached."),
        reliability=[
            gettext(
                "Hours are working hours, from the end of the working day on which a signal was received."
            ),
            *parts.reliability(),
        ],
        source=_newest(tables),
        chart=charts.columns(parts.frame("followed-up", title, bars), bars),
        grid=Grid(caption=title, heads=heads, rows=rows),
        stacked=True,
    )


def known_and_repeated(table: ReleasedTable) -> Figure:
    """Draw who was new to help, and addresses with an earlier report; of one `follow_up`."""
    title = gettext("New to help, and reported before")
    return parts.figure_of(
        table,
        key="known",
        title=title,
        about=gettext("Of the signals concluded in %(period)s.", period=words.period(table.period)),
        draw=lambda: _known_and_repeated(Numbers(table), title),
        notes=[gettext("Newly known: a share of those of whom it was recorded whether help knew them.")],
    )


def _known_and_repeated(numbers: Numbers, title: str) -> Drawn:
    pairs = (("newly_known", "known_asked"), ("repeats", "signals"))
    bars = [parts.share_bar(words.measure(part), numbers.share(part, whole)) for part, whole in pairs]
    rows = [
        Row(
            head=words.measure(part),
            cells=[
                parts.counted(numbers.get(part)),
                parts.counted(numbers.get(whole)),
                words.with_range(numbers.share(part, whole)),
            ],
        )
        for part, whole in pairs
    ]
    heads = [gettext("What"), gettext("Signals"), gettext("Of"), gettext("Share (range)")]
    chart = charts.bars(parts.frame("known", title, bars), bars, most=1.0)
    return chart, Grid(caption=title, heads=heads, rows=rows)


def _reached(table: ReleasedTable) -> Bar:
    found: Share | None = None if table.withheld else Numbers(table).share("reached", "signals")
    label = words.short_quarter(table.period)
    if found is None:
        return Bar(label=label, value=None, shown="")
    return Bar(label=label, value=found.value, shown=words.percent(found.value))


def _cells(table: ReleasedTable) -> list[str | None]:
    if table.withheld:
        return [None] * (1 + len(_FOLLOWED) + len(_MEDIANS))
    numbers = Numbers(table)
    shares = [words.with_range(numbers.share(part, whole)) for part, whole in _FOLLOWED]
    medians = [parts.counted(numbers.get(median)) for median in _MEDIANS]
    return [parts.counted(numbers.get("signals")), *shares, *medians]


def _newest(tables: Sequence[ReleasedTable]) -> Source:
    return Source(period=tables[-1].period, table=tables[-1].schema.name)
