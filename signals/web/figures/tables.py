"""The figures of a release: what reaches people, how signals ended, where, and how many came.

Released numbers are the only source, so no figure can tell more than a release.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from flask_babel import gettext

from signals.statistics.connected import Connected
from signals.statistics.estimates import Line
from signals.statistics.findings import regions_apart
from signals.statistics.intervals import Interval
from signals.statistics.menu import UNKNOWN, Codes
from signals.web.figures import words
from signals.web.figures.charts import Dot, Frame, dots
from signals.web.figures.figure import Cell, Figure, Grid, Row
from signals.web.figures.library import Library
from signals.web.figures.tile_map import Tile, tile_map

YEARLY: Final = ("attempts", "outcomes", "course", "regions", "kinds")
"""The tables of a year, in the order of the page: the question of the scheme comes first."""

QUARTERS: Final = 8
"""A page shows so many; older quarters are in the releases and the open data."""


def yearly(library: Library, code: str, period: str) -> Figure:
    """Return the figure of a table of a year, or of pooled years."""
    lines = library.lines(period, code)
    if code == "regions":
        return _regions(lines, period)
    return _drawn(lines, code, *_told(code, period))


def received(library: Library, until: str = "") -> Figure:
    """Return the signals by quarter of receipt: the newest ones up to a quarter. At least one is released."""
    periods = [one for one in library.quarters if not until or one <= until][-QUARTERS:]
    rows = [(words.period(one), library.lines(one, "received")[0]) for one in periods]
    return _figure(
        [_dot(label, line) for label, line in rows],
        [Row(head=label, cells=_cells(line)) for label, line in rows],
        key="received",
        heads=[words.dimension("period"), words.measure("signals")],
        about=gettext("Counted by the quarter in which a signal came in."),
        notes=[],
    )


def connected(found: Sequence[tuple[str, Connected]]) -> Figure:
    """Return the municipalities with a team, at the end of each quarter: exact, and public."""
    rows = [(words.period(quarter), each) for quarter, each in found]
    return _figure(
        [Dot(label=label, interval=_exact(each.municipalities)) for label, each in rows],
        [Row(head=label, cells=[_cell(each.municipalities), _cell(each.of)]) for label, each in rows],
        key="connected",
        heads=[words.dimension("period"), gettext("Connected"), gettext("Of all municipalities")],
        about=gettext(
            "Municipalities with a social-work organisation that receives signals, on the last day."
        ),
        notes=[gettext("These are public facts: they are exact, and have no interval.")],
        is_released=False,
    )


def _told(code: str, period: str) -> tuple[str, Sequence[str]]:
    """Return what a figure is about, and its notes."""
    when = words.period(period)
    if code == "attempts":
        return gettext(
            "Of the signals that were tried in this way at this attempt: how many led to contact. Signals "
            "concluded in %(period)s.",
            period=when,
        ), [
            gettext(
                "Each attempt counts in its own place. Teams stop at contact, so there are fewer later ones."
            ),
            gettext(
                "This does not prove a cause. People choose how they try, and whom they try a fourth time. "
                "Only drawing the order at random would prove one."
            ),
        ]
    if code == "outcomes":
        return gettext("Share of the signals concluded in %(period)s.", period=when), []
    if code == "course":
        return gettext("Signals concluded in %(period)s.", period=when), [
            gettext("In time: the first attempt came within the norm of the team."),
            gettext("New to help: a share of the residents of whom a team recorded whether help knew them."),
        ]
    return gettext("Signals concluded in %(period)s, by what the carrier noticed.", period=when), [
        gettext("A carrier may choose several things or none. The figures count at most two of a signal."),
        gettext("They are observations of people who are no care workers, and no diagnoses."),
    ]


def _drawn(lines: Sequence[Line], code: str, about: str, notes: Sequence[str]) -> Figure:
    named = [(*_label(code, line), line) for line in lines]
    heads = [words.dimension(_DIMENSION[code]), words.measure("signals")]
    return _figure(
        [_dot(label, line, group) for label, group, line in named],
        [Row(head=label, cells=_cells(line), group=group) for label, group, line in named],
        key=code,
        heads=heads + ([words.measure(f"share.{code}")] if lines[0].split else []),
        about=about,
        notes=notes,
        most=1.0 if lines[0].split else None,
    )


_DIMENSION: Final[Mapping[str, str]] = {
    "attempts": "kind",
    "outcomes": "outcome",
    "course": "flag",
    "kinds": "concern_type",
    "regions": words.REGION,
}


def _label(code: str, line: Line) -> tuple[str, str]:
    """Return the name of a line, and the group that it belongs to."""
    group = words.member("attempt", line.codes[0]) if code == "attempts" else ""
    return words.member(_DIMENSION[code], line.codes[-1]), group


def _regions(lines: Sequence[Line], period: str) -> Figure:
    """Return the map: only regions that differ from the rest of the country are shaded."""
    lines = [line for line in lines if line.codes != (UNKNOWN,)]
    apart = regions_apart(lines)
    title = words.title("regions")
    tiles = {line.codes[0]: _tile(line, apart[line.codes]) for line in lines if line.codes in apart}
    said = "; ".join(f"{tile.name}: {tile.shown}" for tile in tiles.values()) or _none_apart()
    named = {words.member(words.REGION, line.codes[0]): line for line in lines}
    rows = [
        Row(head=name, cells=[*_cells(line, line.codes in apart), _said_apart(apart.get(line.codes))])
        for name, line in sorted(named.items())
    ]
    heads = [words.dimension(words.REGION), words.measure("signals"), words.measure("share.regions")]
    return Figure(
        key="regions",
        title=title,
        about=gettext(
            "Share of the signals that led to contact, of those concluded in %(period)s. One tile is one GGD "
            "region. Only a region that differs from the rest of the country has a colour and a number.",
            period=words.period(period),
        ),
        notes=[
            *([] if tiles else [_none_apart()]),
            gettext("A difference counts when chance and noise do not explain it, after 25 looks."),
        ],
        chart=tile_map(Frame(key="regions-chart", title=title, description=said), tiles),
        grid=Grid(caption=title, heads=[*heads, gettext("Differs from the rest")], rows=rows),
        table="regions",
    )


def _none_apart() -> str:
    return str(gettext("No region differs from the rest of the country as far as these figures can tell."))


def _said_apart(found: Interval | None) -> Cell:
    if found is None:
        return Cell(shown=gettext("no"))
    return Cell(shown=gettext("yes, higher") if found.value > 0 else gettext("yes, lower"))


def _tile(line: Line, apart: Interval) -> Tile:
    assert line.share is not None
    name = words.member(words.REGION, line.codes[0])
    return Tile(name=name, shown=words.percent(line.share.value), is_higher=apart.value > 0)


def _figure(
    marks: Sequence[Dot],
    rows: Sequence[Row],
    *,
    key: str,
    heads: Sequence[str],
    about: str,
    notes: Sequence[str],
    most: float | None = None,
    is_released: bool = True,
) -> Figure:
    """Return a figure of dots; `most` is 1 for shares, None for counts."""
    title = words.title(key)
    said = words.percent if most else words.number
    return Figure(
        key=key,
        title=title,
        about=about,
        notes=notes,
        chart=dots(_frame(key, title, marks, said), marks, said=said, most=most),
        grid=Grid(caption=title, heads=heads, rows=rows),
        table=key if is_released else "",
    )


def _frame(key: str, title: str, marks: Sequence[Dot], said: Callable[[float], str]) -> Frame:
    values = "; ".join(
        f"{mark.group and f'{mark.group}, '}{mark.label}: "
        f"{words.little() if mark.pale else said(mark.interval.value)}"
        for mark in marks
    )
    return Frame(key=f"{key}-chart", title=title, description=f"{values}.")


def _dot(label: str, line: Line, group: str = "") -> Dot:
    return Dot(label=label, interval=line.share or line.signals, pale=line.says_little, group=group)


def _cells(line: Line, is_clear: bool = False) -> list[Cell]:
    """Return the count and the share, if any; `is_clear`: the share is known to differ."""
    counted = Cell(
        shown=words.number(line.signals.value), interval=words.numbers(line.signals), pale=line.counts_little
    )
    if line.share is None:
        return [counted]
    pale, share = line.says_little and not is_clear, words.percent(line.share.value)
    return [counted, Cell(shown=share, interval=words.percents(line.share), pale=pale)]


def _cell(number: int) -> Cell:
    return Cell(shown=words.number(number))


def _exact(number: int) -> Interval:
    return Interval(number, number, number)


def names(codes: Codes) -> tuple[str, str]:
    """Return the words for an attempt and for a kind, as in the table `attempts`."""
    return words.member("attempt", codes[0]), words.member("kind", codes[1])
