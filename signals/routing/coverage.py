"""Coverage in the database: import the official address file, and find problems in stored coverage."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from signals import reference
from signals.audit.grounds import Ground
from signals.models import MunicipalityOfPostcode, Organisation
from signals.operation import Operation
from signals.routing.compact_coverage import CompactCoverage
from signals.routing.coverage_problems import (
    Problem,
    UpcomingChange,
    coverage_problems,
    next_boundary_change,
    routed_elsewhere,
)
from signals.routing.municipalities import municipalities_on, successors_on
from signals.routing.postcodes import HIGHEST_HOUSE_NUMBER
from signals.routing.receivers import coverage_row, facts_of
from signals.routing.rows import CoverageRow, OrganisationFacts
from signals.routing.snapshot import routing_changed
from signals.vocabulary import AuditAction


@dataclass(frozen=True, kw_only=True)
class Share:
    """The parts of the shipped facts that a file must have to count as the whole country.

    `edges`: the four digits at which the runs of a municipality begin and end; all of them are in use.
    """

    rows: float
    pc4s: float
    edges: float
    municipalities: float


COMPLETE: Final = Share(rows=0.9, pc4s=0.98, edges=0.99, municipalities=0.9)
"""Files of other years differ by less, and a file that stops after 99 % lacks more.

Municipalities have most room: a whole file also lacks those of a merger that is not known here.
"""


class IncompleteFile(ValueError):
    """The file is not the whole country: a missing postcode may be missing or ended."""


@dataclass(frozen=True, kw_only=True)
class CoverageImport:
    """The result of an import: rows added, changed, removed and kept; `unknown_codes` are on no map here.

    `left`: postcodes in several municipalities of which a partial file names one; they stay as they are.
    """

    added: int
    changed: int
    removed: int
    kept: int
    unknown_codes: tuple[str, ...] = ()
    left: tuple[str, ...] = ()

    @property
    def anything(self) -> bool:
        """Return whether the file differs from the stored rows."""
        return bool(self.added or self.changed or self.removed)


def import_official(
    operation: Operation, *, file: CompactCoverage, as_of: date, least: Share = COMPLETE
) -> CoverageImport:
    """Write the official file to `postcode_municipalities`, where the shipped facts are too coarse.

    `as_of`: the date of the file; a municipality and its successor on that date count as one. Only rows that
    differ are written, with the routing version and an audit entry in the same transaction. Raises
    `IncompleteFile` for less than `least`. A partial file changes only the postcodes that it holds.
    """
    session = operation.session
    if not file.partial:
        _refuse_incomplete(file, as_of, least)
    wanted = dict(_wanted(file, as_of))
    present = {
        (row.first_pc6, row.number_from): row for row in session.scalars(select(MunicipalityOfPostcode))
    }
    reached, left = present, set[str]()
    if file.partial:
        replaced = set(file.postcodes())
        left = replaced & _split_before(file, present)
        replaced -= left
        wanted = {place: said for place, said in wanted.items() if place[0] in replaced}
        reached = {place: row for place, row in present.items() if place[0] in replaced}
    changed = _write(session, wanted, reached)
    added, removed = wanted.keys() - reached.keys(), reached.keys() - wanted.keys()
    result = CoverageImport(
        added=len(added),
        changed=changed,
        removed=len(removed),
        kept=len(present) - len(removed) - changed,
        unknown_codes=_unknown_codes(file, as_of),
        left=tuple(sorted(left)),
    )
    if result.anything:
        session.flush()
        routing_changed(session)
        operation.record(AuditAction.COVERAGE_CHANGED, ground=Ground.OFFICIAL_FILE)
    return result


@dataclass(frozen=True, kw_only=True)
class CoverageCheck:
    """The problems of a day, and the next boundary change after it."""

    on: date
    problems: list[Problem]
    next_change: UpcomingChange | None


def check_coverage(session: Session, on: date) -> CoverageCheck:
    """Return the problems of stored coverage on a date, and the effect of the next boundary change."""
    rows, organisations = _coverage(session)
    return CoverageCheck(
        on=on,
        problems=[*coverage_problems(rows, organisations, on), *routed_elsewhere_on(session, on)],
        next_change=next_boundary_change(on, rows, organisations),
    )


def routed_elsewhere_on(session: Session, on: date) -> list[Problem]:
    """Return the municipalities that the imported address file routes elsewhere in bulk."""
    pc4 = func.substr(MunicipalityOfPostcode.first_pc6, 1, 4)
    code = MunicipalityOfPostcode.municipality_code
    whole = MunicipalityOfPostcode.number_from == 0
    counted = select(pc4.label("pc4"), code.label("code"), func.count().label("number")).where(whole)
    rows = session.execute(counted.group_by(pc4, code))
    return routed_elsewhere({(int(row.pc4), row.code): row.number for row in rows}, on)


_Place = tuple[str, int]
_Said = tuple[str, int, str]  # last postcode, last house number, municipality


def _refuse_incomplete(file: CompactCoverage, as_of: date, least: Share) -> None:
    geography = reference.geography()
    edges = {pc4 for run in geography.pc4_runs for pc4 in (run.first, run.last)}
    municipalities = municipalities_on(geography, as_of)
    shares = (
        (file.rows, reference.ADDRESSES, least.rows),
        (len(file.pc4s), reference.PC4S_IN_USE, least.pc4s),
        (len(edges & file.pc4s), len(edges), least.edges),
        (len(file.municipality_codes), len(municipalities), least.municipalities),
    )
    if any(found < wanted * known for found, known, wanted in shares):
        raise IncompleteFile(
            f"it holds {file.rows:,} of about {reference.ADDRESSES:,} addresses, in {len(file.pc4s):,} of"
            f" about {reference.PC4S_IN_USE:,} four-digit postcodes and {len(file.municipality_codes)} of"
            f" {len(municipalities)} municipalities"
        )


def _split_before(file: CompactCoverage, present: Collection[_Place]) -> set[str]:
    """Return postcodes in several municipalities of which the file names one: the file may be filtered."""
    split = {pc6 for pc6, number_from in present if number_from}
    return split - {part.pc6 for part in file.ranges}


def _wanted(file: CompactCoverage, as_of: date) -> Iterator[tuple[_Place, _Said]]:
    for pc6, code in _exceptions(file, as_of):
        yield (pc6, 0), (pc6, HIGHEST_HOUSE_NUMBER, code)
    for part in file.ranges:
        yield (part.pc6, part.number_from), (part.pc6, part.number_to, part.municipality_code)


def _exceptions(file: CompactCoverage, as_of: date) -> Iterator[tuple[str, str]]:
    """Yield postcodes whose municipality differs from that of their four digits, with the file's code."""
    successors = successors_on(reference.geography(), as_of)

    def as_the_file_says(code: str) -> Callable[[int], str | None]:
        def municipality(pc4: int) -> str | None:
            shipped = reference.municipality_of_pc4(pc4)
            same = shipped is not None and successors.get(shipped, shipped) == successors.get(code, code)
            return code if same else shipped

        return municipality

    for run in file.pc6_runs:
        one = replace(file, pc6_runs=[run], ranges=[])
        yield from one.exceptions(as_the_file_says(run.municipality_code)).items()


