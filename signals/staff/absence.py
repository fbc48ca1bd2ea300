"""Record when members of staff are away and their deputies; the reason is never stored."""

import uuid
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from sqlalchemy import ColumnElement, Date, case, delete, exists, literal, select
from sqlalchemy.orm import Session, aliased

from signals.audit.grounds import Ground
from signals.audit.log import Actor, require_role
from signals.errors import FieldProblem, Forbidden, Invalid, NotFound
from signals.models import Absence, Signal, StaffMember
from signals.operation import Operation
from signals.vocabulary import OPEN_STATES, AuditAction, Role

HOLDERS: Final = (Role.WORKER, Role.LEAD)
"""Roles that may claim signals: only they are missed, and only they can stand in."""
MOST_DAYS: Final = 366
KEPT_DAYS: Final = 28
"""Days that an absence is kept after its last day, so that a team still sees the deputy."""


@dataclass(frozen=True, kw_only=True)
class Away:
    """An absence with names. `cover` is None without a deputy, or when the deputy is away or shut out."""

    id: uuid.UUID
    organisation_id: uuid.UUID
    staff_id: uuid.UUID
    name: str
    away_from: date
    away_until: date
    cover_id: uuid.UUID | None
    cover: str | None


def add_absence(
    operation: Operation,
    *,
    away_from: date,
    away_until: date,
    cover_id: uuid.UUID | None = None,
    staff_id: uuid.UUID | None = None,
) -> Absence:
    """Record that the actor, or for a lead anybody of the team, is away; both days are included.

    `away_until` is today or later, and at most a year after `away_from`. `away_from` may lie in the past,
    because a lead hears of an illness afterwards.
    Raises `Forbidden`, `NotFound` for somebody of another team, and `Invalid` for the dates ("in_past",
    "not_after_start", "too_far_ahead", "overlaps") and the deputy ("unknown", "oneself", "away_too").
    """
    session, actor = operation.session, operation.actor
    require_role(actor, *HOLDERS)
    if staff_id not in (None, actor.id) and actor.role != Role.LEAD:
        raise Forbidden
    member = _holder(session, actor, staff_id or actor.id, for_update=True)
    if member is None:
        raise NotFound
    _check_dates(session, member.id, away_from, away_until, operation.today)
    _check_cover(session, actor, member.id, cover_id, away_from, away_until)
    absence = Absence(
        organisation_id=member.organisation_id,
        staff_member_id=member.id,
        away_from=away_from,
        away_until=away_until,
        cover_id=cover_id,
    )
    session.add(absence)
    session.flush()
    _record(operation, absence, Ground.ABSENCE_ADDED)
    return absence


def remove_absence(operation: Operation, absence_id: uuid.UUID) -> None:
    """Remove the actor's absence, or for a lead any absence of the team.

    Raises `NotFound` alike for another team's absence and for an unknown one, `Forbidden` for a colleague's.
    """
    session, actor = operation.session, operation.actor
    require_role(actor, *HOLDERS)
    absence = session.get(Absence, absence_id)
    if absence is None or absence.organisation_id != actor.organisation_id:
        raise NotFound
    if absence.staff_member_id != actor.id and actor.role != Role.LEAD:
        raise Forbidden
    gone = delete(Absence).where(Absence.id == absence_id).returning(Absence.id)
    if session.scalar(gone) is None:  # another request was sooner
        raise NotFound
    _record(operation, absence, Ground.ABSENCE_REMOVED)


def absences(session: Session, *, organisation_id: uuid.UUID | None, on: date) -> list[Away]:
    """Return the absences of an organisation (None: of all) on a day or later, earliest first."""
    cover, also_away = aliased(StaffMember), aliased(Absence)
    # The deputy may be ill by now: the day itself counts, or the first day of a later absence.
    day = case((Absence.away_from > on, Absence.away_from), else_=literal(on, Date))
    ill = exists().where(
        also_away.staff_member_id == cover.id, also_away.away_from <= day, also_away.away_until >= day
    )
    able = (cover.id == Absence.cover_id) & cover.is_active() & cover.role.in_(HOLDERS) & ~ill
    query = (
        select(Absence, StaffMember.name, cover.id, cover.name)
        .join(StaffMember, StaffMember.id == Absence.staff_member_id)
        .outerjoin(cover, able)
        .where(Absence.away_until >= on, StaffMember.disabled_at.is_(None))
        .order_by(Absence.away_from, StaffMember.name, Absence.id)
    )
    if organisation_id is not None:
        query = query.where(Absence.organisation_id == organisation_id)
    return [
        Away(
            id=absence.id,
            organisation_id=absence.organisation_id,
            staff_id=absence.staff_member_id,
            name=name,
            away_from=absence.away_from,
            away_until=absence.away_until,
            cover_id=cover_id,
            cover=cover_name,
        )
        for absence, name, cover_id, cover_name in session.execute(query)
    ]


