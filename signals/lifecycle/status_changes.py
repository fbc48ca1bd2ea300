"""Change the state of a signal together with its history and its audit entry; nothing else does."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Final
from uuid import UUID

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from notifications.events import Event
from notifications.outbox import withdraw
from signals.audit.grounds import Ground
from signals.db import is_sqlite
from signals.errors import FieldProblem, Invalid
from signals.lifecycle.deadlines import add_working_days, deadlines_for
from signals.lifecycle.telling_systems import tell_systems
from signals.lifecycle.transitions import ARRIVES_AS, KEPT_ASIDE, next_deadline, state_after
from signals.models import Organisation, Receipt, Signal, StatusChange
from signals.operation import Operation
from signals.vocabulary import Action, AuditAction, ReceiptState, SignalState

_RECEIPT_STATES: Mapping[SignalState, ReceiptState] = {
    SignalState.CLAIMED: ReceiptState.IN_PROGRESS,
    SignalState.IN_FOLLOW_UP: ReceiptState.IN_PROGRESS,
    SignalState.CONCLUDED: ReceiptState.CLOSED,
}
"""States that the carrier reads. A signal that is new again leaves the receipt as it was."""
_CLAIM_REMINDERS: Final = (Event.REMINDER, Event.MISSED_DEADLINE)
_REASON_CODE = re.compile(r"[a-z][a-z0-9_]{0,39}")


def transition(
    operation: Operation,
    signal: Signal,
    action: Action,
    *,
    claimant_id: UUID | None = None,
    reason: str | None = None,
) -> StatusChange:
    """Change the state of a signal; write its history and the audit entry.

    The caller holds the row's lock (`access.find_signal(for_update=True)`). This function

    - counts the version up by one and moves `due_on` to the next deadline, or to the deletion (set aside);
    - sets the claimant (claim, reopen and take back: `claimant_id`, by default the actor) or clears it
      (release, refer);
    - ends the waiting for the receiver of a handover, and for the planned day of a signal that is referred;
    - lets a released signal be due again by the norm for claiming, with new reminders of that;
    - keeps the carrier's receipt in step;
    - tells the connected systems of the organisation.

    `reason` is a code, because it is stored unsealed. Raises `Conflict` when the table does not allow the
    action and `Invalid` for a reason that is not a code; nothing has changed then.
    """
    before, after = signal.state, state_after(signal.state, action)
    if action is Action.TAKE_BACK and signal.attempts:
        after = SignalState.IN_FOLLOW_UP  # the follow-up goes on where the sender left it
    _refuse_free_text(reason)
    signal.state = after
    signal.version = (signal.version or 0) + 1
    signal.pending_from_id = None
    _follow_claim(operation, signal, action, claimant_id)
    signal.due_on = operation.today + KEPT_ASIDE if action is Action.SET_ASIDE else next_deadline(signal)
    keep_receipt_in_step(operation.session, signal, operation.today)
    tell_systems(operation, signal)
    operation.record(
        AuditAction.SIGNAL_REFERRED if action is Action.REFER else AuditAction.SIGNAL_CHANGED,
        subject_id=signal.id,
        ground=Ground(action),
        organisation_id=signal.organisation_id,
    )
    return write_history(operation, signal, action, before=before, reason=reason)


def write_history(
    operation: Operation,
    signal: Signal,
    action: Action,
    *,
    before: SignalState,
    reason: str | None = None,
    day: date | None = None,
) -> StatusChange:
    """Add a line to the history of a signal, after its version was counted up."""
    change = StatusChange(
        signal=signal,
        sequence=signal.version,
        action=action,
        before=before,
        after=signal.state,
        actor_id=operation.actor.id,
        on=operation.today,
        at=operation.now,
        reason=reason,
        day=day,
    )
    operation.session.add(change)
    return change


def begin_deadlines(signal: Signal, team: Organisation, on: date) -> None:
    """Set the deadlines of a signal as if its team received it on this day; leave `due_on` alone."""
    begun = deadlines_for(
        on,
        claim_days=team.claim_working_days,
        contact_days=team.contact_working_days,
        conclude_calendar_days=team.conclude_calendar_days,
    )
    signal.claim_by, signal.contact_by = begun.claim_by, begun.contact_by
    signal.conclude_by = begun.conclude_by


def life_of(signal: Signal) -> list[StatusChange]:
    """Return everything that happened to a signal, its arrival first. `signal.history` is loaded.

    The row itself says when the signal arrived, so most signals have no stored change for that.
    """
    if any(change.action is Action.ARRIVE for change in signal.history):
        return list(signal.history)
    arrival = StatusChange(
        sequence=1, action=Action.ARRIVE, before=None, after=ARRIVES_AS, on=signal.received_on
    )
    return [arrival, *signal.history]


def _refuse_free_text(reason: str | None) -> None:
    """Refuse a reason that could hold a name or an address: every backup would show it."""
    if reason is not None and not _REASON_CODE.fullmatch(reason):
        raise Invalid(FieldProblem(field="reason", code="not_a_code"))


def _follow_claim(operation: Operation, signal: Signal, action: Action, claimant_id: UUID | None) -> None:
    if action in (Action.CLAIM, Action.REOPEN, Action.TAKE_BACK):
        signal.claimed_by_id, signal.claimed_at = claimant_id or operation.actor.id, operation.now
    elif action in (Action.RELEASE, Action.REFER):
        signal.claimed_by_id = signal.claimed_at = None
    if action is Action.RELEASE:
        team = operation.session.get_one(Organisation, signal.organisation_id)
        signal.claim_by = add_working_days(operation.today, team.claim_working_days)
        withdraw(operation.session, subject_id=signal.id, events=_CLAIM_REMINDERS)
    if action is Action.REFER:
        signal.postponed_until = signal.undo = signal.filed_on = None


def keep_receipt_in_step(session: Session, signal: Signal, on: date) -> None:
    """Let the receipt follow the state. It keeps that of yesterday, which a carrier reads today."""
    wanted = _RECEIPT_STATES.get(signal.state)
    if wanted is None or signal.receipt_hash is None:
        return
    receipt = session.get(Receipt, signal.receipt_hash, with_for_update=True)
    receipt = receipt or _first_receipt(session, signal)
    if receipt.state is wanted:
        return
    if on > receipt.changed_on:
        receipt.state_before, receipt.changed_on = receipt.state, on
    receipt.state = wanted


def _first_receipt(session: Session, signal: Signal) -> Receipt:
    """Make the receipt at the first change; until then the stored report answers "received".

    One statement makes or locks it, because a job may make the same one, or delete an old one, meanwhile.
    """
    insert = (sqlite if is_sqlite(session) else postgresql).insert(Receipt)
    received = {"state": ReceiptState.RECEIVED, "state_before": ReceiptState.RECEIVED}
    row = {"receipt_hash": signal.receipt_hash, "changed_on": signal.received_on, **received}
    same = {"state": Receipt.state}
    locking = insert.values(row).on_conflict_do_update(index_elements=["receipt_hash"], set_=same)
    receipt: Receipt = session.scalars(locking.returning(Receipt)).one()
    return receipt
