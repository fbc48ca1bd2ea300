"""The areas that an organisation covers, as an administrator adds and ends them."""

import uuid
from collections.abc import Sequence
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from signals.audit.grounds import Ground
from signals.audit.log import SYSTEM, require_role
from signals.errors import Conflict, FieldProblem, Invalid, NotFound
from signals.models import Approval, CoverageArea, Organisation, StaffMember
from signals.operation import Operation
from signals.organisations.administration import locked_organisation
from signals.organisations.area_requests import area_of, ask_for_area, unopposed
from signals.organisations.changes import announce
from signals.organisations.team_settings import record_change
from signals.routing.areas import Area, area_problems, areas_overlap
from signals.routing.losing import Claims, losing
from signals.routing.snapshot import lock_routing, routing_changed
from signals.staff.approvals import record_decision
from signals.staff.identity import actor_for
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


def add_area(operation: Operation, *, organisation_id: uuid.UUID, area: Area) -> CoverageArea | Approval:
    """Let an organisation cover an area from a date, or ask those who must agree (`area_requests`).

    Raises `NotFound`, `Invalid` for an area that cannot exist, `NobodyToApprove`, and `CoverageOverlaps` when
    any organisation covers the same area on one of these dates.
    """
    require_role(operation.actor, Role.ADMINISTRATOR)
    organisation = locked_organisation(operation.session, organisation_id)
    problems = list(area_problems(area))
    if problems:
        raise Invalid(*problems)
    return cover(operation, organisation, area)


def cover_approved(operation: Operation, approval: Approval) -> None:
    """Cover the area of an approved request, or ask the next one who must agree.

    Raises `CoverageOverlaps` when somebody covers it meanwhile.
    """
    if approval.subject_id is None:
        raise NotFound
    organisation = locked_organisation(operation.session, approval.subject_id)
    cover(operation, organisation, area_of(approval), before=approval)


def cover_unopposed(operation: Operation) -> int:
    """Cover the areas to which nobody objected in time, see `area_requests.unopposed`; return how many.

    A team that went live there meanwhile is asked first.
    """
    passed = unopposed(operation)
    for approval in passed:
        try:
            with operation.session.begin_nested():
                asker = operation.session.get_one(StaffMember, approval.asked_by_id)
                cover_approved(operation.acting_as(actor_for(asker)), approval)
        except Conflict:  # somebody covers it now, or nobody is left to ask
            record_decision(operation, approval, approve=False)
    return len(passed)


def cover(
    operation: Operation, organisation: Organisation, area: Area, *, before: Approval | None = None
) -> CoverageArea | Approval:
    """Cover an area that can exist, or ask those who must agree, for callers that checked the actor.

    `before`: the approved request of the one who agreed last.
    """
    session = operation.session
    lock_routing(session)
    same = select(CoverageArea).where(CoverageArea.level == area.level, CoverageArea.area == area.area)
    if any(areas_overlap(area, other) for other in session.scalars(same)):
        raise CoverageOverlaps
    losers = losing(session, area, operation.today, own=organisation.id)
    asked = ask_for_area(operation, organisation, area, losers, before=before)
    if asked is not None:
        return asked
    added = CoverageArea(**vars(area), organisation=organisation)
    session.add(added)
    session.flush()
    routing_changed(session)
    _record(operation, added, Ground.ADDED, *losers.teams)
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
    if not end_is_allowed(area, valid_until, operation.today):
        raise Invalid(FieldProblem(field="valid_until", code="out_of_range"))
    area.valid_until = valid_until
    session.flush()
    routing_changed(session)
    _record(operation, area, Ground.ENDED)
    return area


def announce_start(operation: Operation, organisation: Organisation) -> None:
    """Notify the live teams whose addresses go to an organisation that begins to receive, and its own team.

    They went live after its areas were agreed to, so nobody asked them.
    """
    claims, on, concerned = Claims(operation.session), operation.today, set[uuid.UUID]()
    for area in organisation.coverage:
        if area.valid_until is None or area.valid_until > on:
            losers = claims.losing(area, on).teams
            concerned |= losers
            for loser in sorted(losers, key=str):
                ground = Ground.ADDED.of(area.level)
                record_change(operation.acting_as(SYSTEM), loser, ground, AuditAction.COVERAGE_CHANGED)
    if concerned:
        announce(operation, organisation.id, *concerned)


def end_is_allowed(area: CoverageArea, valid_until: date, on: date) -> bool:
    """Return whether a coverage can end on a date: today at the earliest, so past routes keep a reason.

    An end never moves to a later date: a new area begins there, and those who lose by it must agree.
    """
    return on <= valid_until and area.valid_from < valid_until <= (area.valid_until or date.max)


def _record(operation: Operation, area: CoverageArea, ground: Ground, *others: uuid.UUID) -> None:
    """Record a change of coverage for its organisation and the others concerned, and notify them."""
    concerned = {area.organisation_id, *others}
    for organisation_id in sorted(concerned, key=str):
        record_change(operation, organisation_id, ground.of(area.level), AuditAction.COVERAGE_CHANGED)
    announce(operation, *concerned)
