"""The municipalities and regions of a period of years, kept with its release for ever.

Municipalities merge and move, and the reference files know one day only. Each quarter keeps the region of
each counted municipality, and a window of years has every municipality that existed within it. Windows do not
overlap, so nothing adds up their municipalities: another division is another dimension and another table.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from privacy.disclosure.tables import TOTAL, Period, Schema
from signals import reference
from signals.statistics.facts import region_of
from signals.statistics.old_menu import MUNICIPALITIES, UNKNOWN, is_division, municipalities

PLACES: Final = "places"
"""The name in the ledger of what was received by region and municipality together, without margins."""

Places = Mapping[tuple[tuple[str, ...], str], int]


@dataclass(frozen=True, kw_only=True)
class Division:
    """The municipalities of a window, each with its region.

    One that was counted in two regions is two members, of which the second carries the region in its name.
    """

    regions: Mapping[str, str]

    def table(self, window: Period, earlier: Iterable[Schema]) -> Schema:
        """Return the table of this division: that of an equal earlier one, or a new one."""
        known = {schema.name: schema for schema in earlier if is_division(schema.name)}
        for schema in known.values():
            if schema.dimensions[0].parent == self.regions:
                return schema
        return municipalities(self.regions, since=window.first if MUNICIPALITIES in known else None)

    def counts(self, places: Places) -> Counter[tuple[tuple[str, ...], str]]:
        """Return the received signals by the members of this division."""
        found: Counter[tuple[tuple[str, ...], str]] = Counter()
        for ((region, code), measure), number in places.items():
            for key in (TOTAL, self._member(region, code)):
                found[(key,), measure] += number
        return found

    def _member(self, region: str, code: str) -> str:
        return code if self.regions.get(code) == region else moved(code, region)


def division_of(window: Period, until: date, places: Places) -> Division:
    """Every municipality of a window: all that existed on some day from its first until it was counted.

    Not those that were counted only, for then a hidden one would be known to be no zero; and not those that
    ended before, which would be known to be zero. What was counted otherwise than any map says is added.
    """
    counted = sorted(keys for keys, _measure in places)
    regions = {code: _home(code, counted) for code in sorted({*_existing(date(window.first, 1, 1), until)})}
    for region, code in counted:
        if regions.setdefault(code, region) != region:
            regions[moved(code, region)] = region
    regions.pop(UNKNOWN, None)
    return Division(regions={**dict(sorted(regions.items())), UNKNOWN: UNKNOWN})


def moved(code: str, region: str) -> str:
    """Return the member for a municipality in another region than the listed one."""
    return f"{code}-{region}"


def _home(code: str, counted: Iterable[tuple[str, ...]]) -> str:
    """Return the region of a municipality in the reference files, unless all counts name another."""
    as_counted = [region for region, other in counted if other == code]
    known = region_of(code)
    return as_counted[0] if as_counted and known not in as_counted else known or UNKNOWN


def _existing(first: date, last: date) -> Iterator[str]:
    """Yield the codes of all municipalities that existed on a day of these."""
    ends = {change.old_code: change.effective_date for change in reference.boundary_changes()}
    starts = {
        change.new_code: change.effective_date
        for change in reference.boundary_changes()
        if change.kind == reference.MERGED_INTO_NEW
    }
    for code in {*reference.municipalities(), *ends, *starts}:
        if starts.get(code, date.min) <= last and ends.get(code, date.max) > first:
            yield code
