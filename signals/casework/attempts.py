"""Record the contact attempts: each time that a worker tries to reach the resident."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final, NotRequired, TypedDict, Unpack
from uuid import UUID

from signals.audit.grounds import Ground
from signals.casework.access import (
    find_signal,
    lock_signal,
    organisation_of,
    record_change,
    require_author,
    require_claim,
    staff_id_of,
)
from signals.casework.postponing import check_day, is_planned_ahead, latest_attempt, plan_next
from signals.casework.suggestions import REACHED
from signals.clock import AMSTERDAM
from signals.errors import Conflict, FieldProblem, Invalid
from signals.lifecycle.status_changes import transition
from signals.lifecycle.transitions import awaits_claim, next_deadline
from signals.models import ContactAttempt, Signal
from signals.models.base import new_id
from signals.operation import Operation
from signals.vocabulary import Action, AttemptKind, AttemptResult, AuditAction, SignalState

CLOCK_SKEW: Final = timedelta(minutes=5)
"""A worker's clock may be this far ahead of ours."""


class Tried(TypedDict):
    """The facts of an attempt as a worker gives them, made by one worker (the default) or two.

    `attempted_at` is aware, at most `CLOCK_SKEW` ahead, and not before the day of receipt.
    `postponed_until`: the day agreed or chosen for the next contact, in place of the proposed one: see
    `plan_next`.
    """

    kind: AttemptKind
    result: AttemptResult
    attempted_at: datetime
    workers: NotRequired[int]
    postponed_until: NotRequired[date | None]


def record_attempt(
    operation: Operation,
    *,
    signal_id: UUID,
    attempt_id: UUID | None = None,
    expected_version: int | None = None,
    **tried: Unpack[Tried],
) -> ContactAttempt:
    """Record one attempt to reach the resident.

    The first attempt at a signal that nobody has claims it for the actor. Sets `first_contact_at` to the
    earliest attempt that reached the resident.
    `attempt_id` is the sender's own: an attempt that has it already is returned, and nothing changes.
    """
    if attempt_id and (found := _recorded(operation, signal_id, attempt_id)):
        return found
    signal = lock_signal(operation, signal_id, expected_version)
    if not awaits_claim(signal):
        require_claim(operation, signal, Action.RECORD_ATTEMPT)
    _check(operation, signal, tried)
    return add_attempt(operation, signal, keeps_day=False, attempt_id=attempt_id, **tried)


def _recorded(operation: Operation, signal_id: UUID, attempt_id: UUID) -> ContactAttempt | None:
    """Return the actor's attempt with this id, after a lock: two requests at once record one attempt."""
    own = organisation_of(operation.actor)
    find_signal(operation.session, organisation_id=own, signal_id=signal_id, for_update=True)
    found = operation.session.get(ContactAttempt, attempt_id)
    if found and (found.signal_id, found.recorded_by_id) != (signal_id, operation.actor.id):
        raise Conflict
    return found


def add_attempt(
    operation: Operation,
    signal: Signal,
    *,
    keeps_day: bool = True,
    attempt_id: UUID | None = None,
    **tried: Unpack[Tried],
) -> ContactAttempt:
    """Add an attempt to a locked signal, and claim it for the actor when nobody has it.

    `keeps_day`: a planned day that lies ahead stays, so that a letter on the way does not end the waiting.
    """
    if awaits_claim(signal):
        transition(operation, signal, Action.CLAIM)
    attempt = _add(operation, signal, tried, attempt_id)
    if attempt.result in REACHED:
        signal.first_contact_at = min(attempt.attempted_at, signal.first_contact_at or attempt.attempted_at)
    if not (keeps_day and is_planned_ahead(signal, operation.today)):
        plan_next(operation, signal, attempt.result, tried.get("postponed_until"))
    transition(operation, signal, Action.RECORD_ATTEMPT)
    return attempt


def correct_attempt(
    operation: Operation,
    *,
    signal_id: UUID,
    attempt_id: UUID,
    expected_version: int | None = None,
    **tried: Unpack[Tried],
) -> ContactAttempt:
    """Replace an attempt by a corrected one; the timeline keeps the old one, and all else counts the new one.

    Whoever recorded it may do this, and whoever may act on the signal, also after the conclusion. Another
    result of the last attempt plans the next contact anew.
    """
    signal = lock_signal(operation, signal_id, expected_version)
    old = next((attempt for attempt in signal.attempts if attempt.id == attempt_id), None)
    if old is None:
        raise Conflict
    require_author(operation, signal, old.recorded_by_id)
    if tried["attempted_at"] == old.attempted_at.replace(second=0, microsecond=0):
        tried["attempted_at"] = old.attempted_at  # a form knows minutes only
    _check(operation, signal, tried, old)
    new = _add(operation, signal, tried)
    old.replaced_by_id = new.id
    operation.session.flush()
    operation.session.expire(signal, ["attempts"])
    reached = (attempt.attempted_at for attempt in signal.attempts if attempt.result in REACHED)
    signal.first_contact_at = min(reached, default=None)
    other = (old.result, old.postponed_until) != (new.result, new.postponed_until)
    if other and signal.state is SignalState.IN_FOLLOW_UP and latest_attempt(signal) is new:
        plan_next(operation, signal, new.result, tried.get("postponed_until"))
        signal.due_on = next_deadline(signal)
    record_change(operation, signal, AuditAction.SIGNAL_CHANGED, Ground.CORRECTED)
    return new


def _add(
    operation: Operation, signal: Signal, tried: Tried, attempt_id: UUID | None = None
) -> ContactAttempt:
    agreed_on = tried.get("postponed_until") if tried["result"] is AttemptResult.POSTPONED else None
    attempt = ContactAttempt(
        id=attempt_id or new_id(),
        signal=signal,
        recorded_by_id=staff_id_of(operation.actor),
        recorded_at=operation.now,
        **{"workers": 1, **tried, "postponed_until": agreed_on},
    )
    operation.session.add(attempt)
    return attempt


def _check(operation: Operation, signal: Signal, tried: Tried, old: ContactAttempt | None = None) -> None:
    """Raise `Invalid` for what cannot be; a day that was agreed earlier may have come since."""
    problems, attempted_at = [], tried["attempted_at"]
    if attempted_at.tzinfo is None:
        problems.append(FieldProblem(field="attempted_at", code="needs_offset"))
    # Compare before any change of zone: years 1 and 9999 do not survive one.
    elif attempted_at > operation.now + CLOCK_SKEW:
        problems.append(FieldProblem(field="attempted_at", code="in_future"))
    elif attempted_at < datetime.combine(signal.received_on, time(), AMSTERDAM).astimezone(UTC):
        problems.append(FieldProblem(field="attempted_at", code="before_receipt"))
    if tried.get("workers", 1) not in (1, 2):
        problems.append(FieldProblem(field="workers", code="out_of_range"))
    if problems:
        raise Invalid(*problems)
    result, until = tried["result"], tried.get("postponed_until")
    if until is not None and (old is None or (result, until) != (old.result, old.postponed_until)):
        check_day(operation, signal, result, until)
