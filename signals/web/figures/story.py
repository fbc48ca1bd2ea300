"""The figures of the question: what follow-up reaches people? Each comes from one released table.

Released numbers are the only source, so no figure can tell more than a release.
"""

from collections.abc import Sequence
from typing import Final

from flask_babel import gettext

from signals.statistics import ReleasedTable
from signals.web.figures import charts, words
from signals.web.figures.charts import Bar
from signals.web.figures.figure import Figure, Grid, Row
from signals.web.figures.numbers import Numbers
from signals.web.figures.parts import Drawn, count_bar, counted, figure_of, frame, share_bar
from signals.web.figures.shares import Share, share
from signals.web.figures.svg import Frame

FUNNEL: Final = ("signals", "claimed_in_time", "contacted", "reached", "helped")
"""The steps from all signals to help; each is a part of the signals."""


def funnel(table: ReleasedTable) -> Figure:
    """Draw how many of the concluded signals came how far, from signal to help."""
    numbers = Numbers(table)
    title = gettext("From signal to help")
    return figure_of(
        table,
        key="funnel",
        title=title,
        about=gettext(
            "Of the signals that were concluded in %(period)s: how many came how far.",
            period=words.period(table.period),
        ),
        draw=lambda: _funnel(numbers, title),
        notes=[
            gettext(
                "Counted when a signal is concluded, whenever it was received; nothing is counted twice."
            ),
            gettext("Contact sought: at least one attempt. Reached: an attempt led to contact."),
        ],
    )


def by_number(table: ReleasedTable) -> Figure:
    """Draw the share reached by the number of attempts."""
    title = gettext("Trying more often")
    about = gettext(
        "Share of the residents who were reached, by the number of attempts, of the signals concluded in "
        "%(period)s.",
        period=words.period(table.period),
    )
    return _reached_by(table, "number", key="by-number", title=title, about=about)


def by_kind(table: ReleasedTable) -> Figure:
    """Draw the share reached by the kind of attempts."""
    title = gettext("Trying in other ways")
    about = gettext(
        "Share of the residents who were reached, by the kind of attempts, of the signals concluded in "
        "%(period)s.",
        period=words.period(table.period),
    )
    return _reached_by(table, "kinds", key="by-kind", title=title, about=about)


def kind_by_number(table: ReleasedTable) -> Figure:
    """Draw the share reached by kind and number of attempts together."""
    numbers = Numbers(table)
    title = gettext("Kind and number of attempts together")
    return figure_of(
        table,
        key="kind-by-number",
        title=title,
        about=gettext(
            "Share of the residents who were reached, of the signals concluded in %(period)s; darker is "
            "more.",
            period=words.period(table.period),
        ),
        draw=lambda: _kind_by_number(numbers, title),
        notes=_cause(),
    )


def outcomes(table: ReleasedTable) -> Figure:
    """Draw the outcomes of concluded signals, in groups."""
    numbers = Numbers(table)
    title = gettext("How signals ended")
    return figure_of(
        table,
        key="outcomes",
        title=title,
        about=gettext("Outcomes of the signals concluded in %(period)s.", period=words.period(table.period)),
        draw=lambda: _counted(numbers, "outcome_group", title),
        notes=[gettext("Helped: a talk sufficed, help was accepted, referred, or escalated to crisis care.")],
    )


def noticed(table: ReleasedTable) -> Figure:
    """Draw what carriers noticed."""
    numbers = Numbers(table)
    title = gettext("What carriers noticed")
    return figure_of(
        table,
        key="noticed",
        title=title,
        about=gettext(
            "Signals received in %(period)s, by what was noticed.", period=words.period(table.period)
        ),
        draw=lambda: _counted(numbers, "concern_type", title),
        notes=[
            gettext(
                "A carrier may choose several things or none, so the numbers do not add up to the total."
            ),
            gettext("They are observations of people who are no care workers, and no diagnoses."),
        ],
    )


def findings(table: ReleasedTable) -> list[str]:
    """Return sentences about the attempts of a year, from shown numbers only."""
    if table.withheld:
        return []
    numbers = Numbers(table)
    said = []
    whole = _reached(numbers)
    if whole is not None:
        said.append(
            gettext(
                "In %(period)s, %(share)s of the residents about whom a signal was concluded were reached.",
                period=words.period(table.period),
                share=words.percent(whole.value),
            )
        )
    said += _contrast(numbers, "number", gettext("By number of attempts"))
    said += _contrast(numbers, "kinds", gettext("By kind of attempts"))
    return said


def _funnel(numbers: Numbers, title: str) -> Drawn:
    bars, rows = [], []
    for step in FUNNEL:
        label = gettext("Concluded signals") if step == "signals" else words.measure(step)
        count = numbers.get(step)
        bars.append(count_bar(label, count))
        part = words.with_range(share(count, numbers.get("signals"))) if step != "signals" else "100%"
        rows.append(Row(head=label, cells=[counted(count), part]))
    heads = [gettext("Step"), gettext("Signals"), gettext("Of all (range)")]
    return charts.bars(frame("funnel", title, bars), bars), Grid(caption=title, heads=heads, rows=rows)


