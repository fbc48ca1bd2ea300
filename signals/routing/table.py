"""Which organisation receives a signal about an address on a date: the longest match wins.

Pure and immutable: built from coverage rows and organisations, asked millions of times, rebuilt when
coverage changes.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from typing import Final, NamedTuple
from uuid import UUID

from signals import reference
from signals.reference import BoundaryChange, Geography, Municipality
from signals.vocabulary import OrganisationKind

NATIONAL_AREA: Final = "NL"

_FIRST_NUMBER: Final = 1
_LAST_NUMBER: Final = 99999
# Today, yesterday and the dates of a backlog; a day costs a few milliseconds and about a megabyte.
_DAYS_KEPT: Final = 8


class CoverageLevel(StrEnum):
    """How precisely a coverage row names its area, from the longest match to the shortest."""

    PC6_RANGE = "pc6_range"
    PC6 = "pc6"
    PC4 = "pc4"
    MUNICIPALITY = "municipality"
    GGD_REGION = "ggd_region"
    NATIONAL = "national"


class NoNationalDesk(LookupError):
    """No national desk receives on this date, so that some signals could reach nobody."""

    def __init__(self) -> None:
        super().__init__((self.__doc__ or "").strip())


@dataclass(frozen=True, kw_only=True, slots=True)
class CoverageRow:
    """An organisation covers an area from a date until a date, the latter excluded (None: without end).

    `area` is `1012AB`, `1012`, `GM0363`, `GG3406` or `NL` by level. House numbers go with `pc6_range` only;
    both ends are included, and None leaves that end open.
    """

    organisation_id: UUID
    level: CoverageLevel
    area: str
    number_from: int | None = None
    number_to: int | None = None
    valid_from: date
    valid_until: date | None = None

    @property
    def numbers(self) -> tuple[int, int]:
        """First and last house number covered, both included."""
        first = _FIRST_NUMBER if self.number_from is None else self.number_from
        last = _LAST_NUMBER if self.number_to is None else self.number_to
        return first, last

    def in_force(self, on: date) -> bool:
        """Whether the row counts on a date, its organisation aside."""
        return self.valid_from <= on and (self.valid_until is None or on < self.valid_until)


@dataclass(frozen=True, kw_only=True, slots=True)
class OrganisationFacts:
    """What routing knows of an organisation: receives from a date (None: not yet) until one, excluded."""

    id: UUID
    name: str
    kind: OrganisationKind
    receives_from: date | None = None
    receives_until: date | None = None

    def receives(self, on: date) -> bool:
        """Whether it is onboarded and not suspended on a date."""
        if self.receives_from is None or on < self.receives_from:
            return False
        return self.receives_until is None or on < self.receives_until


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """The receiving organisation and why; `covered` is False when only the national desk was left.

    The municipality is None for a postcode that is on no map; a row of its own can still cover it.
    """

    organisation_id: UUID
    name: str
    kind: OrganisationKind
    municipality_code: str | None
    municipality_name: str | None
    level: CoverageLevel
    covered: bool


class Pc6MunicipalityRange(NamedTuple):
    """House numbers, both ends included, of a six-character postcode that lies in several municipalities."""

    pc6: str
    number_from: int
    number_to: int
    municipality_code: str


@dataclass(frozen=True, slots=True)
class _Segments:
    """Routes of one postcode by house number: `routes[i]` holds from `starts[i]` to the next start."""

    starts: Sequence[int]
    routes: Sequence[Route]
    unnumbered: Route


_NOBODY: Final = OrganisationFacts(id=UUID(int=0), name="", kind=OrganisationKind.NATIONAL)
"""Receives what is left when no national desk does; no route to it is ever given out."""


class DayTable:
    """The answers of one date, compiled: about half a microsecond each."""

    __slots__ = ("_by_pc4", "_by_pc6", "_nowhere")

    def __init__(
        self, by_pc4: Mapping[str, Route], by_pc6: Mapping[str, Route | _Segments], nowhere: Route
    ) -> None:
        self._by_pc4 = by_pc4
        self._by_pc6 = by_pc6
        self._nowhere = nowhere

    @property
    def desk_id(self) -> UUID | None:
        """The national desk, which receives what nobody else does; None while there is none."""
        desk_id = self._nowhere.organisation_id
        return None if desk_id is _NOBODY.id else desk_id

    def route(self, postcode: str, number: int | None) -> Route:
        """Route of a canonical postcode and a house number; see `RoutingTable.route`."""
        found = self._found(postcode, number)
        if found.organisation_id is _NOBODY.id:
            raise NoNationalDesk
        return found

    def _found(self, postcode: str, number: int | None) -> Route:
        found = self._by_pc6.get(postcode)
        if found is None:
            return self._by_pc4.get(postcode[:4], self._nowhere)
        if isinstance(found, Route):
            return found
        if number is None:
            return found.unnumbered
        return found.routes[bisect_right(found.starts, number) - 1]

    def pc4_routes(self) -> Mapping[str, Route]:
        """Route of every four-digit postcode on the map or with a row of its own, finer rows aside."""
        return self._by_pc4


class RoutingTable:
    """All coverage of all dates; `on` compiles one date and keeps the last few."""

    __slots__ = ("_days", "_geography", "_organisations", "_pc6_municipalities", "_pc6_ranges", "_rows")

    def __init__(
        self,
        *,
        rows: Mapping[tuple[CoverageLevel, str], tuple[CoverageRow, ...]],
        organisations: Mapping[UUID, OrganisationFacts],
        geography: Geography,
        pc6_municipalities: Mapping[str, str],
        pc6_ranges: Mapping[str, tuple[Pc6MunicipalityRange, ...]],
    ) -> None:
        self._rows = rows
        self._organisations = organisations
        self._geography = geography
        self._pc6_municipalities = pc6_municipalities
        self._pc6_ranges = pc6_ranges
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
        """Table of coverage rows, in any order; raises `NoNationalDesk` when no organisation is one.

        Rows of an unknown organisation or area never match; `coverage_check` names them. When two rows of
        one area are in force on a date, the narrower house-number range wins, then the later start, then the
        lower organisation id. `pc6_municipalities` and `pc6_ranges` (pc6, first number, last number, code)
        come from the official CBS file, and are needed only where they differ from the four-digit runs.
        """
        known = {organisation.id: organisation for organisation in organisations}
        grouped = group_rows(row for row in rows if row.organisation_id in known)
        if not _national_candidates(grouped, known):
            raise NoNationalDesk
        return cls(
            rows=grouped,
            organisations=known,
            geography=reference.geography() if geography is None else geography,
            pc6_municipalities=dict(pc6_municipalities or {}),
            pc6_ranges=_group_ranges(pc6_ranges),
        )

    def route(self, postcode: str, number: int | None, on: date) -> Route:
        """Route of a canonical postcode `1012AB` on a date; never fails while a national desk receives.

        An organisation that does not receive on the date is passed over for the next level. Without a house
        number, ranges of house numbers count only when together they give every number to one organisation.
        Raises `NoNationalDesk` where only a desk is left and none receives.
        """
        return self._day(on).route(postcode, number)

    def on(self, on: date) -> DayTable:
        """The compiled answers of one date; raises `NoNationalDesk` when no national desk receives on it."""
        day = self._day(on)
        if day.desk_id is None:
            raise NoNationalDesk
        return day

    def _day(self, on: date) -> DayTable:
        day = self._days.get(on)
        if day is None:
            day = self._compile(on)
            # A new dict rather than a change in place: other threads read this one without a lock.
            self._days = dict([*self._days.items(), (on, day)][-_DAYS_KEPT:])
        return day

    def _compile(self, on: date) -> DayTable:
        return _DayCompiler(
            rows=self._rows,
            organisations=self._organisations,
            geography=self._geography,
            pc6_municipalities=self._pc6_municipalities,
            pc6_ranges=self._pc6_ranges,
            on=on,
        ).compile()


class _DayCompiler:
    """Works out the answers of one date the plain way, once for each area that needs one of its own."""

    def __init__(
        self,
        *,
        rows: Mapping[tuple[CoverageLevel, str], tuple[CoverageRow, ...]],
        organisations: Mapping[UUID, OrganisationFacts],
        geography: Geography,
        pc6_municipalities: Mapping[str, str],
        pc6_ranges: Mapping[str, tuple[Pc6MunicipalityRange, ...]],
        on: date,
    ) -> None:
        self._rows = rows
        self._organisations = organisations
        self._geography = geography
        self._pc6_municipalities = pc6_municipalities
        self._pc6_ranges = pc6_ranges
        self._on = on
        self._successors = successors_on(geography, on)
        self._municipalities = municipalities_on(geography, on)
        self._desk = self._national_desk()
        self._pc4_municipality: dict[str, str | None] = {}
        self._routes: dict[tuple[UUID, str | None, CoverageLevel], Route] = {}

    def compile(self) -> DayTable:
        """Four-digit answers first: six-character ones fall back on them."""
        by_pc4 = self._pc4_routes()
        postcodes = {
            area for level, area in self._rows if level in (CoverageLevel.PC6, CoverageLevel.PC6_RANGE)
        }
        postcodes |= self._pc6_municipalities.keys() | self._pc6_ranges.keys()
        self._pc4_municipality = {pc4: route.municipality_code for pc4, route in by_pc4.items()}
        by_pc6 = {postcode: self._pc6_answer(postcode) for postcode in postcodes}
        return DayTable(by_pc4, by_pc6, self._regional(None))

    def _pc4_routes(self) -> dict[str, Route]:
        routes: dict[str, Route] = {}
        regional = cache(self._regional)  # twice as many runs as municipalities
        for first, last, old_code in self._geography.pc4_runs:
            route = regional(self._successor(old_code))
            routes.update(dict.fromkeys(map(str, range(first, last + 1)), route))
        for level, area in self._rows:
            if level is CoverageLevel.PC4:
                routes[area] = self._pc4_route(area, self._code_of(routes.get(area)))
        return routes

    @staticmethod
    def _code_of(route: Route | None) -> str | None:
        return None if route is None else route.municipality_code

    def _pc6_answer(self, postcode: str) -> Route | _Segments:
        starts = self._segment_starts(postcode)
        routes = [self._pc6_route(postcode, start) for start in starts]
        if len(set(routes)) == 1:
            return routes[0]
        return _Segments(starts, routes, self._unnumbered(postcode, routes))

    def _segment_starts(self, postcode: str) -> list[int]:
        """Every house number at which an answer can change."""
        bounds = [row.numbers for row in self._in_force(CoverageLevel.PC6_RANGE, postcode)]
        bounds += [(part.number_from, part.number_to) for part in self._pc6_ranges.get(postcode, ())]
        edges = {first for first, _ in bounds} | {last + 1 for _, last in bounds}
        return sorted({_FIRST_NUMBER} | {edge for edge in edges if _FIRST_NUMBER <= edge <= _LAST_NUMBER})

    def _pc6_route(self, postcode: str, number: int | None) -> Route:
        code = self._municipality(postcode, number)
        if number is not None:
            covering = [
                row for row in self._in_force(CoverageLevel.PC6_RANGE, postcode) if _holds(row, number)
            ]
            if covering:
                return self._route(
                    min(covering, key=_precedence).organisation_id, code, CoverageLevel.PC6_RANGE
                )
        winner = self._winner(CoverageLevel.PC6, postcode)
        if winner is not None:
            return self._route(winner, code, CoverageLevel.PC6)
        return self._pc4_route(postcode[:4], code)

    def _unnumbered(self, postcode: str, routes: Sequence[Route]) -> Route:
        """One organisation for every number is an answer; otherwise the ranges are left out."""
        if len({route.organisation_id for route in routes}) == 1:
            return self._route(routes[0].organisation_id, self._municipality(postcode, None), routes[0].level)
        return self._pc6_route(postcode, None)

    def _pc4_route(self, pc4: str, code: str | None) -> Route:
        winner = self._winner(CoverageLevel.PC4, pc4)
        return self._regional(code) if winner is None else self._route(winner, code, CoverageLevel.PC4)

    def _regional(self, code: str | None) -> Route:
        """Municipality, then its GGD region, then the national desk."""
        municipality = self._municipalities.get(code) if code is not None else None
        if municipality is not None:
            for level, area in (
                (CoverageLevel.MUNICIPALITY, municipality.code),
                (CoverageLevel.GGD_REGION, municipality.ggd_code),
            ):
                winner = self._winner(level, area)
                if winner is not None:
                    return self._route(winner, code, level)
        return self._route(self._desk, code, CoverageLevel.NATIONAL)

    def _municipality(self, postcode: str, number: int | None) -> str | None:
        """The official file's answer where it has one, else that of the four-digit postcode."""
        if number is not None:
            for part in self._pc6_ranges.get(postcode, ()):
                if part.number_from <= number <= part.number_to:
                    return self._successor(part.municipality_code)
        exact = self._pc6_municipalities.get(postcode)
        return self._pc4_municipality.get(postcode[:4]) if exact is None else self._successor(exact)

    def _successor(self, code: str) -> str:
        return self._successors.get(code, code)

    def _winner(self, level: CoverageLevel, area: str) -> UUID | None:
        candidates = self._in_force(level, area)
        return min(candidates, key=_precedence).organisation_id if candidates else None

    def _in_force(self, level: CoverageLevel, area: str) -> list[CoverageRow]:
        """Rows that count today: in force, and their organisation receives."""
        return [
            row
            for row in self._rows.get((level, area), ())
            if row.in_force(self._on) and self._organisations[row.organisation_id].receives(self._on)
        ]

    def _national_desk(self) -> UUID:
        """The desk that coverage names, else any national organisation that receives, else nobody."""
        named = self._winner(CoverageLevel.NATIONAL, NATIONAL_AREA)
        if named is not None:
            return named
        desks = [
            organisation.id
            for organisation in self._organisations.values()
            if organisation.kind is OrganisationKind.NATIONAL and organisation.receives(self._on)
        ]
        return min(desks, default=_NOBODY.id)

    def _route(self, organisation_id: UUID, code: str | None, level: CoverageLevel) -> Route:
        """Equal routes are one object: eight thousand postcodes share a few hundred."""
        key = (organisation_id, code, level)
        if key not in self._routes:
            organisation = self._organisations.get(organisation_id, _NOBODY)
            municipality = self._municipalities.get(code) if code is not None else None
            self._routes[key] = Route(
                organisation_id=organisation.id,
                name=organisation.name,
                kind=organisation.kind,
                municipality_code=code,
                municipality_name=None if municipality is None else municipality.name,
                level=level,
                covered=level is not CoverageLevel.NATIONAL,
            )
        return self._routes[key]


