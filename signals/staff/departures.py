"""What a person who was shut out had claimed goes back to the team at once: no claim sleeps with nobody."""

import uuid
from typing import Final

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

from signals.audit.log import SYSTEM, Actor, AuditLog
from signals.clock import Clock
from signals.db import set_local
from signals.lifecycle.transitions import transition
from signals.models import Signal, StaffMember
from signals.staff.absence import HOLDERS
from signals.vocabulary import Action, SignalState

ACCOUNT_DISABLED: Final = "account_disabled"
ROLE_CHANGED: Final = "role_changed"


def hand_back(
    session: Session,
    clock: Clock,
    *,
    member: StaffMember,
    actor: Actor,
    audit: AuditLog,
    reason: str = ACCOUNT_DISABLED,
) -> int:
    """Release every open signal of a member of staff; gives how many.

    An administrator, who is of no organisation, does it too: states and ids are read, no content.
    """
    foreign = member.organisation_id != actor.organisation_id
    if foreign and actor != SYSTEM:
        set_local(session, organisation=str(member.organisation_id or ""))
    found = session.scalars(_held_by(member.id)).all()
    for signal in found:
        transition(
            session, clock, signal=signal, action=Action.RELEASE, actor=actor, audit=audit, reason=reason
        )
    session.flush()
    if foreign and actor != SYSTEM:
        set_local(session, organisation=str(actor.organisation_id or ""))
    return len(found)


def hand_back_all(session: Session, clock: Clock, *, audit: AuditLog) -> int:
    """The same for everybody who may have no signals, for the worker: whatever way that came about.

    Who claims at the moment at which the account is shut, or its role changed, has the signal after it.
    """
    may_not = StaffMember.disabled_at.is_not(None) | StaffMember.role.not_in(HOLDERS)
    holding = StaffMember.id.in_(select(Signal.claimed_by_id).where(_is_open()))
    members = session.scalars(select(StaffMember).where(may_not, holding)).all()
    return sum(
        hand_back(session, clock, member=member, actor=SYSTEM, audit=audit, reason=_why(member))
        for member in members
    )


def _why(member: StaffMember) -> str:
    return ACCOUNT_DISABLED if member.disabled_at is not None else ROLE_CHANGED


def _held_by(staff_id: uuid.UUID) -> Select[Signal]:
    query = select(Signal).where(Signal.claimed_by_id == staff_id, _is_open()).order_by(Signal.id)
    return query.with_for_update().execution_options(populate_existing=True)


def _is_open() -> ColumnElement[bool]:
    return Signal.claimed_by_id.is_not(None) & (Signal.state != SignalState.CONCLUDED)
