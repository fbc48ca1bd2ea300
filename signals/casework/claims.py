"""Claim a signal, release it, and let a lead reassign it."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from signals.audit.grounds import Ground
from signals.audit.log import require_role
from signals.casework.access import (
    FOLLOW_UP_ROLES,
    claimed_by_other,
    is_open_and_claimed,
    lock_claimed_signal,
    lock_signal,
    record_change,
)
from signals.casework.postponing import plan_anew
from signals.comparisons.draws import reveal
from signals.errors import Conflict, FieldProblem, Invalid
from signals.lifecycle.status_changes import transition
from signals.models import Signal, StaffMember
from signals.operation import Operation
from signals.vocabulary import OPEN_STATES, Action, AuditAction, Role, SignalState


def claim(operation: Operation, *, signal_id: UUID, expected_version: int | None = None) -> Signal:
    """Claim a signal for the actor; change nothing when the actor has it already.

    Raises `ClaimedByOther` (with name and time) when somebody else has it. A lead uses `reassign`.
    """
    signal = lock_signal(operation, signal_id, expected_version)
    if is_open_and_claimed(signal):
        if signal.claimed_by_id != operation.actor.id:
            raise claimed_by_other(operation.session, signal)
        return signal
    _take(operation, signal)
    return signal


def release(operation: Operation, *, signal_id: UUID, expected_version: int | None = None) -> Signal:
    """Put a signal back, due again by the norm for claiming.

    A signal in follow-up keeps its state, without a claimant.
    """
    signal = lock_claimed_signal(operation, signal_id, expected_version, Action.RELEASE)
    transition(operation, signal, Action.RELEASE)
    return signal


def reassign(
    operation: Operation, *, signal_id: UUID, to_staff_id: UUID, expected_version: int | None = None
) -> Signal:
    """Give an open signal to a colleague, as a lead; the history says release, then claim.

    Raises `Invalid` for "to_staff_id" when that person may not have it. Changes nothing when they have it.
    """
    require_role(operation.actor, Role.LEAD)
    signal = lock_signal(operation, signal_id, expected_version)
    _refuse_unless_colleague(operation.session, to_staff_id, signal.organisation_id)
    if is_open_and_claimed(signal):
        if signal.claimed_by_id == to_staff_id:
            return signal
        transition(operation, signal, Action.RELEASE)
    _take(operation, signal, claimant_id=to_staff_id, reason="assigned")
    return signal


def mark_urgent(
    operation: Operation, *, signal_id: UUID, urgent: bool, expected_version: int | None = None
) -> Signal:
    """Mark a signal as one that needs a visit at once, or take that back.

    A comparison does not draw it then. A mark after the claim changes what the desk suggests, and not the
    draw: a worker who knows the order must not choose which signals count.
    """
    signal = lock_signal(operation, signal_id, expected_version)
    if signal.state not in OPEN_STATES:
        raise Conflict
    signal.urgent = urgent
    record_change(
        operation, signal, AuditAction.SIGNAL_CHANGED, Ground.URGENT if urgent else Ground.NOT_URGENT
    )
    return signal


def _take(
    operation: Operation, signal: Signal, *, claimant_id: UUID | None = None, reason: str | None = None
) -> None:
    """Claim a signal; one in follow-up without a day ahead gets a day again."""
    if signal.state is SignalState.IN_FOLLOW_UP and signal.first_contact_at is None:
        plan_anew(operation, signal)
    transition(operation, signal, Action.CLAIM, claimant_id=claimant_id, reason=reason)
    reveal(operation, signal)


def _refuse_unless_colleague(session: Session, staff_id: UUID, organisation_id: UUID) -> None:
    query = select(StaffMember.id).where(
        StaffMember.id == staff_id,
        StaffMember.organisation_id == organisation_id,
        StaffMember.role.in_(FOLLOW_UP_ROLES),
        StaffMember.is_active(),
    )
    if session.scalar(query) is None:
        raise Invalid(FieldProblem(field="to_staff_id", code="unknown"))