def _holds(row: CoverageRow, number: int) -> bool:
    first, last = row.numbers
    return first <= number <= last


def _precedence(row: CoverageRow) -> tuple[int, int, UUID]:
    first, last = row.numbers
    return (last - first, -row.valid_from.toordinal(), row.organisation_id)


def group_rows(rows: Iterable[CoverageRow]) -> dict[tuple[CoverageLevel, str], tuple[CoverageRow, ...]]:
    grouped: dict[tuple[CoverageLevel, str], list[CoverageRow]] = defaultdict(list)
    for row in rows:
        grouped[row.level, row.area].append(row)
    return {key: tuple(sorted(found, key=lambda row: row.valid_from)) for key, found in grouped.items()}


def _group_ranges(parts: Iterable[tuple[str, int, int, str]]) -> dict[str, tuple[Pc6MunicipalityRange, ...]]:
    grouped: dict[str, list[Pc6MunicipalityRange]] = defaultdict(list)
    for part in parts:
        grouped[part[0]].append(Pc6MunicipalityRange(*part))
    return {pc6: tuple(sorted(found)) for pc6, found in grouped.items()}


def _national_candidates(
    rows: Mapping[tuple[CoverageLevel, str], tuple[CoverageRow, ...]],
    organisations: Mapping[UUID, OrganisationFacts],
) -> bool:
    if (CoverageLevel.NATIONAL, NATIONAL_AREA) in rows:
        return True
    return any(organisation.kind is OrganisationKind.NATIONAL for organisation in organisations.values())


