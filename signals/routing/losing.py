"""The organisations that a new area takes addresses from: by the routes of every team that went live.

An administrator can end an area, suspend a team or empty its agreement alone. So such a team counts for
another 30 days: its lead was notified, and can object.
"""

from collections.abc import Container, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache, partial
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from signals import reference
from signals.models import MunicipalityOfPostcode, Organisation
from signals.routing.areas import AnyArea
from signals.routing.day_table import NOBODY, DayTable, Route, RoutingFacts, compile_day
from signals.routing.municipalities import municipalities_on, successors_on
from signals.routing.postcodes import HIGHEST_HOUSE_NUMBER, LOWEST_HOUSE_NUMBER
from signals.routing.receivers import coverage_row
from signals.routing.rows import CoverageLevel, CoverageRow, OrganisationFacts, group_rows
from signals.routing.snapshot import official_postcodes
from signals.routing.table import group_ranges

OBJECT_DAYS: Final = timedelta(days=30)


@dataclass(frozen=True, kw_only=True)
class Losing:
    """The live teams whose addresses a new area takes; `desks`: the national desk, where no team receives."""

    teams: frozenset[UUID]
    desks: frozenset[UUID]


def losing(session: Session, area: AnyArea, on: date, *, own: UUID | None = None) -> Losing:
    """Return who receives reports of an area now; see `Claims.losing`."""
    return Claims(session, own=own).losing(area, on)


class Claims:
    """The routes of every team that went live, read once for many areas.

    `own`: the organisation that would cover them; whoever follows where its own coverage ends loses too.
    """

    def __init__(self, session: Session, *, own: UUID | None = None) -> None:
        self._own = own
        self._facts = _facts(session, own)
        self._table = cache(partial(compile_day, self._facts))

    def losing(self, area: AnyArea, on: date) -> Losing:
        """Return who receives reports of this area today and on each later day on which that changes.

        A team with a longer match than the new area loses nothing.
        """
        first = max(on, area.valid_from)
        found = set(self._routes(area, first))
        codes = {route.municipality_code for route in found}
        for day in _later_days(self._facts, area, first, codes=codes, own=self._own):
            found.update(self._routes(area, day))
        levels = list(CoverageLevel)
        shorter = {one for one in found if levels.index(one.level) >= levels.index(CoverageLevel(area.level))}
        national = {one for one in shorter if one.level is CoverageLevel.NATIONAL}
        return Losing(
            teams=frozenset(one.organisation_id for one in shorter - national),
            desks=frozenset(one.organisation_id for one in national) - {NOBODY.id},
        )

    def _routes(self, area: AnyArea, day: date) -> Iterator[Route]:
        return _routes(self._facts, self._table(day), area, day)


def _routes(facts: RoutingFacts, table: DayTable, area: AnyArea, on: date) -> Iterator[Route]:
    level = CoverageLevel(area.level)
    if level in (CoverageLevel.PC6_RANGE, CoverageLevel.PC6):
        first, last = area.number_from or LOWEST_HOUSE_NUMBER, area.number_to or HIGHEST_HOUSE_NUMBER
        yield from table.routes_of(area.area, first, last)
    elif level is CoverageLevel.NATIONAL:
        yield table.nowhere
    else:
        codes = _municipalities(facts, area, on)
        for postcode, route in table.all_routes():
            if postcode[:4] == area.area or route.municipality_code in codes:
                yield route


def _municipalities(facts: RoutingFacts, area: AnyArea, on: date) -> frozenset[str | None]:
    """Return the municipalities of an area on a date: one, those of a GGD region, or none for a postcode."""
    if area.level == CoverageLevel.MUNICIPALITY:
        return frozenset({successors_on(facts.geography, on).get(area.area, area.area)})
    known = municipalities_on(facts.geography, on).values()
    return frozenset(one.code for one in known if one.ggd_code == area.area)


def _later_days(
    facts: RoutingFacts, area: AnyArea, first: date, *, codes: Container[str | None], own: UUID | None
) -> list[date]:
    """Return later days on which coverage begins, or ends for `own`, or a municipality of `codes` ends."""
    changes = {one.effective_date for one in facts.geography.boundary_changes if one.old_code in codes}
    rows = [row for rows in facts.rows.values() for row in rows]
    changes.update(row.valid_from for row in rows)
    changes.update(row.valid_until for row in rows if row.organisation_id == own and row.valid_until)
    return sorted(day for day in changes if first < day < (area.valid_until or date.max))


def _facts(session: Session, own: UUID | None) -> RoutingFacts:
    """Return the facts of routing as if every team that went live still received."""
    query = select(Organisation).options(selectinload(Organisation.coverage))
    organisations = session.scalars(query.where(Organisation.proved_on.is_not(None))).all()
    whole, ranges = official_postcodes(session.execute(select(MunicipalityOfPostcode.__table__)))
    return RoutingFacts(
        rows=group_rows(
            coverage_row(area) if one.id == own else _held(coverage_row(area))
            for one in organisations
            for area in one.coverage
        ),
        organisations={one.id: _live(one) for one in organisations},
        geography=reference.geography(),
        pc6_municipalities=whole,
        pc6_ranges=group_ranges(ranges),
    )


def _live(organisation: Organisation) -> OrganisationFacts:
    until = organisation.suspended_from
    return OrganisationFacts(
        id=organisation.id,
        name=organisation.name,
        kind=organisation.kind,
        receives_from=date.min,
        receives_until=until + OBJECT_DAYS if until else None,
    )


def _held(row: CoverageRow) -> CoverageRow:
    until = row.valid_until
    return replace(row, valid_until=until + OBJECT_DAYS) if until and until < date.max - OBJECT_DAYS else row