def _reached_by(table: ReleasedTable, dimension: str, *, key: str, title: str, about: str) -> Figure:
    numbers = Numbers(table)

    def draw() -> Drawn:
        tried = [code for code in numbers.members(dimension) if code not in ("none", "0")]
        found = {words.member(dimension, code): _reached(numbers, **{dimension: code}) for code in tried}
        bars = [share_bar(label, one) for label, one in found.items()]
        rows = [
            Row(
                head=words.member(dimension, code),
                cells=[
                    counted(numbers.get("signals", **{dimension: code})),
                    counted(numbers.get("signals", reached="yes", **{dimension: code})),
                    words.with_range(_reached(numbers, **{dimension: code})),
                ],
            )
            for code in tried
        ]
        heads = [
            words.dimension(dimension),
            gettext("Signals"),
            gettext("Reached"),
            gettext("Share (range)"),
        ]
        most = _full([bar.high for bar in bars])
        return charts.bars(frame(key, title, bars), bars, most=most), Grid(
            caption=title, heads=heads, rows=rows
        )

    return figure_of(table, key=key, title=title, about=about, draw=draw, notes=[_range_sign(), *_cause()])


def _kind_by_number(numbers: Numbers, title: str) -> Drawn:
    kinds = [code for code in numbers.members("kinds") if code != "none"]
    bands = [code for code in numbers.members("number") if code != "0"]
    field = [[_reached(numbers, kinds=kind, number=band) for band in bands] for kind in kinds]
    most = _full([one.value for across in field for one in across if one is not None])
    cells = [
        [
            Bar(
                label="",
                value=None if one is None else one.value / most,
                shown=words.percent(one.value) if one else "",
            )
            for one in across
        ]
        for across in field
    ]
    names = [words.member("kinds", kind) for kind in kinds]
    heads = [words.member("number", band) for band in bands]
    rows = [
        Row(head=name, cells=[words.with_range(one) for one in across])
        for name, across in zip(names, field, strict=True)
    ]
    described = Frame(
        key="kind-by-number-chart",
        title=title,
        description=gettext("Kinds of attempts from top to bottom, numbers of attempts from left to right."),
    )
    grid = Grid(caption=gettext("Share reached (range)"), heads=[words.dimension("kinds"), *heads], rows=rows)
    return charts.matrix(described, names, heads, cells), grid


def _counted(numbers: Numbers, dimension: str, title: str) -> Drawn:
    codes = numbers.members(dimension)
    bars = [
        count_bar(words.member(dimension, code), numbers.get("signals", **{dimension: code}))
        for code in codes
    ]
    rows = [
        Row(head=bar.label, cells=[counted(numbers.get("signals", **{dimension: code}))])
        for code, bar in zip(codes, bars, strict=True)
    ]
    rows.append(
        Row(head=words.member(dimension, "total"), cells=[counted(numbers.get("signals"))], total=True)
    )
    grid = Grid(caption=title, heads=[words.dimension(dimension), gettext("Signals")], rows=rows)
    return charts.bars(frame(dimension, title, bars), bars), grid


def _reached(numbers: Numbers, **keys: str) -> Share | None:
    return share(numbers.get("signals", reached="yes", **keys), numbers.get("signals", **keys))


def _contrast(numbers: Numbers, dimension: str, lead: str) -> list[str]:
    """Return a sentence on the most and the least reached, when their ranges do not touch."""
    found = [
        (one, words.member(dimension, code))
        for code in numbers.members(dimension)
        if code not in ("none", "0") and (one := _reached(numbers, **{dimension: code})) is not None
    ]
    if len(found) < 2:
        return []
    least, most = min(found, key=lambda pair: pair[0].value), max(found, key=lambda pair: pair[0].value)
    if least[0].high >= most[0].low:
        return []
    return [
        gettext(
            "%(lead)s: with %(most)s, %(much)s were reached; with %(least)s, %(little)s.",
            lead=lead,
            most=most[1].lower(),
            much=words.percent(most[0].value),
            least=least[1].lower(),
            little=words.percent(least[0].value),
        )
    ]


def _cause() -> list[str]:
    return [
        gettext(
            "This shows what goes together, not what causes what: teams may try longer where they expect to "
            "be heard."
        )
    ]


def _range_sign() -> str:
    return str(gettext("The thin line below a bar is the range in which the share lies, given the rounding."))


def _full(values: Sequence[float | None]) -> float:
    """Return the value of a full bar: the largest, so that small shares differ visibly."""
    return max((value for value in values if value), default=1.0)
