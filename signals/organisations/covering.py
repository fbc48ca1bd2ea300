"""The areas that an organisation covers, as an administrator adds and ends them."""

import uuid
from collections.abc import Sequence
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from signals.audit.grounds import Ground
from signals.audit.log import require_role
from signals.errors import Conflict, FieldProblem, Invalid, NotFound
from signals.models import CoverageArea
from signals.operation import Operation
from signals.organisations.administration import locked_organisation
from signals.organisations.team_settings import record_change
from signals.routing.areas import Area, area_problems, areas_overlap
from signals.routing.snapshot import lock_routing, routing_changed
from signals.vocabulary import AuditAction, Role


class CoverageOverlaps(Conflict):
    """This area is covered already on some of these dates."""

    code = "coverage_overlaps"


def covered_areas(session: Session, *, organisation_id: uuid.UUID | None = None) -> Sequence[CoverageArea]:
    """Return the areas of one organisation or of all, by level, area and date; organisations are loaded."""
    query = (
        select(CoverageArea)
        .options(selectinload(CoverageArea.organisation))
        .order_by(CoverageArea.level, CoverageArea.area, CoverageArea.valid_from, CoverageArea.id)
    )
    if organisation_id is not None:
        query = query.where(CoverageArea.organisation_id == organisation_id)
    return session.scalars(query).all()


def add_area(operation: Operation, *, organisation_id: uuid.UUID, area: Area) -> CoverageArea:
    """Let an organisation cover an area from a date.

    Raises `NotFound`, `Invalid` for an area that cannot exist, and `CoverageOverlaps` when any organisation
    covers the same area on one of these dates.
    """
    require_role(operation.actor, Role.ADMINISTRATOR)
    session = operation.session
    organisation = locked_organisation(session, organisation_id)
    problems = list(area_problems(area))
    if problems:
        raise Invalid(*problems)
    lock_routing(session)
    same = select(CoverageArea).where(CoverageArea.level == area.level, CoverageArea.area == area.area)
    if any(areas_overlap(area, other) for other in session.scalars(same)):
        raise CoverageOverlaps
    added = CoverageArea(**vars(area), organisation=organisation)
    session.add(added)
    session.flush()
    routing_changed(session)
    _record(operation, added, Ground.ADDED)
    return added


def end_area(operation: Operation, *, area_id: uuid.UUID, valid_until: date) -> CoverageArea:
    """Let a coverage end on a date (excluded). Raises `NotFound` and `Invalid`, see `end_is_allowed`."""
    require_role(operation.actor, Role.ADMINISTRATOR)
    session = operation.session
    area = session.get(CoverageArea, area_id)
    if area is None:
        raise NotFound
    locked_organisation(session, area.organisation_id)  # locked before routing, as every change does
    session.refresh(area, with_for_update=True)
    is_longer = area.valid_until is not None and valid_until > area.valid_until
    if is_longer or valid_until == area.valid_from or not end_is_allowed(area, valid_until, operation.today):
        raise Invalid(FieldProblem(field="valid_until", code="out_of_range"))
    area.valid_until = valid_until
    session.flush()
    routing_changed(session)
    _record(operation, area, Ground.ENDED)
    return area


def end_is_allowed(area: CoverageArea, valid_until: date, on: date) -> bool:
    """Return whether a coverage can end on a date: today at the earliest, so past routes keep a reason."""
    return valid_until >= max(on, area.valid_from)


def _record(operation: Operation, area: CoverageArea, ground: Ground) -> None:
    record_change(operation, area.organisation_id, ground.of(area.level), AuditAction.COVERAGE_CHANGED)
