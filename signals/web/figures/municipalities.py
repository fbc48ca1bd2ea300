"""Signals by municipality: one fold for each region, and the next period of such figures."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from flask_babel import gettext

from privacy.disclosure.tables import QUARTER, TOTAL, read_period
from signals.statistics import ReleasedTable
from signals.statistics.old_menu import is_division, window_from
from signals.web.figures import parts, words
from signals.web.figures.figure import Grid, Row
from signals.web.figures.library import Library
from signals.web.figures.numbers import Numbers

REGIONS: Final = "regions_received"
"""The table of the same release with the totals of the regions."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """The municipalities of one region: the text on the closed fold, and their table."""

    key: str
    title: str
    said: str
    grid: Grid


def by_region(table: ReleasedTable, regions: ReleasedTable) -> list[Part]:
    """Return a table of municipalities in folds, by the names of regions; none when it was withheld."""
    if table.withheld:
        return []
    parents = table.schema.dimensions[0].parent or {}
    totals = None if regions.withheld else Numbers(regions)
    members: dict[str, list[str]] = {}
    for code, region in parents.items():
        members.setdefault(region, []).append(code)
    folds = [_part(table, region, codes, totals) for region, codes in members.items()]
    return sorted(folds, key=lambda part: (part.key == "unknown", part.title))


def newest_window(found: Library) -> tuple[str, str] | None:
    """Return (period, table) of the newest figures by municipality; None before the first."""
    for release in found.releases:
        for table in release.tables:
            if is_division(table.name):
                return release.period, table.name
    return None


def coming_window(found: Library) -> str | None:
    """Return the first window whose every quarter was or can be released; None before the first release."""
    quarters = [one.period for one in found.releases if read_period(one.period).kind == QUARTER]
    if not quarters:
        return None
    begun = read_period(min(quarters))
    first, last = window_from(begun.first + (begun.quarter > 1))
    released = newest_window(found)
    while released is not None and first <= read_period(released[0]).first:
        first, last = window_from(last + 1)
    return f"{first}-{last}"


def _part(table: ReleasedTable, region: str, codes: Iterable[str], totals: Numbers | None) -> Part:
    name = table.schema.dimensions[0].name
    numbers = Numbers(table)
    found = sorted((words.member(name, code), numbers.get("signals", **{name: code})) for code in codes)
    title = words.member("region", region)
    total = totals.get("signals", region=region) if totals else None
    shown = sum(count is not None for _, count in found)
    said = gettext(
        "Signals: %(total)s. %(shown)d of %(all)d municipalities shown",
        total=parts.counted(total) or gettext("hidden"),
        shown=shown,
        all=len(found),
    )
    rows = [Row(head=place, cells=[parts.counted(count)]) for place, count in found]
    rows.append(Row(head=gettext("The whole region"), cells=[parts.counted(total)], total=True))
    heads = [words.dimension(name), gettext("Signals")]
    return Part(key=region, title=title, said=said, grid=Grid(caption=title, heads=heads, rows=rows))


def whole_country(table: ReleasedTable) -> str | None:
    """Return the total of the country; None when it is hidden."""
    return parts.counted(Numbers(table).get("signals", **{table.schema.dimensions[0].name: TOTAL}))
