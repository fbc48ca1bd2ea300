"""Record that the resident was told who holds what and why, or why not yet (art. 14 AVG)."""

from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Final
from uuid import UUID

from signals.audit.grounds import Ground
from signals.casework.access import lock_signal, may_act_on, record_change
from signals.casework.attempts import add_attempt
from signals.clock import AMSTERDAM
from signals.errors import Conflict, FieldProblem, Invalid
from signals.lifecycle.status_changes import write_history
from signals.lifecycle.transitions import awaits_claim
from signals.models import Signal
from signals.operation import Operation
from signals.vocabulary import (
    OPEN_STATES,
    Action,
    AttemptKind,
    AttemptResult,
    AuditAction,
    DeferralReason,
    NotifiedBy,
)

_KINDS: Final[Mapping[NotifiedBy, AttemptKind]] = {
    NotifiedBy.LETTER: AttemptKind.LETTER,
    NotifiedBy.IN_PERSON: AttemptKind.VISIT,
    NotifiedBy.PHONE: AttemptKind.PHONE,
}


def record_notice(
    operation: Operation,
    *,
    signal_id: UUID,
    notified_on: date | None = None,
    notified_by: NotifiedBy | None = None,
    deferred_because: DeferralReason | None = None,
    taken_back: bool = False,
    expected_version: int | None = None,
) -> Signal:
    """Record when the resident was told (art. 14 AVG), or why not yet (art. 14(5), UAVG 41).

    `notified_by` alone means the day of the last such attempt, else today. A delivered letter counts as an
    attempt. `taken_back`: the recorded value was a mistake, and the month runs on. Exactly one of the three
    is given. The date is neither ahead nor before the receipt. Raises `Conflict` for a deferral after the
    notification, and when there is nothing to take back.
    """
    signal = lock_signal(operation, signal_id, expected_version)
    told = notified_on is not None or notified_by is not None
    if [told, deferred_because is not None, taken_back].count(True) != 1:
        raise Invalid(FieldProblem(field="notified_on", code="exactly_one"))
    if taken_back and signal.notified_on is None and signal.deferred_because is None:
        raise Conflict
    if deferred_because and signal.notified_on is not None:
        raise Conflict
    check_day(signal, operation.today, "notified_on", notified_on)
    inform(operation, signal, on=notified_on, by=notified_by, deferred_because=deferred_because)
    return signal


def inform(
    operation: Operation,
    signal: Signal,
    *,
    on: date | None = None,
    by: NotifiedBy | None = None,
    deferred_because: DeferralReason | None = None,
) -> None:
    """Record it at a locked signal, in values that were checked; nothing at all takes the record back."""
    signal.notified_on = on or (_day_told(signal, by, operation.today) if by else None)
    signal.deferred_because = deferred_because.value if deferred_because else None
    if by is NotifiedBy.LETTER and signal.notified_on:
        _count_letter(operation, signal, signal.notified_on)
    if signal.notified_on:
        ground = Ground.NOTIFIED
    else:
        ground = Ground.DEFERRED if deferred_because else Ground.NOTICE_TAKEN_BACK
    record_change(operation, signal, AuditAction.NOTICE_RECORDED, ground)
    write_history(
        operation,
        signal,
        Action.NOTIFY,
        before=signal.state,
        reason=signal.deferred_because,
        day=signal.notified_on,
    )


def counts_letter(signal: Signal, by: NotifiedBy | None) -> bool:
    """Return whether being told in this way adds an attempt: the letter has none yet."""
    return by is NotifiedBy.LETTER and not _days_of(signal, by)


def check_day(signal: Signal, today: date, field: str, done_on: date | None) -> None:
    """Raise `Invalid` for a day ahead, and for one before the receipt."""
    if done_on is not None and done_on > today:
        raise Invalid(FieldProblem(field=field, code="in_future"))
    if done_on is not None and done_on < signal.received_on:
        raise Invalid(FieldProblem(field=field, code="before_receipt"))


def _day_told(signal: Signal, by: NotifiedBy, today: date) -> date:
    printed_on = signal.letter_printed_on if by is NotifiedBy.LETTER else None
    return max(_days_of(signal, by), default=printed_on or today)


def _count_letter(operation: Operation, signal: Signal, on: date) -> None:
    """Count a delivered letter as an attempt of the person who may work on the open signal.

    A letter from the day of the first contact on tried nothing: it only told the resident.
    """
    met = signal.first_contact_at
    if met is not None and met.astimezone(AMSTERDAM).date() <= on:
        return
    acts = awaits_claim(signal) or may_act_on(operation, signal)
    if signal.state not in OPEN_STATES or not acts or not counts_letter(signal, NotifiedBy.LETTER):
        return
    noon = datetime.combine(on, time(12), AMSTERDAM)
    add_attempt(
        operation,
        signal,
        kind=AttemptKind.LETTER,
        result=AttemptResult.NO_ANSWER,
        attempted_at=min(noon, operation.now) if on != operation.today else operation.now,
    )


def _days_of(signal: Signal, by: NotifiedBy) -> list[date]:
    """Return the days of the attempts that may have told it: a letter, once it was printed."""
    since = signal.letter_printed_on if by is NotifiedBy.LETTER else None
    days = [
        attempt.attempted_at.astimezone(AMSTERDAM).date()
        for attempt in signal.attempts
        if attempt.kind is _KINDS[by]
    ]
    return [day for day in days if since is None or day >= since]
