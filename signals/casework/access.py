"""The way to a signal before it is changed: its row's lock, then role, version, state and claim."""

from uuid import UUID

from sqlalchemy.orm import Session

from signals.audit.log import Actor, AuditLog, require_role
from signals.casework.queue import claimant_name, exists_elsewhere, find_signal
from signals.clock import Clock, today
from signals.errors import ClaimedByOther, Conflict, Forbidden, Restricted, StaleVersion
from signals.lifecycle.transitions import state_after
from signals.models import Signal
from signals.operation import Operation
from signals.staff.absence import stood_in_for
from signals.vocabulary import Action, AuditAction, Role, SignalState

FOLLOW_UP_ROLES = (Role.WORKER, Role.LEAD)


def held(
    session: Session,
    clock: Clock,
    signal_id: UUID,
    actor: Actor,
    expected_version: int | None,
    action: Action,
) -> Signal:
    """The locked signal, when the state allows the action and the actor may act on it (`acts_on`)."""
    signal = locked(session, signal_id, actor, expected_version)
    state_after(signal.state, action)
    if signal.claimed_by_id is None:
        raise Conflict  # released while in follow-up: claim it first
    refuse_unless(acts_on(session, clock, signal, actor), session, signal)
    return signal


def acts_on(session: Session, clock: Clock, signal: Signal, actor: Actor) -> bool:
    """Whether this person has claimed it, leads the team, or stands in today for who has claimed it."""
    if actor.role == Role.LEAD or signal.claimed_by_id == actor.id:
        return True
    if signal.claimed_by_id is None:
        return False  # nobody to stand in for
    return signal.claimed_by_id in stood_in_for(
        session, organisation_id=signal.organisation_id, staff_id=staff_id_of(actor), on=today(clock)
    )


def locked(session: Session, signal_id: UUID, actor: Actor, expected_version: int | None) -> Signal:
    require_role(actor, *FOLLOW_UP_ROLES)
    if actor.organisation_id is None:
        raise Forbidden
    signal = find_signal(session, organisation_id=actor.organisation_id, signal_id=signal_id, for_update=True)
    if expected_version is not None and signal.version != expected_version:
        raise StaleVersion
    if signal.restricted_on is not None:
        raise Restricted
    return signal


def is_open_and_held(signal: Signal) -> bool:
    return signal.claimed_by_id is not None and signal.state is not SignalState.CONCLUDED


def refuse_unless(allowed: bool, session: Session, signal: Signal) -> None:
    if not allowed:
        raise ClaimedByOther(claimant_name(session, signal) or "", signal.claimed_at)


def staff_id_of(actor: Actor) -> UUID:
    if actor.id is None:
        raise Forbidden
    return actor.id


def count_change(
    session: Session,
    clock: Clock,
    signal: Signal,
    actor: Actor,
    audit: AuditLog,
    action: AuditAction,
    ground: str,
) -> None:
    """A change that leaves the state alone still makes what others have read stale."""
    signal.version += 1
    audit.record(
        session,
        clock,
        actor=actor,
        action=action,
        subject_id=signal.id,
        ground=ground,
        organisation_id=signal.organisation_id,
    )


def record_refusal(operation: Operation, signal_id: UUID) -> None:
    """Write the audit entry of a refused look at a signal that the actor's organisation does not have."""
    if operation.actor.organisation_id is None:
        raise Forbidden
    elsewhere = exists_elsewhere(
        operation.session, organisation_id=operation.actor.organisation_id, signal_id=signal_id
    )
    operation.record(
        AuditAction.FOREIGN_SIGNAL_REFUSED,
        subject_id=signal_id,
        outcome="foreign" if elsewhere else "unknown",
    )
