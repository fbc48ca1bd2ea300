"""Who carries how much, and who may be given a signal: what a lead looks at before reassigning."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import and_, case, func, select
from sqlalchemy.orm import Session

from signals.casework.access import FOLLOW_UP_ROLES
from signals.models import Signal, StaffMember
from signals.vocabulary import SignalState


@dataclass(frozen=True, kw_only=True)
class Load:
    """What one colleague has: open signals, and how many of those are past their next deadline."""

    staff_id: UUID
    name: str
    open: int
    late: int


def workload(session: Session, *, organisation_id: UUID, on: date) -> list[Load]:
    """Everybody who may hold a signal, the fullest first; who has none is listed with 0.

    Somebody who left the team or was disabled is listed too as long as signals are on their name.
    """
    has = and_(
        Signal.claimed_by_id == StaffMember.id,
        Signal.organisation_id == organisation_id,
        Signal.state != SignalState.CONCLUDED,
    )
    is_late = and_(Signal.due_on < on, Signal.restricted_on.is_(None))
    count, late = func.count(Signal.id), func.sum(case((is_late, 1), else_=0))
    may_hold = and_(StaffMember.disabled_at.is_(None), StaffMember.role.in_(FOLLOW_UP_ROLES))
    query = (
        select(StaffMember.id, StaffMember.name, count, func.coalesce(late, 0))
        .outerjoin(Signal, has)
        .where(StaffMember.organisation_id == organisation_id)
        .group_by(StaffMember.id, StaffMember.name, StaffMember.disabled_at, StaffMember.role)
        .having((count > 0) | may_hold)
        .order_by(count.desc(), StaffMember.name)
    )
    rows = session.execute(query)
    return [Load(staff_id=who, name=name, open=many, late=past) for who, name, many, past in rows]


def open_by_holder(
    session: Session, *, organisation_id: UUID, staff_ids: Collection[UUID]
) -> dict[UUID, int]:
    """How many open signals each of these has; who has none is left out."""
    if not staff_ids:
        return {}
    query = (
        select(Signal.claimed_by_id, func.count())
        .where(Signal.organisation_id == organisation_id, Signal.state != SignalState.CONCLUDED)
        .where(Signal.claimed_by_id.in_(staff_ids))
        .group_by(Signal.claimed_by_id)
    )
    return {who: number for who, number in session.execute(query) if who is not None}


def colleagues(
    session: Session, *, organisation_id: UUID, besides: UUID | None = None
) -> Sequence[tuple[UUID, str]]:
    """(id, name) of those who may hold a signal of this organisation, by name; without who has it now."""
    query = select(StaffMember.id, StaffMember.name).where(
        StaffMember.organisation_id == organisation_id,
        StaffMember.role.in_(FOLLOW_UP_ROLES),
        StaffMember.disabled_at.is_(None),
        StaffMember.id.is_distinct_from(besides),
    )
    return [(who, name) for who, name in session.execute(query.order_by(StaffMember.name))]