def _write(
    session: Session, wanted: dict[_Place, _Said], present: dict[_Place, MunicipalityOfPostcode]
) -> int:
    """Add, change and remove rows; return how many changed."""
    changed = 0
    for place, (last_pc6, number_to, code) in wanted.items():
        row = present.get(place)
        if row is None:
            first_pc6, number_from = place
            row = MunicipalityOfPostcode(first_pc6=first_pc6, number_from=number_from)
            session.add(row)
        elif (row.last_pc6, row.number_to, row.municipality_code) == (last_pc6, number_to, code):
            continue
        else:
            changed += 1
        row.last_pc6, row.number_to, row.municipality_code = last_pc6, number_to, code
    for place in present.keys() - wanted.keys():
        session.delete(present[place])
    return changed


def _unknown_codes(file: CompactCoverage, as_of: date) -> tuple[str, ...]:
    geography = reference.geography()
    known = geography.municipalities.keys() | municipalities_on(geography, as_of).keys()
    return tuple(sorted(file.municipality_codes - known))


def _coverage(session: Session) -> tuple[list[CoverageRow], list[OrganisationFacts]]:
    query = select(Organisation).options(
        selectinload(Organisation.recipients), selectinload(Organisation.coverage)
    )
    organisations = session.scalars(query).all()
    rows = [coverage_row(area) for organisation in organisations for area in organisation.coverage]
    return rows, [facts_of(organisation) for organisation in organisations]
