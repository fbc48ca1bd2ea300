"""Problems of coverage on a date: gaps, overlaps, dead rows; and the effect of the next boundary change."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final
from uuid import UUID

from signals import reference
from signals.reference import BoundaryChange, Geography
from signals.routing.areas import areas_overlap, has_shape
from signals.routing.boundary_changes import Days, Handover, Receiver
from signals.routing.day_table import NoNationalDesk
from signals.routing.municipalities import municipalities_on, successors_on
from signals.routing.postcodes import HIGHEST_HOUSE_NUMBER
from signals.routing.rows import NATIONAL_AREA, CoverageLevel, CoverageRow, OrganisationFacts, group_rows
from signals.routing.table import RoutingTable


class ProblemKind(StrEnum):
    """The kinds of problems."""

    FALLS_TO_GGD = "falls_to_ggd"
    FALLS_TO_NATIONAL = "falls_to_national"
    OVERLAP = "overlap"
    UNKNOWN_ORGANISATION = "unknown_organisation"
    UNKNOWN_AREA = "unknown_area"
    ENDED_MUNICIPALITY = "ended_municipality"
    OUTLIVES_MUNICIPALITY = "outlives_municipality"
    ROUTES_ELSEWHERE = "routes_elsewhere"
    NO_NATIONAL_DESK = "no_national_desk"


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """A gap, an overlap, a row that never matches, or a row that continues after its municipality.

    `area` and `name`: the place. `pc4_count`: how many of the `pc4_total` four-digit postcodes of a
    municipality have the problem.
    """

    kind: ProblemKind
    area: str
    name: str = ""
    organisations: tuple[Receiver, ...] = ()
    pc4_count: int = 0
    pc4_total: int = 0


def coverage_problems(
    rows: Iterable[CoverageRow],
    organisations: Iterable[OrganisationFacts],
    on: date,
    *,
    geography: Geography | None = None,
) -> list[Problem]:
    """Return gaps on a date and later overlaps; none when every municipality has its own organisation.

    A municipality is a gap when some of its four-digit postcodes go to its GGD or to the national desk.
    """
    facts = reference.geography() if geography is None else geography
    all_rows = tuple(rows)
    known = tuple(organisations)
    names = _names(known)
    live = [row for row in all_rows if row.valid_until is None or on < row.valid_until]
    return [
        *_gaps(all_rows, known, on, facts),
        *_overlaps(live, names),
        *_dead_rows(live, names, on, facts),
        *_outliving(all_rows, names, on, facts),
    ]


def routed_elsewhere(
    stored: Mapping[tuple[int, str], int], on: date, *, geography: Geography | None = None
) -> list[Problem]:
    """Return the municipalities of which the imported address file routes many postcodes elsewhere.

    `stored`: by four digits and municipality, the number of six-character postcodes that the file puts there
    and the shipped facts do not. Single corrections of a border pass, and so do four digits on a border.
    """
    facts = reference.geography() if geography is None else geography
    successors, shipped = successors_on(facts, on), _municipality_of(facts)
    moved: dict[int, int] = defaultdict(int)
    for (pc4, code), count in stored.items():
        own = shipped(pc4)
        if own is not None and successors.get(code, code) != successors.get(own, own):
            moved[pc4] += count
    astride = {entry.pc4 for entry in reference.straddling()}
    bulk = {pc4 for pc4, count in moved.items() if count >= _MANY_POSTCODES and pc4 not in astride}
    return _in_bulk(bulk, on, facts)


_MANY_POSTCODES: Final = 100
"""About the number of six-character postcodes that four digits have in use."""
_MANY_PC4S: Final = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Move:
    """A municipality that ends: its successor takes its four-digit postcodes (first, last; both included).

    `handovers`: the receivers before and after. A split has several moves without postcodes: only the
    official file knows where its addresses go.
    """

    old_code: str
    old_name: str
    new_code: str
    new_name: str
    pc4_runs: tuple[tuple[int, int], ...]
    handovers: tuple[Handover, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class UpcomingChange:
    """All municipalities that end on one date; `outliving`: rows that continue after them."""

    effective_date: date
    moves: tuple[Move, ...]
    outliving: tuple[Problem, ...] = ()


def next_boundary_change(
    on: date,
    rows: Sequence[CoverageRow] = (),
    organisations: Sequence[OrganisationFacts] = (),
    *,
    geography: Geography | None = None,
) -> UpcomingChange | None:
    """Return the first boundary change after a date, with its moves and receivers; None if none is known."""
    facts = reference.geography() if geography is None else geography
    coming = [change for change in facts.boundary_changes if change.effective_date > on]
    if not coming:
        return None
    effective = min(change.effective_date for change in coming)
    changes = [change for change in coming if change.effective_date == effective]
    days = Days.around(effective, rows, organisations, facts)
    names = _names(organisations)
    already = _outliving(rows, names, on, facts)
    return UpcomingChange(
        effective_date=effective,
        moves=tuple(_move(change, on, facts, days) for change in changes),
        outliving=tuple(found for found in _outliving(rows, names, effective, facts) if found not in already),
    )


def _names(organisations: Iterable[OrganisationFacts]) -> dict[UUID, str]:
    return {organisation.id: organisation.name for organisation in organisations}


def _receivers(ids: Iterable[UUID], names: Mapping[UUID, str]) -> tuple[Receiver, ...]:
    return tuple(Receiver(found, names.get(found, "")) for found in sorted(ids))


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


def _overlaps(rows: Iterable[CoverageRow], names: Mapping[UUID, str]) -> list[Problem]:
    """Return organisations that share an area, dates and numbers; one problem for each area."""
    clashing: dict[tuple[CoverageLevel, str], set[UUID]] = defaultdict(set)
    for key, found in group_rows(rows).items():
        for position, one in enumerate(found):
            for other in found[position + 1 :]:
                if one.organisation_id != other.organisation_id and areas_overlap(one, other):
                    clashing[key] |= {one.organisation_id, other.organisation_id}
    return [
        Problem(kind=ProblemKind.OVERLAP, area=area, organisations=_receivers(ids, names))
        for (_, area), ids in sorted(clashing.items())
    ]


def _dead_rows(
    rows: Iterable[CoverageRow], names: Mapping[UUID, str], on: date, geography: Geography
) -> list[Problem]:
    """Return rows in force that match nothing on the date."""
    current = municipalities_on(geography, on)
    ended = {change.old_code for change in geography.boundary_changes if change.effective_date <= on}
    coming = {change.new_code for change in geography.boundary_changes if change.effective_date > on}
    regions = {municipality.ggd_code for municipality in current.values()}
    problems: dict[tuple[ProblemKind, str], set[UUID]] = defaultdict(set)
    for row in rows:
        if row.organisation_id not in names:
            problems[ProblemKind.UNKNOWN_ORGANISATION, row.area].add(row.organisation_id)
        if row.level is CoverageLevel.MUNICIPALITY and row.area in ended and row.area not in current:
            problems[ProblemKind.ENDED_MUNICIPALITY, row.area].add(row.organisation_id)
        elif not _exists(row, current.keys() | coming, regions):
            problems[ProblemKind.UNKNOWN_AREA, row.area].add(row.organisation_id)
    return [
        Problem(kind=kind, area=area, organisations=_receivers(ids, names))
        for (kind, area), ids in sorted(problems.items())
    ]


def _exists(row: CoverageRow, municipalities: set[str], regions: set[str]) -> bool:
    """Return whether an area can match."""
    match row.level:
        case CoverageLevel.MUNICIPALITY:
            return row.area in municipalities
        case CoverageLevel.GGD_REGION:
            return row.area in regions
        case CoverageLevel.PC6_RANGE:
            first, last = row.numbers
            return has_shape(row.level, row.area) and 1 <= first <= last <= HIGHEST_HOUSE_NUMBER
        case _:
            return has_shape(row.level, row.area)


_FINER: Final = frozenset({CoverageLevel.PC4, CoverageLevel.PC6, CoverageLevel.PC6_RANGE})


def _outliving(
    rows: Sequence[CoverageRow], names: Mapping[UUID, str], on: date, geography: Geography
) -> list[Problem]:
    """Return finer rows that continue after the organisation's row of their municipality ended.

    They count elsewhere too once the organisation has no municipality left. A row that starts after that end
    is on purpose, and does not count.
    """
    successors, shipped = successors_on(geography, on), _municipality_of(geography)
    ends = _municipality_ends(rows, successors, on, geography)
    found: dict[str, set[UUID]] = defaultdict(set)
    for row in rows:
        if row.level not in _FINER or row.organisation_id not in ends:
            continue
        own, code = ends[row.organisation_id], shipped(_pc4_of(row))
        ended = own.get(successors.get(code, code) if code else "", max(own.values()))
        if row.valid_from < ended <= on and (row.valid_until is None or on < row.valid_until):
            found[row.area].add(row.organisation_id)
    return [
        Problem(kind=ProblemKind.OUTLIVES_MUNICIPALITY, area=area, organisations=_receivers(ids, names))
        for area, ids in sorted(found.items())
    ]


def _municipality_ends(
    rows: Iterable[CoverageRow], successors: Mapping[str, str], on: date, geography: Geography
) -> dict[UUID, dict[str, date]]:
    """Return the end of each municipality that an organisation covers, by the code of the date."""
    current = municipalities_on(geography, on)
    gone = {
        change.old_code: change.effective_date
        for change in geography.boundary_changes
        if change.effective_date <= on and change.old_code not in current
    }
    ends: dict[UUID, dict[str, date]] = defaultdict(dict)
    for row in rows:
        if row.level is CoverageLevel.MUNICIPALITY:
            own, code = ends[row.organisation_id], successors.get(row.area, row.area)
            end = min(row.valid_until or date.max, gone.get(row.area, date.max))
            own[code] = max(end, own.get(code, date.min))
    return ends


def _pc4_of(row: CoverageRow) -> int:
    digits = row.area[:4]
    return int(digits) if digits.isascii() and digits.isdecimal() else 0


def _municipality_of(geography: Geography) -> Callable[[int], str | None]:
    """Return a look-up from four digits to the code in the runs, on the date of the shipped facts."""
    codes = {pc4: code for first, last, code in geography.pc4_runs for pc4 in range(first, last + 1)}
    return codes.get


def _in_bulk(moved: Iterable[int], on: date, geography: Geography) -> list[Problem]:
    successors, names = successors_on(geography, on), municipalities_on(geography, on)
    here: dict[str, set[int]] = defaultdict(set)
    for first, last, code in geography.pc4_runs:
        here[successors.get(code, code)].update(range(first, last + 1))
    gone = set(moved)
    return [
        Problem(
            kind=ProblemKind.ROUTES_ELSEWHERE,
            area=code,
            name=names[code].name if code in names else "",
            pc4_count=len(own & gone),
            pc4_total=len(own),
        )
        for code, own in sorted(here.items())
        if own & gone and (len(own & gone) >= _MANY_PC4S or 2 * len(own & gone) >= len(own))
    ]


def _move(change: BoundaryChange, on: date, geography: Geography, days: Days | None) -> Move:
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
        handovers=days.handovers(runs) if days else (),
    )
