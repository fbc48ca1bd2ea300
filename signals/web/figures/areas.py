"""Figures by area: the tile maps of the regions, and one region beside the country."""

from collections.abc import Sequence
from typing import Final

from flask_babel import gettext

from privacy.disclosure.tables import TOTAL
from signals.statistics import ReleasedTable
from signals.web.figures import charts, parts, story, words
from signals.web.figures.charts import Pair, shade
from signals.web.figures.figure import Figure, Grid, Row
from signals.web.figures.numbers import Numbers
from signals.web.figures.parts import Drawn
from signals.web.figures.shares import Share
from signals.web.figures.svg import Frame
from signals.web.figures.tile_map import PLACES, Tile, tile_map

_STEPS: Final = story.FUNNEL[1:]


def reached_map(table: ReleasedTable) -> Figure:
    """Draw the share reached in each region; `table`: `regions_follow_up` of a year."""
    title = gettext("Reached by region")
    few = gettext("Few signals a region: most ranges overlap, and then the order of regions means nothing.")
    return parts.figure_of(
        table,
        key="regions",
        title=title,
        about=gettext(
            "Share of the residents who were reached, of the signals concluded in %(period)s. One tile is "
            "one GGD region, about where it lies; darker is more.",
            period=words.period(table.period),
        ),
        draw=lambda: _reached_map(Numbers(table), title),
        notes=() if table.withheld else [few],
    )


def received_map(table: ReleasedTable) -> Figure:
    """Draw the signals received in each region; `table`: `regions_received`."""
    title = gettext("Signals received by region")
    return parts.figure_of(
        table,
        key="regions-received",
        title=title,
        about=gettext(
            "Signals received in %(period)s. Darker is more; a region with more inhabitants has more "
            "signals.",
            period=words.period(table.period),
        ),
        draw=lambda: _received_map(Numbers(table), title),
    )


def beside_country(table: ReleasedTable, region: str) -> Figure:
    """Draw one region and the country, step by step; `table`: `regions_follow_up`."""
    title = gettext("%(region)s beside the whole country", region=_name(region))
    overlap = gettext("Where the thin lines of both bars overlap, rounding alone may explain the difference.")
    return parts.figure_of(
        table,
        key="region",
        title=title,
        about=gettext("Shares of the signals concluded in %(period)s.", period=words.period(table.period)),
        draw=lambda: _beside_country(Numbers(table), region, title),
        notes=() if table.withheld else [overlap],
        signs=() if table.withheld else [("filled", _name(region)), ("outline", _name(TOTAL))],
    )


def regions() -> list[tuple[str, str]]:
    """Return (code, name) of each region, for a choice."""
    return [(code, _name(code)) for code in sorted(PLACES, key=_name)]


def _reached_map(numbers: Numbers, title: str) -> Drawn:
    found = {code: numbers.share("reached", "signals", region=code) for code in PLACES}
    most = max((one.value for one in found.values() if one), default=1.0)
    heads = [
        words.dimension("region"),
        gettext("Concluded"),
        words.measure("reached"),
        gettext("Share (range)"),
    ]
    grid = Grid(caption=title, heads=heads, rows=[_row(numbers, code) for code in _lines()])
    return tile_map(
        _frame("regions", title), {code: _tile(code, one, most) for code, one in found.items()}
    ), grid


def _received_map(numbers: Numbers, title: str) -> Drawn:
    found = {code: numbers.get("signals", region=code) for code in PLACES}
    most = max((count for count in found.values() if count), default=1)
    tiles = {
        code: Tile(
            name=_name(code),
            shown="" if count is None else words.number(count),
            fill=None if count is None else shade(count / most),
        )
        for code, count in found.items()
    }
    rows = [
        Row(head=_name(code), cells=[parts.counted(numbers.get("signals", region=code))], total=code == TOTAL)
        for code in _lines()
    ]
    grid = Grid(caption=title, heads=[words.dimension("region"), gettext("Signals")], rows=rows)
    return tile_map(_frame("regions-received", title), tiles), grid


def _beside_country(numbers: Numbers, region: str, title: str) -> Drawn:
    steps = [
        (step, numbers.share(step, "signals", region=region), numbers.share(step, "signals"))
        for step in _STEPS
    ]
    pairs = [
        Pair(
            label=words.measure(step),
            first=parts.share_bar(_name(region), here),
            second=parts.share_bar(_name(TOTAL), everywhere),
        )
        for step, here, everywhere in steps
    ]
    signals = [parts.counted(numbers.get("signals", region=region)), parts.counted(numbers.get("signals"))]
    rows = [Row(head=gettext("Concluded signals"), cells=signals)]
    rows += [
        Row(head=words.measure(step), cells=[words.with_range(here), words.with_range(everywhere)])
        for step, here, everywhere in steps
    ]
    grid = Grid(caption=title, heads=[gettext("Step"), _name(region), _name(TOTAL)], rows=rows)
    return charts.pairs(_said("region", title, pairs), pairs, most=1.0), grid


def _lines() -> list[str]:
    """Return the codes of a table's lines: the regions by name, then unknown, then the country."""
    return [*sorted(PLACES, key=_name), "unknown", TOTAL]


def _name(code: str) -> str:
    return words.member("region", code)


def _tile(code: str, found: Share | None, most: float) -> Tile:
    if found is None:
        return Tile(name=_name(code), shown="", fill=None)
    return Tile(name=_name(code), shown=words.percent(found.value), fill=shade(found.value / most))


def _row(numbers: Numbers, code: str) -> Row:
    cells = [
        parts.counted(numbers.get("signals", region=code)),
        parts.counted(numbers.get("reached", region=code)),
        words.with_range(numbers.share("reached", "signals", region=code)),
    ]
    return Row(head=_name(code), cells=cells, total=code == TOTAL)


def _frame(key: str, title: str) -> Frame:
    described = gettext("A map with one tile for each of the 25 regions; the numbers are in the table.")
    return Frame(key=f"{key}-chart", title=title, description=described)


def _said(key: str, title: str, pairs: Sequence[Pair]) -> Frame:
    said = "; ".join(f"{pair.label}: {pair.first.shown}, {pair.second.shown}" for pair in pairs)
    return Frame(key=f"{key}-chart", title=title, description=f"{said}.")
