"""The organisation that receives a signal about an address on a date: the longest match wins.

The table is pure and immutable: build it from coverage rows and organisations, and build it again when
coverage changes.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Final

from signals import reference
from signals.reference import Geography
from signals.routing.day_table import (
    DayTable,
    NoNationalDesk,
    Pc6MunicipalityRange,
    Route,
    RoutingFacts,
    compile_day,
)
from signals.routing.rows import NATIONAL_AREA, CoverageLevel, CoverageRow, OrganisationFacts, group_rows
from signals.vocabulary import OrganisationKind

# Today, yesterday and the dates of a backlog; a day costs a few milliseconds and about a megabyte.
_DAYS_KEPT: Final = 8


class RoutingTable:
    """All coverage of all dates; `on` compiles one date and keeps the last few."""

    __slots__ = ("_days", "_facts")

    def __init__(self, facts: RoutingFacts) -> None:
        self._facts = facts
        self._days: dict[date, DayTable] = {}

    @classmethod
    def build(
        cls,
        rows: Iterable[CoverageRow],
        organisations: Iterable[OrganisationFacts],
        *,
        geography: Geography | None = None,
        pc6_municipalities: Mapping[str, str] | None = None,
        pc6_ranges: Iterable[tuple[str, int, int, str]] = (),
    ) -> "RoutingTable":
        """Build a table of coverage rows in any order; raise `NoNationalDesk` when no organisation is one.

        Rows of an unknown organisation or area never match; `coverage_problems` names them. When two rows of
        one area are in force on a date, the narrower house-number range wins, then the later start, then the
        lower organisation id. `pc6_municipalities` and `pc6_ranges` (pc6, first number, last number, code)
        come from the official CBS file. They need only the postcodes that differ from the four-digit runs.
        """
        known = {organisation.id: organisation for organisation in organisations}
        grouped = group_rows(row for row in rows if row.organisation_id in known)
        is_named = (CoverageLevel.NATIONAL, NATIONAL_AREA) in grouped
        if not is_named and not any(one.kind is OrganisationKind.NATIONAL for one in known.values()):
            raise NoNationalDesk
        facts = RoutingFacts(
            rows=grouped,
            organisations=known,
            geography=reference.geography() if geography is None else geography,
            pc6_municipalities=dict(pc6_municipalities or {}),
            pc6_ranges=group_ranges(pc6_ranges),
        )
        return cls(facts)

    def route(self, postcode: str, number: int | None, on: date) -> Route:
        """Return the route of a canonical postcode `1012AB` on a date.

        An organisation that does not receive on the date is passed over for the next level. Without a house
        number, ranges of house numbers count only when together they give every number to one organisation.
        Raises `NoNationalDesk` where only a desk is left and none receives.
        """
        return self._day(on).route(postcode, number)

    def on(self, on: date) -> DayTable:
        """Return the routes of one date; raise `NoNationalDesk` when no national desk receives."""
        day = self._day(on)
        if day.desk_id is None:
            raise NoNationalDesk
        return day

    def _day(self, on: date) -> DayTable:
        day = self._days.get(on)
        if day is None:
            day = compile_day(self._facts, on)
            # A new dict rather than a change in place: other threads read this one without a lock.
            self._days = dict([*self._days.items(), (on, day)][-_DAYS_KEPT:])
        return day


def group_ranges(parts: Iterable[tuple[str, int, int, str]]) -> dict[str, tuple[Pc6MunicipalityRange, ...]]:
    """Return the ranges of each split postcode, in order."""
    grouped: dict[str, list[Pc6MunicipalityRange]] = defaultdict(list)
    for part in parts:
        grouped[part[0]].append(Pc6MunicipalityRange(*part))
    return {pc6: tuple(sorted(found)) for pc6, found in grouped.items()}
