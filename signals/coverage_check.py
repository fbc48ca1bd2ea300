"""What is wrong with coverage on a date (gaps, overlaps, dead rows), and what the next merger moves."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final
from uuid import UUID

from signals import reference
from signals.reference import BoundaryChange, Geography
from signals.routing_table import (
    NATIONAL_AREA,
    CoverageLevel,
    CoverageRow,
    NoNationalDesk,
    OrganisationFacts,
    RoutingTable,
    group_rows,
    municipalities_on,
    successors_on,
)


class ProblemKind(StrEnum):
    """What can be wrong with coverage on a date."""

    FALLS_TO_GGD = "falls_to_ggd"
    FALLS_TO_NATIONAL = "falls_to_national"
    OVERLAP = "overlap"
    UNKNOWN_ORGANISATION = "unknown_organisation"
    UNKNOWN_AREA = "unknown_area"
    ENDED_MUNICIPALITY = "ended_municipality"
    NO_NATIONAL_DESK = "no_national_desk"


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """A gap, an overlap or a row that can never match.

    `area` and `name` say where; of a municipality's `pc4_total` four-digit postcodes `pc4_count` fall.
    """

    kind: ProblemKind
    area: str
    name: str = ""
    organisation_ids: tuple[UUID, ...] = ()
    pc4_count: int = 0
    pc4_total: int = 0


def coverage_problems(
    rows: Iterable[CoverageRow],
    organisations: Iterable[OrganisationFacts],
    on: date,
    *,
    geography: Geography | None = None,
) -> list[Problem]:
    """Gaps on a date, and overlaps from then on; empty when every municipality has its own organisation.

    A municipality is a gap when four-digit postcodes of it resolve to its GGD or to the national desk only.
    """
    facts = reference.geography() if geography is None else geography
    all_rows = tuple(rows)
    known = tuple(organisations)
    live = [row for row in all_rows if row.valid_until is None or on < row.valid_until]
    return [
        *_gaps(all_rows, known, on, facts),
        *_overlaps(live),
        *_dead_rows(live, {organisation.id for organisation in known}, on, facts),
    ]


@dataclass(frozen=True, kw_only=True, slots=True)
class Move:
    """A municipality that ends: its successor takes its four-digit postcodes (first, last; both included).

    A split has several moves without postcodes: only the official file says which addresses went where.
    """

    old_code: str
    old_name: str
    new_code: str
    new_name: str
    pc4_runs: tuple[tuple[int, int], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class UpcomingChange:
    """All municipalities that end on one date."""

    effective_date: date
    moves: tuple[Move, ...]


def next_boundary_change(on: date, *, geography: Geography | None = None) -> UpcomingChange | None:
    """The first boundary change after a date and what it moves; None when none is known."""
    facts = reference.geography() if geography is None else geography
    coming = [change for change in facts.boundary_changes if change.effective_date > on]
    if not coming:
        return None
    effective = min(change.effective_date for change in coming)
    changes = [change for change in coming if change.effective_date == effective]
    return UpcomingChange(
        effective_date=effective, moves=tuple(_move(change, on, facts) for change in changes)
    )


def _gaps(
    rows: Sequence[CoverageRow], organisations: Sequence[OrganisationFacts], on: date, geography: Geography
) -> list[Problem]:
    try:
        day = RoutingTable.build(rows, organisations, geography=geography).on(on)
    except NoNationalDesk:
        return [Problem(kind=ProblemKind.NO_NATIONAL_DESK, area=NATIONAL_AREA)]
    levels: dict[str, list[CoverageLevel]] = defaultdict(list)
    for route in day.pc4_routes().values():
        if route.municipality_code is not None:
            levels[route.municipality_code].append(route.level)
    names = municipalities_on(geography, on)
    return [
        Problem(
            kind=kind,
            area=code,
            name=names[code].name if code in names else "",
            pc4_count=found.count(level),
            pc4_total=len(found),
        )
        for code, found in sorted(levels.items())
        for level, kind in _GAP_KINDS.items()
        if level in found
    ]


_GAP_KINDS: Final = {
    CoverageLevel.GGD_REGION: ProblemKind.FALLS_TO_GGD,
    CoverageLevel.NATIONAL: ProblemKind.FALLS_TO_NATIONAL,
}


def _overlaps(rows: Iterable[CoverageRow]) -> list[Problem]:
    """Pairs of organisations with the same area, dates and numbers in common; one problem for each area."""
    clashing: dict[tuple[CoverageLevel, str], set[UUID]] = defaultdict(set)
    for key, found in group_rows(rows).items():
        for position, one in enumerate(found):
            for other in found[position + 1 :]:
                if one.organisation_id != other.organisation_id and _overlap(one, other):
                    clashing[key] |= {one.organisation_id, other.organisation_id}
    return [
        Problem(kind=ProblemKind.OVERLAP, area=area, organisation_ids=tuple(sorted(ids)))
        for (_, area), ids in sorted(clashing.items())
    ]


def _overlap(one: CoverageRow, other: CoverageRow) -> bool:
    if max(one.valid_from, other.valid_from) >= min(
        one.valid_until or date.max, other.valid_until or date.max
    ):
        return False
    (first, last), (other_first, other_last) = one.numbers, other.numbers
    return first <= other_last and other_first <= last


def _dead_rows(
    rows: Iterable[CoverageRow], known: set[UUID], on: date, geography: Geography
) -> list[Problem]:
    """Rows that match nothing on the date, though they say they are in force."""
    current = municipalities_on(geography, on)
    ended = {change.old_code for change in geography.boundary_changes if change.effective_date <= on}
    coming = {change.new_code for change in geography.boundary_changes if change.effective_date > on}
    regions = {municipality.ggd_code for municipality in current.values()}
    problems: dict[tuple[ProblemKind, str], set[UUID]] = defaultdict(set)
    for row in rows:
        if row.organisation_id not in known:
            problems[ProblemKind.UNKNOWN_ORGANISATION, row.area].add(row.organisation_id)
        if row.level is CoverageLevel.MUNICIPALITY and row.area in ended and row.area not in current:
            problems[ProblemKind.ENDED_MUNICIPALITY, row.area].add(row.organisation_id)
        elif not _exists(row, current.keys() | coming, regions):
            problems[ProblemKind.UNKNOWN_AREA, row.area].add(row.organisation_id)
    return [
        Problem(kind=kind, area=area, organisation_ids=tuple(sorted(ids)))
        for (kind, area), ids in sorted(problems.items())
    ]


def _exists(row: CoverageRow, municipalities: set[str], regions: set[str]) -> bool:
    """Whether an area can match; postcodes are checked for shape only: new ones are issued every month."""
    match row.level:
        case CoverageLevel.MUNICIPALITY:
            return row.area in municipalities
        case CoverageLevel.GGD_REGION:
            return row.area in regions
        case CoverageLevel.NATIONAL:
            return row.area == NATIONAL_AREA
        case CoverageLevel.PC4:
            return len(row.area) == 4 and _is_pc4(row.area)
        case CoverageLevel.PC6 | CoverageLevel.PC6_RANGE:
            first, last = row.numbers
            return _is_pc6(row.area) and first <= last


def _is_pc4(text: str) -> bool:
    return text.isascii() and text.isdecimal() and "1000" <= text <= "9999"


def _is_pc6(text: str) -> bool:
    letters = text[4:]
    return (
        len(text) == 6 and _is_pc4(text[:4]) and letters.isascii() and letters.isalpha() and letters.isupper()
    )


def _move(change: BoundaryChange, on: date, geography: Geography) -> Move:
    successors = successors_on(geography, on)
    runs = tuple(
        (run.first, run.last)
        for run in geography.pc4_runs
        if change.kind != reference.SPLIT
        and successors.get(run.municipality_code, run.municipality_code) == change.old_code
    )
    return Move(
        old_code=change.old_code,
        old_name=change.old_name,
        new_code=change.new_code,
        new_name=change.new_name,
        pc4_runs=runs,
    )
