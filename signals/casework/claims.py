"""Who has a signal: claim, release, and a lead's reassigning."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from signals.audit.log import Actor, AuditLog, require_role
from signals.casework.access import FOLLOW_UP_ROLES, held, is_open_and_held, locked, refuse_unless
from signals.clock import Clock
from signals.errors import FieldProblem, Invalid
from signals.lifecycle.transitions import transition
from signals.models import Signal, StaffMember
from signals.vocabulary import Action, Role


def claim(
    session: Session,
    clock: Clock,
    *,
    signal_id: UUID,
    actor: Actor,
    audit: AuditLog,
    expected_version: int | None = None,
) -> Signal:
    """Take a signal on; claiming what one has already changes nothing.

    Raises `ClaimedByOther` (with name and time) when somebody else has it; a lead uses `reassign`.
    """
    signal = locked(session, signal_id, actor, expected_version)
    if is_open_and_held(signal):
        refuse_unless(signal.claimed_by_id == actor.id, session, signal)
        return signal
    transition(session, clock, signal=signal, action=Action.CLAIM, actor=actor, audit=audit)
    return signal


def release(
    session: Session,
    clock: Clock,
    *,
    signal_id: UUID,
    actor: Actor,
    audit: AuditLog,
    expected_version: int | None = None,
) -> Signal:
    """Put a signal back; one that is in follow-up stays so, without a claimant."""
    signal = held(session, clock, signal_id, actor, expected_version, Action.RELEASE)
    transition(session, clock, signal=signal, action=Action.RELEASE, actor=actor, audit=audit)
    return signal


def reassign(
    session: Session,
    clock: Clock,
    *,
    signal_id: UUID,
    to_staff_id: UUID,
    actor: Actor,
    audit: AuditLog,
    expected_version: int | None = None,
) -> Signal:
    """A lead gives an open signal to a colleague of the same organisation; history says release, claim.

    Raises `Invalid` for "to_staff_id" when that person may not have it; nothing happens when they have it.
    """
    require_role(actor, Role.LEAD)
    signal = locked(session, signal_id, actor, expected_version)
    _check_may_hold(session, to_staff_id, signal.organisation_id)
    if is_open_and_held(signal):
        if signal.claimed_by_id == to_staff_id:
            return signal
        transition(session, clock, signal=signal, action=Action.RELEASE, actor=actor, audit=audit)
    transition(
        session,
        clock,
        signal=signal,
        action=Action.CLAIM,
        actor=actor,
        audit=audit,
        claimant_id=to_staff_id,
        reason="assigned",
    )
    return signal


def _check_may_hold(session: Session, staff_id: UUID, organisation_id: UUID) -> None:
    query = select(StaffMember.id).where(
        StaffMember.id == staff_id,
        StaffMember.organisation_id == organisation_id,
        StaffMember.role.in_(FOLLOW_UP_ROLES),
        StaffMember.disabled_at.is_(None),
    )
    if session.scalar(query) is None:
        raise Invalid(FieldProblem(field="to_staff_id", code="unknown"))
