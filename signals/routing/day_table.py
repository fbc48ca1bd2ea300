"""The routes of one date: compiled once, then asked millions of times."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import repeat
from string import ascii_uppercase
from typing import Final, NamedTuple
from uuid import UUID

from signals.reference import Geography
from signals.routing.municipalities import municipalities_on, successors_on
from signals.routing.postcodes import HIGHEST_HOUSE_NUMBER, LOWEST_HOUSE_NUMBER
from signals.routing.rows import NATIONAL_AREA, CoverageLevel, CoverageRow, OrganisationFacts, RowsByArea
from signals.vocabulary import OrganisationKind


class NoNationalDesk(LookupError):
    """No national desk receives on this date, so some signals have no receiver."""

    def __init__(self) -> None:
        super().__init__((self.__doc__ or "").strip())


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """The receiving organisation and the reason; `covered` is False when only the national desk is left.

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


@dataclass(frozen=True, kw_only=True, slots=True)
class RoutingFacts:
    """The facts of all dates; the two `pc6` fields hold the official file where it is finer than the map."""

    rows: RowsByArea
    organisations: Mapping[UUID, OrganisationFacts]
    geography: Geography
    pc6_municipalities: Mapping[str, str]
    pc6_ranges: Mapping[str, tuple[Pc6MunicipalityRange, ...]]


@dataclass(frozen=True, slots=True)
class _Segments:
    """Routes of one postcode by house number: `routes[i]` holds from `starts[i]` to the next start."""

    starts: Sequence[int]
    routes: Sequence[Route]
    unnumbered: Route


_LETTER_PAIRS: Final = [first + second for first in ascii_uppercase for second in ascii_uppercase]

NOBODY: Final = OrganisationFacts(id=UUID(int=0), name="", kind=OrganisationKind.NATIONAL)
"""Stands for the national desk while there is none; no caller ever gets a route to it."""


class DayTable:
    """The routes of one date; an answer takes about half a microsecond."""

    __slots__ = ("_by_pc4", "_by_pc6", "_nowhere")

    def __init__(
        self, by_pc4: Mapping[str, Route], by_pc6: Mapping[str, Route | _Segments], nowhere: Route
    ) -> None:
        self._by_pc4 = by_pc4
        self._by_pc6 = by_pc6
        self._nowhere = nowhere

    @property
    def desk_id(self) -> UUID | None:
        """Return the national desk; None while there is none."""
        desk_id = self._nowhere.organisation_id
        return None if desk_id is NOBODY.id else desk_id

    def route(self, postcode: str, number: int | None) -> Route:
        """Return the route of a canonical postcode and a house number; see `RoutingTable.route`."""
        found = self._found(postcode, number)
        if found.organisation_id is NOBODY.id:
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

    @property
    def nowhere(self) -> Route:
        """Return the route of an address that no area covers."""
        return self._nowhere

    def routes_of(self, postcode: str, first: int, last: int) -> Iterable[Route]:
        """Return the routes of some house numbers of a postcode, both ends included."""
        found = self._by_pc6.get(postcode)
        if isinstance(found, _Segments):
            starts = found.starts
            return found.routes[bisect_right(starts, first) - 1 : bisect_right(starts, last)]
        return [found or self._by_pc4.get(postcode[:4], self._nowhere)]

    def finer(self, pc4: str) -> Iterator[tuple[str, int, int, Route]]:
        """Yield (postcode, first number, last number, route) of each postcode finer than four digits."""
        for postcode in map(pc4.__add__, _LETTER_PAIRS):
            found = self._by_pc6.get(postcode)
            if isinstance(found, Route):
                yield postcode, LOWEST_HOUSE_NUMBER, HIGHEST_HOUSE_NUMBER, found
            elif found:
                ends = [*(start - 1 for start in found.starts[1:]), HIGHEST_HOUSE_NUMBER]
                yield from zip(repeat(postcode), found.starts, ends, found.routes)

    def all_routes(self) -> Iterator[tuple[str, Route]]:
        """Yield each route with a postcode of four digits or, where it is finer, of six characters."""
        yield from self._by_pc4.items()
        for postcode, found in self._by_pc6.items():
            for route in [found] if isinstance(found, Route) else found.routes:
                yield postcode, route

    def pc4_routes(self) -> Mapping[str, Route]:
        """Return the route of each four-digit postcode on the map or with a row; finer rows do not count."""
        return self._by_pc4


def compile_day(facts: RoutingFacts, on: date) -> DayTable:
    """Return the routes of one date."""
    return _DayCompiler(facts, on).compile()


