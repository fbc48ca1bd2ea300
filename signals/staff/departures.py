"""Release the signals of somebody who may have none any more, so that no claim is forgotten."""

import uuid
from typing import Final

from sqlalchemy import ColumnElement, Select, select

from signals.audit.log import SYSTEM
from signals.db import set_local
from signals.lifecycle.status_changes import transition
from signals.models import Signal, StaffMember
from signals.operation import Operation
from signals.staff.absence import HOLDERS
from signals.vocabulary import OPEN_STATES, Action

ACCOUNT_DISABLED: Final = "account_disabled"
ROLE_CHANGED: Final = "role_changed"


def release_signals(operation: Operation, member: StaffMember, *, reason: str = ACCOUNT_DISABLED) -> int:
    """Release every open signal of a member of staff and return how many there were.

    An administrator of no organisation may do this too: the function reads states and ids, no content.
    """
    session, actor = operation.session, operation.actor
    foreign = member.organisation_id != actor.organisation_id and actor != SYSTEM
    if foreign:
        set_local(session, organisation=str(member.organisation_id or ""))
    found = session.scalars(_claimed_by(member.id)).all()
    for signal in found:
        transition(operation, signal, Action.RELEASE, reason=reason)
    session.flush()
    if foreign:
        set_local(session, organisation=str(actor.organisation_id or ""))
    return len(found)


def release_stranded_signals(operation: Operation) -> int:
    """Release the signals of everybody who may have none, for the worker; return how many.

    This finds a claim made at the moment at which the account was shut or its role changed.
    """
    may_not = StaffMember.disabled_at.is_not(None) | StaffMember.role.not_in(HOLDERS)
    holding = StaffMember.id.in_(select(Signal.claimed_by_id).where(_is_open()))
    members = operation.session.scalars(select(StaffMember).where(may_not, holding)).all()
    return sum(release_signals(operation, member, reason=_reason(member)) for member in members)


def _reason(member: StaffMember) -> str:
    return ACCOUNT_DISABLED if member.disabled_at is not None else ROLE_CHANGED


def _claimed_by(staff_id: uuid.UUID) -> Select[Signal]:
    query = select(Signal).where(Signal.claimed_by_id == staff_id, _is_open()).order_by(Signal.id)
    return query.with_for_update().execution_options(populate_existing=True)


def _is_open() -> ColumnElement[bool]:
    return Signal.claimed_by_id.is_not(None) & Signal.state.in_(OPEN_STATES)
