"""Figures over time: one quarter after the other, at most two years of them on a page."""

from collections.abc import Sequence
from typing import Final

from flask_babel import gettext

from signals.statistics import ReleasedTable
from signals.web.figures import charts, story, words
from signals.web.figures.charts import Bar
from signals.web.figures.figure import Figure, Grid, Row, Source
from signals.web.figures.numbers import Numbers
from signals.web.figures.shares import Share

QUARTERS: Final = 8
"""So many columns can be read on a phone; older quarters are in the releases and the open data."""

_FOLLOWED: Final = (("claimed_in_time", "signals"), ("contacted_in_time", "signals"), ("reached", "signals"))
_MEDIANS: Final = ("median_hours_to_claim", "median_hours_to_contact")


def received(tables: Sequence[ReleasedTable]) -> Figure:
    """Signals received in each quarter, oldest first; `tables` of `intake`."""
    title = gettext("Signals received by quarter")
    counts = [None if table.withheld else Numbers(table).get("signals") for table in tables]
    bars = [
        Bar(label=words.short_quarter(table.period), value=count, shown=story.counted(count) or "")
        for table, count in zip(tables, counts, strict=True)
    ]
    rows = [
        Row(head=words.period(table.period), cells=[story.counted(count)])
        for table, count in zip(tables, counts, strict=True)
    ]
    return Figure(
        key="received",
        title=title,
        about=gettext("Counted by the quarter in which a signal was received."),
        reliability=story.reliability(),
        source=_newest(tables),
        chart=charts.columns(story.frame("received", title, bars), bars),
        grid=Grid(caption=title, heads=[gettext("Quarter"), gettext("Signals")], rows=rows),
    )


def followed_up(tables: Sequence[ReleasedTable]) -> Figure:
    """How follow-up went in each quarter; the columns are the share reached. `tables` of `follow_up`."""
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
            *story.reliability(),
        ],
        source=_newest(tables),
        chart=charts.columns(story.frame("followed-up", title, bars), bars),
        grid=Grid(caption=title, heads=heads, rows=rows),
        stacked=True,
    )


def known_and_repeated(table: ReleasedTable) -> Figure:
    """Who was not known to help yet, and addresses that were reported before; of one `follow_up`."""
    numbers, title = Numbers(table), gettext("New to help, and reported before")
    about = gettext("Of the signals concluded in %(period)s.", period=words.period(table.period))
    source = Source(period=table.period, table=table.schema.name)
    notes = [
        gettext("Newly known: a share of those of whom it was recorded whether help knew them."),
        *story.reliability(),
    ]
    if table.withheld:
        return Figure(
            key="known", title=title, about=about, reliability=notes, source=source, missing=story.withheld()
        )
    pairs = (("newly_known", "known_asked"), ("repeats", "signals"))
    bars = [story.share_bar(words.measure(part), numbers.share(part, whole)) for part, whole in pairs]
    rows = [
        Row(
            head=words.measure(part),
            cells=[
                story.counted(numbers.get(part)),
                story.counted(numbers.get(whole)),
                words.with_range(numbers.share(part, whole)),
            ],
        )
        for part, whole in pairs
    ]
    heads = [gettext("What"), gettext("Signals"), gettext("Of"), gettext("Share (range)")]
    return Figure(
        key="known",
        title=title,
        about=about,
        reliability=notes,
        source=source,
        chart=charts.bars(story.frame("known", title, bars), bars, most=1.0),
        grid=Grid(caption=title, heads=heads, rows=rows),
    )


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
    medians = [story.counted(numbers.get(median)) for median in _MEDIANS]
    return [story.counted(numbers.get("signals")), *shares, *medians]


def _newest(tables: Sequence[ReleasedTable]) -> Source:
    return Source(period=tables[-1].period, table=tables[-1].schema.name)