class _DayCompiler:
    """Finds the route of each area that needs one of its own."""

    def __init__(self, facts: RoutingFacts, on: date) -> None:
        self._facts = facts
        self._on = on
        self._successors = successors_on(facts.geography, on)
        self._municipalities = municipalities_on(facts.geography, on)
        self._desk = self._national_desk()
        self._pc4_municipality: dict[str, str | None] = {}
        self._routes: dict[tuple[UUID, str | None, CoverageLevel], Route] = {}

    def compile(self) -> DayTable:
        """Compile the four-digit routes first: the six-character ones fall back on them."""
        by_pc4 = self._pc4_routes()
        self._pc4_municipality = {pc4: route.municipality_code for pc4, route in by_pc4.items()}
        by_pc6 = {postcode: self._pc6_answer(postcode) for postcode in self._pc6_postcodes()}
        return DayTable(by_pc4, by_pc6, self._regional(None))

    def _pc6_postcodes(self) -> Iterable[str]:
        finer = (CoverageLevel.PC6, CoverageLevel.PC6_RANGE)
        covered = {area for level, area in self._facts.rows if level in finer}
        return covered | self._facts.pc6_municipalities.keys() | self._facts.pc6_ranges.keys()

    def _pc4_routes(self) -> dict[str, Route]:
        routes: dict[str, Route] = {}
        regional = cache(self._regional)  # twice as many runs as municipalities
        for first, last, old_code in self._facts.geography.pc4_runs:
            route = regional(self._successor(old_code))
            routes.update(dict.fromkeys(map(str, range(first, last + 1)), route))
        for level, area in self._facts.rows:
            if level is CoverageLevel.PC4:
                known = routes.get(area)
                routes[area] = self._pc4_route(area, known.municipality_code if known else None)
        return routes

    def _pc6_answer(self, postcode: str) -> Route | _Segments:
        starts = self._segment_starts(postcode)
        routes = [self._pc6_route(postcode, start) for start in starts]
        if len(set(routes)) == 1:
            return routes[0]
        return _Segments(starts, routes, self._unnumbered(postcode, routes))

    def _segment_starts(self, postcode: str) -> list[int]:
        """Return every house number at which an answer can change."""
        bounds = [row.numbers for row in self._in_force(CoverageLevel.PC6_RANGE, postcode)]
        bounds += [(part.number_from, part.number_to) for part in self._facts.pc6_ranges.get(postcode, ())]
        edges = {first for first, _ in bounds} | {last + 1 for _, last in bounds}
        inside = {edge for edge in edges if LOWEST_HOUSE_NUMBER <= edge <= HIGHEST_HOUSE_NUMBER}
        return sorted({LOWEST_HOUSE_NUMBER} | inside)

    def _pc6_route(self, postcode: str, number: int | None) -> Route:
        code = self._municipality(postcode, number)
        if number is not None:
            in_force = self._in_force(CoverageLevel.PC6_RANGE, postcode)
            covering = [row for row in in_force if row.numbers[0] <= number <= row.numbers[1]]
            if covering:
                winner = min(covering, key=_precedence).organisation_id
                return self._route(winner, code, CoverageLevel.PC6_RANGE)
        found = self._winner(CoverageLevel.PC6, postcode)
        if found is not None:
            return self._route(found, code, CoverageLevel.PC6)
        return self._pc4_route(postcode[:4], code)

    def _unnumbered(self, postcode: str, routes: Sequence[Route]) -> Route:
        """Return the route without a house number; ranges count only if all lead to one organisation."""
        if len({route.organisation_id for route in routes}) == 1:
            return self._route(routes[0].organisation_id, self._municipality(postcode, None), routes[0].level)
        return self._pc6_route(postcode, None)

    def _pc4_route(self, pc4: str, code: str | None) -> Route:
        winner = self._winner(CoverageLevel.PC4, pc4)
        return self._regional(code) if winner is None else self._route(winner, code, CoverageLevel.PC4)

    def _regional(self, code: str | None) -> Route:
        """Try the municipality, then its GGD region, then the national desk."""
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
        """Return the municipality from the official file, else the one of the four-digit postcode."""
        if number is not None:
            for part in self._facts.pc6_ranges.get(postcode, ()):
                if part.number_from <= number <= part.number_to:
                    return self._successor(part.municipality_code)
        exact = self._facts.pc6_municipalities.get(postcode)
        return self._pc4_municipality.get(postcode[:4]) if exact is None else self._successor(exact)

    def _successor(self, code: str) -> str:
        return self._successors.get(code, code)

    def _winner(self, level: CoverageLevel, area: str) -> UUID | None:
        candidates = self._in_force(level, area)
        return min(candidates, key=_precedence).organisation_id if candidates else None

    def _in_force(self, level: CoverageLevel, area: str) -> list[CoverageRow]:
        """Return the rows in force of organisations that receive."""
        organisations = self._facts.organisations
        return [
            row
            for row in self._facts.rows.get((level, area), ())
            if row.in_force(self._on) and organisations[row.organisation_id].receives(self._on)
        ]

    def _national_desk(self) -> UUID:
        """Return the desk that coverage names, else the one that receives longest, else nobody."""
        named = self._winner(CoverageLevel.NATIONAL, NATIONAL_AREA)
        if named is not None:
            return named
        desks = [
            (organisation.receives_from, organisation.id)
            for organisation in self._facts.organisations.values()
            if organisation.kind is OrganisationKind.NATIONAL and organisation.receives(self._on)
        ]
        return min(desks)[1] if desks else NOBODY.id

    def _route(self, organisation_id: UUID, code: str | None, level: CoverageLevel) -> Route:
        """Return one object for equal routes: eight thousand postcodes share a few hundred."""
        key = (organisation_id, code, level)
        if key not in self._routes:
            organisation = self._facts.organisations.get(organisation_id, NOBODY)
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


def _precedence(row: CoverageRow) -> tuple[int, int, UUID]:
    first, last = row.numbers
    return (last - first, -row.valid_from.toordinal(), row.organisation_id)