def _applicable(geography: Geography, on: date) -> list[BoundaryChange]:
    """Changes since the state of the runs with one successor; only the official file can apply a split."""
    return [
        change
        for change in geography.boundary_changes
        if geography.state_of < change.effective_date <= on and change.kind != reference.SPLIT
    ]


def successors_on(geography: Geography, on: date) -> dict[str, str]:
    """Code in force on a date for every code that ended since the state of the runs."""
    successors: dict[str, str] = {}
    for change in sorted(_applicable(geography, on), key=lambda change: change.effective_date):
        for old, new in successors.items():
            if new == change.old_code:
                successors[old] = change.new_code
        successors[change.old_code] = change.new_code
    return successors


def municipalities_on(geography: Geography, on: date) -> dict[str, Municipality]:
    """Municipalities of a date; a new one inherits GGD region and province from one of its predecessors."""
    found = dict(geography.municipalities)
    for change in sorted(_applicable(geography, on), key=lambda change: change.effective_date):
        ended = found.pop(change.old_code, None)
        if ended is not None:
            found[change.new_code] = _grown(found.get(change.new_code), ended, change)
    return found


def _grown(successor: Municipality | None, ended: Municipality, change: BoundaryChange) -> Municipality:
    kept = ended if successor is None else successor
    return Municipality(
        code=change.new_code,
        name=change.new_name,
        ggd_code=kept.ggd_code,
        province_code=kept.province_code,
        inhabitants=ended.inhabitants + (0 if successor is None else successor.inhabitants),
    )
