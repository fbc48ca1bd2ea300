"""Figures by area: the tile map of the regions, and one region beside the country."""

from collections.abc import Sequence
from typing import Final

from flask_babel import gettext

from privacy.disclosure.tables import TOTAL
from signals.statistics import ReleasedTable
from signals.web.figures import charts, story, words
from signals.web.figures.charts import Pair, shade
from signals.web.figures.figure import Figure, Grid, Row, Source
from signals.web.figures.numbers import Numbers
from signals.web.figures.shares import Share
from signals.web.figures.svg import Frame
from signals.web.figures.tile_map import PLACES, Tile, tile_map

_STEPS: Final = story.FUNNEL[1:]


def reached_map(table: ReleasedTable) -> Figure:
    """The share reached in each region; `table`: `regions_follow_up` of a year."""
    numbers, title = Numbers(table), gettext("Reached by region")
    about = gettext(
        "Share of the residents who were reached, of the signals concluded in %(period)s. One tile is one "
        "GGD region, about where it lies; darker is more.",
        period=words.period(table.period),
    )
    if table.withheld:
        return _withheld(table, key="regions", title=title, about=about)
    found = {code: numbers.share("reached", "signals", region=code) for code in PLACES}
    most = max((one.value for one in found.values() if one), default=1.0)
    tiles = {code: _tile(code, one, most) for code, one in found.items()}
    rows = [_row(numbers, code) for code in (*sorted(PLACES, key=_name), "unknown")]
    rows.append(_row(numbers, TOTAL))
    heads = [
        words.dimension("region"),
        gettext("Concluded"),
        words.measure("reached"),
        gettext("Share (range)"),
    ]
    return Figure(
        key="regions",
        title=title,
        about=about,
        reliability=[
            gettext(
                "Few signals a region: most ranges overlap, and then the order of regions means nothing."
            ),
            *story.reliability(),
        ],
        source=Source(period=table.period, table=table.schema.name),
        chart=tile_map(_frame("regions", title), tiles),
        grid=Grid(caption=title, heads=heads, rows=rows),
    )


def received_map(table: ReleasedTable) -> Figure:
    """Signals received in each region; `table`: `regions_received`."""
    numbers, title = Numbers(table), gettext("Signals received by region")
    about = gettext(
        "Signals received in %(period)s. Darker is more; a region with more inhabitants has more signals.",
        period=words.period(table.period),
    )
    if table.withheld:
        return _withheld(table, key="regions-received", title=title, about=about)
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
    codes = (*sorted(PLACES, key=_name), "unknown", TOTAL)
    rows = [
        Row(
            head=_name(code),
            cells=[story.counted(numbers.get("signals", region=code))],
            total=code == TOTAL,
        )
        for code in codes
    ]
    return Figure(
        key="regions-received",
        title=title,
        about=about,
        reliability=story.reliability(),
        source=Source(period=table.period, table=table.schema.name),
        chart=tile_map(_frame("regions-received", title), tiles),
        grid=Grid(caption=title, heads=[words.dimension("region"), gettext("Signals")], rows=rows),
    )


def beside_country(table: ReleasedTable, region: str) -> Figure:
    """One region and the country, step by step; `table`: `regions_follow_up`."""
    numbers = Numbers(table)
    title = gettext("%(region)s beside the whole country", region=_name(region))
    about = gettext("Shares of the signals concluded in %(period)s.", period=words.period(table.period))
    if table.withheld:
        return _withheld(table, key="region", title=title, about=about)
    both = [
        (step, numbers.share(step, "signals", region=region), numbers.share(step, "signals"))
        for step in _STEPS
    ]
    pairs = [
        Pair(
            label=words.measure(step),
            first=story.share_bar(_name(region), here),
            second=story.share_bar(_name(TOTAL), everywhere),
        )
        for step, here, everywhere in both
    ]
    signals = [story.counted(numbers.get("signals", region=region)), story.counted(numbers.get("signals"))]
    rows = [Row(head=gettext("Concluded signals"), cells=signals)]
    rows += [
        Row(head=words.measure(step), cells=[words.with_range(here), words.with_range(everywhere)])
        for step, here, everywhere in both
    ]
    heads = [gettext("Step"), _name(region), _name(TOTAL)]
    return Figure(
        key="region",
        title=title,
        about=about,
        reliability=[
            gettext("Where the thin lines of both bars overlap, rounding alone may explain the difference."),
            *story.reliability(),
        ],
        source=Source(period=table.period, table=table.schema.name),
        chart=charts.pairs(_said("region", title, pairs), pairs, most=1.0),
        grid=Grid(caption=title, heads=heads, rows=rows),
        signs=[("filled", _name(region)), ("outline", _name(TOTAL))],
    )


def regions() -> list[tuple[str, str]]:
    """(code, name) for the choice of a region."""
    return [(code, _name(code)) for code in sorted(PLACES, key=_name)]


def _name(code: str) -> str:
    return words.member("region", code)


def _tile(code: str, found: Share | None, most: float) -> Tile:
    if found is None:
        return Tile(name=_name(code), shown="", fill=None)
    return Tile(name=_name(code), shown=words.percent(found.value), fill=shade(found.value / most))


def _row(numbers: Numbers, code: str) -> Row:
    cells = [
        story.counted(numbers.get("signals", region=code)),
        story.counted(numbers.get("reached", region=code)),
        words.with_range(numbers.share("reached", "signals", region=code)),
    ]
    return Row(head=_name(code), cells=cells, total=code == TOTAL)


def _frame(key: str, title: str) -> Frame:
    described = gettext("A map with one tile for each of the 25 regions; the numbers are in the table.")
    return Frame(key=f"{key}-chart", title=title, description=described)


def _said(key: str, title: str, pairs: Sequence[Pair]) -> Frame:
    said = "; ".join(f"{pair.label}: {pair.first.shown}, {pair.second.shown}" for pair in pairs)
    return Frame(key=f"{key}-chart", title=title, description=f"{said}.")


def _withheld(table: ReleasedTable, *, key: str, title: str, about: str) -> Figure:
    return Figure(
        key=key,
        title=title,
        about=about,
        reliability=story.reliability(),
        source=Source(period=table.period, table=table.schema.name),
        missing=story.withheld(),
    )
