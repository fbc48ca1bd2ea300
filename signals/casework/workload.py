"""Count the signals of each colleague, and list the colleagues who may get one, for a lead."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import and_, case, func, select
from sqlalchemy.orm import Session

from signals.casework.access import FOLLOW_UP_ROLES, organisation_of
from signals.models import Signal, StaffMember
from signals.operation import Operation
from signals.staff.absence import Away, away_on
from signals.vocabulary import OPEN_STATES, Role


@dataclass(frozen=True, kw_only=True)
class Load:
    """Count one colleague's open signals, and those past their next deadline."""

    staff_id: UUID
    name: str
    open: int
    late: int


@dataclass(frozen=True, kw_only=True)
class AbsentClaims:
    """Hold the absent colleagues who have open signals, each with the number of signals.

    `covering`: the colleagues for whom the reader stands in. `uncovered`: the colleagues without a stand-in,
    for a lead only.
    """

    covering: Sequence[tuple[Away, int]]
    uncovered: Sequence[tuple[Away, int]]


def absent_claims(operation: Operation) -> AbsentClaims:
    """Return the claims of absent colleagues that concern the actor today."""
    session, actor, organisation_id = operation.session, operation.actor, organisation_of(operation.actor)
    away = away_on(session, organisation_id=organisation_id, on=operation.today)
    numbers = open_by_claimant(session, organisation_id=organisation_id, staff_ids=list(away))
    claiming = [(one, numbers[one.staff_id]) for one in away.values() if one.staff_id in numbers]
    leads = actor.role == Role.LEAD
    return AbsentClaims(
        covering=[found for found in claiming if found[0].cover_id == actor.id],
        uncovered=[found for found in claiming if found[0].cover_id is None and leads],
    )


def workload(session: Session, *, organisation_id: UUID, on: date) -> list[Load]:
    """Return everybody who may have a signal, the fullest first, also those who have none.

    A disabled account stays in the list while it still has signals.
    """
    has = and_(
        Signal.claimed_by_id == StaffMember.id,
        Signal.organisation_id == organisation_id,
        Signal.state.in_(OPEN_STATES),
    )
    is_late = and_(Signal.due_on < on, Signal.restricted_on.is_(None))
    count, late = func.count(Signal.id), func.sum(case((is_late, 1), else_=0))
    may_hold = and_(StaffMember.is_active(), StaffMember.role.in_(FOLLOW_UP_ROLES))
    query = (
        select(StaffMember.id, StaffMember.name, count, func.coalesce(late, 0))
        .outerjoin(Signal, has)
        .where(StaffMember.organisation_id == organisation_id)
        .group_by(StaffMember.id)
        .having((count > 0) | may_hold)
        .order_by(count.desc(), StaffMember.name)
    )
    rows = session.execute(query)
    return [Load(staff_id=who, name=name, open=many, late=past) for who, name, many, past in rows]


def open_by_claimant(
    session: Session, *, organisation_id: UUID, staff_ids: Collection[UUID]
) -> dict[UUID, int]:
    """Return how many open signals each of these people has; leave out those who have none."""
    if not staff_ids:
        return {}
    query = (
        select(Signal.claimed_by_id, func.count())
        .where(Signal.organisation_id == organisation_id, Signal.state.in_(OPEN_STATES))
        .where(Signal.claimed_by_id.in_(staff_ids))
        .group_by(Signal.claimed_by_id)
    )
    return {who: number for who, number in session.execute(query) if who is not None}


def colleagues(
    session: Session, *, organisation_id: UUID, besides: UUID | None = None
) -> Sequence[tuple[UUID, str]]:
    """Return (id, name) of everybody but `besides` who may have this organisation's signals, by name."""
    query = select(StaffMember.id, StaffMember.name).where(
        StaffMember.organisation_id == organisation_id,
        StaffMember.role.in_(FOLLOW_UP_ROLES),
        StaffMember.is_active(),
        StaffMember.id.is_distinct_from(besides),
    )
    return [(who, name) for who, name in session.execute(query.order_by(StaffMember.name))]
