"""The life of a signal: which action leads where, and the one function that changes its state."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from itertools import product
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from signals.audit.log import Actor, AuditLog
from signals.clock import Clock, today
from signals.db import is_sqlite
from signals.errors import Conflict, FieldProblem, Invalid
from signals.models import Receipt, Signal, StatusChange
from signals.vocabulary import Action, AuditAction, ReceiptState, SignalState

_NEW, _CLAIMED, _IN_FOLLOW_UP, _CONCLUDED = SignalState

ARRIVES_AS = _NEW
TRANSITIONS: Mapping[tuple[SignalState, Action], SignalState] = {
    (_NEW, Action.CLAIM): _CLAIMED,
    # A signal in follow-up that was released keeps its state, without a claimant: its attempts count on.
    (_IN_FOLLOW_UP, Action.CLAIM): _IN_FOLLOW_UP,
    (_CLAIMED, Action.RELEASE): _NEW,
    (_IN_FOLLOW_UP, Action.RELEASE): _IN_FOLLOW_UP,
    **dict.fromkeys(product((_CLAIMED, _IN_FOLLOW_UP), [Action.RECORD_ATTEMPT]), _IN_FOLLOW_UP),
    # At the other organisation it is new.
    **dict.fromkeys(product((_NEW, _CLAIMED, _IN_FOLLOW_UP), [Action.REFER]), _NEW),
    **dict.fromkeys(product((_CLAIMED, _IN_FOLLOW_UP), [Action.CONCLUDE]), _CONCLUDED),
    (_CONCLUDED, Action.REOPEN): _IN_FOLLOW_UP,
}
"""All that may happen to a signal once it has arrived; every pair that is not here is refused."""

_RECEIPT_STATES: Mapping[SignalState, ReceiptState] = {
    _CLAIMED: ReceiptState.IN_PROGRESS,
    _IN_FOLLOW_UP: ReceiptState.IN_PROGRESS,
    _CONCLUDED: ReceiptState.CLOSED,
}  # back to new tells the carrier nothing: it stays what it was
_AUDITED_AS: Mapping[Action, AuditAction] = {
    Action.REFER: AuditAction.SIGNAL_REFERRED,
}
_REASON_CODE = re.compile(r"[a-z][a-z0-9_]{0,39}")


def transition(
    session: Session,
    clock: Clock,
    *,
    signal: Signal,
    action: Action,
    actor: Actor,
    audit: AuditLog,
    claimant_id: UUID | None = None,
    reason: str | None = None,
) -> StatusChange:
    """Change the state of a signal; the only place that does, with its history and audit entry.

    Counts the version up by one, moves `due_on` to the deadline that is next, sets or clears the claimant
    (claim and reopen: `claimant_id`, by default the actor; release and refer: nobody), ends the waiting for
    an agreed day where nobody waits any more (conclude and refer), and keeps the carrier's receipt in step.
    The caller holds the row's lock (`triage.find_signal(for_update=True)`).
    `reason` is a code, for it is kept unsealed. Raises `Conflict` for what the table does not allow and
    `Invalid` for a reason that is not a code; nothing has changed then.
    """
    before = signal.state
    after = state_after(before, action)
    _refuse_free_text(reason)
    now, on = clock.now(), today(clock)
    signal.state = after
    signal.version = (signal.version or 0) + 1
    if action in (Action.CONCLUDE, Action.REFER):
        signal.postponed_until = None
    signal.due_on = next_deadline(signal)
    _follow_claim(signal, action, claimant_id or actor.id, now)
    _keep_receipt_in_step(session, signal, on)
    change = _write_history(session, signal, action, before, actor, reason, on, now)
    _record(session, clock, signal, action, actor, audit)
    return change


def state_after(before: SignalState, action: Action) -> SignalState:
    """The state that this action leads to; raises `Conflict` when the state does not allow it."""
    try:
        return TRANSITIONS[before, action]
    except KeyError:
        raise Conflict from None


def allowed_actions(state: SignalState) -> frozenset[Action]:
    """What may be done in this state, for a page that shows only what is possible."""
    return frozenset(action for before, action in TRANSITIONS if before is state)


def next_deadline(signal: Signal) -> date:
    """What comes next, by which the queue sorts: claim, first contact, an agreed day, conclusion."""
    if signal.state is _IN_FOLLOW_UP and signal.postponed_until is not None:
        return signal.postponed_until
    deadlines = {_NEW: signal.claim_by, _CLAIMED: signal.contact_by}
    return deadlines.get(signal.state, signal.conclude_by)


def life_of(signal: Signal) -> list[StatusChange]:
    """Everything that happened to a signal, its arrival first: the row itself says that, so no other need.

    It carries the day of receipt. Signals of earlier releases have a row of it. `signal.history` is loaded.
    """
    if any(change.action is Action.ARRIVE for change in signal.history):
        return list(signal.history)
    arrival = StatusChange(
        sequence=1,
        action=Action.ARRIVE,
        before=None,
        after=ARRIVES_AS,
        on=signal.received_on,
    )
    return [arrival, *signal.history]


def _refuse_free_text(reason: str | None) -> None:
    """History lies in the open: a name or an address in a reason would be readable in every backup."""
    if reason is not None and not _REASON_CODE.fullmatch(reason):
        raise Invalid(FieldProblem(field="reason", code="not_a_code"))


def _follow_claim(signal: Signal, action: Action, claimant_id: UUID | None, now: datetime) -> None:
    if action in (Action.CLAIM, Action.REOPEN):
        signal.claimed_by_id, signal.claimed_at = claimant_id, now
    elif action in (Action.RELEASE, Action.REFER):
        signal.claimed_by_id = signal.claimed_at = None


def _keep_receipt_in_step(session: Session, signal: Signal, on: date) -> None:
    """A carrier reads the state of the previous day: what held before the first change of this day."""
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
    """Made at the first change: until then whoever asks finds the row at the door, which says received.

    Made or locked in one statement: at any moment a job may make the same one, or forget an old one.
    """
    insert = (sqlite if is_sqlite(session) else postgresql).insert(Receipt)
    received = {"state": ReceiptState.RECEIVED, "state_before": ReceiptState.RECEIVED}
    row = {"receipt_hash": signal.receipt_hash, "changed_on": signal.received_on, **received}
    same = {"state": Receipt.state}
    locking = insert.values(row).on_conflict_do_update(index_elements=["receipt_hash"], set_=same)
    receipt: Receipt = session.scalars(locking.returning(Receipt)).one()
    return receipt


def _write_history(
    session: Session,
    signal: Signal,
    action: Action,
    before: SignalState,
    actor: Actor,
    reason: str | None,
    on: date,
    now: datetime,
) -> StatusChange:
    change = StatusChange(
        signal=signal,
        sequence=_next_sequence(session, signal),
        action=action,
        before=before,
        after=signal.state,
        actor_id=actor.id,
        on=on,
        at=now,
        reason=reason,
    )
    session.add(change)
    return change


def _next_sequence(session: Session, signal: Signal) -> int:
    """The arrival is the first, with or without a row."""
    latest = select(func.max(StatusChange.sequence)).where(StatusChange.signal_id == signal.id)
    return (session.scalar(latest) or 1) + 1


def _record(
    session: Session, clock: Clock, signal: Signal, action: Action, actor: Actor, audit: AuditLog
) -> None:
    audit.record(
        session,
        clock,
        actor=actor,
        action=_AUDITED_AS.get(action, AuditAction.SIGNAL_CHANGED),
        subject_id=signal.id,
        ground=action.value,
        organisation_id=signal.organisation_id,
    )