def away_on(session: Session, *, organisation_id: uuid.UUID, on: date) -> dict[uuid.UUID, Away]:
    """Return who of an organisation is away on this day, by staff id."""
    found = absences(session, organisation_id=organisation_id, on=on)
    return {away.staff_id: away for away in found if away.away_from <= on}


def everybody_away_on(session: Session, on: date) -> list[Away]:
    """Return who of any organisation is away on this day, for the worker."""
    return [away for away in absences(session, organisation_id=None, on=on) if away.away_from <= on]


def holders_of(session: Session) -> frozenset[uuid.UUID]:
    """Return who in any organisation has an open signal to work on, for the worker."""
    query = select(Signal.claimed_by_id).where(
        Signal.claimed_by_id.is_not(None), Signal.state.in_(OPEN_STATES), Signal.restricted_on.is_(None)
    )
    return frozenset(found for found in session.scalars(query.distinct()) if found is not None)


def stood_in_for(
    session: Session, *, organisation_id: uuid.UUID, staff_id: uuid.UUID, on: date
) -> frozenset[uuid.UUID]:
    """Return for whom a person stands in on a day."""
    query = select(Absence.staff_member_id).where(
        Absence.organisation_id == organisation_id, Absence.cover_id == staff_id, _lasts(on, on)
    )
    return frozenset(session.scalars(query))


def _lasts(first: date, last: date) -> ColumnElement[bool]:
    return (Absence.away_from <= last) & (Absence.away_until >= first)


def _holder(
    session: Session, actor: Actor, staff_id: uuid.UUID | None, *, for_update: bool = False
) -> StaffMember | None:
    """Return a member of the actor's team who may have signals. The lock puts absences in line."""
    query = select(StaffMember).where(
        StaffMember.id == staff_id,
        StaffMember.organisation_id == actor.organisation_id,
        StaffMember.role.in_(HOLDERS),
        StaffMember.is_active(),
    )
    return session.scalar(query.with_for_update(of=StaffMember) if for_update else query)


def _check_dates(session: Session, staff_id: uuid.UUID, away_from: date, away_until: date, on: date) -> None:
    if away_until < on:
        raise Invalid(FieldProblem(field="away_until", code="in_past"))
    if away_until < away_from or away_until - away_from > timedelta(days=MOST_DAYS):
        raise Invalid(FieldProblem(field="away_until", code="not_after_start"))
    if away_from > on + timedelta(days=MOST_DAYS):
        raise Invalid(FieldProblem(field="away_from", code="too_far_ahead"))
    if _is_away(session, staff_id, away_from, away_until):
        raise Invalid(FieldProblem(field="away_from", code="overlaps"))


def _check_cover(
    session: Session,
    actor: Actor,
    staff_id: uuid.UUID,
    cover_id: uuid.UUID | None,
    away_from: date,
    away_until: date,
) -> None:
    if cover_id is None:
        return
    if cover_id == staff_id:
        raise Invalid(FieldProblem(field="cover_id", code="oneself"))
    if _holder(session, actor, cover_id) is None:
        raise Invalid(FieldProblem(field="cover_id", code="unknown"))
    if _is_away(session, cover_id, away_from, away_until):
        raise Invalid(FieldProblem(field="cover_id", code="away_too"))


def _is_away(session: Session, staff_id: uuid.UUID, first: date, last: date) -> bool:
    query = select(Absence.id).where(Absence.staff_member_id == staff_id, _lasts(first, last)).limit(1)
    return session.scalar(query) is not None


def _record(operation: Operation, absence: Absence, ground: Ground) -> None:
    operation.record(
        AuditAction.STAFF_CHANGED,
        subject_id=absence.staff_member_id,
        ground=ground,
        organisation_id=absence.organisation_id,
    )
