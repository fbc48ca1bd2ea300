"""Conclude or reopen a signal, and record a notification of the resident or by the Wmo."""

from datetime import date
from enum import StrEnum
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from signals.audit.grounds import Ground
from signals.casework.access import lock_claimed_signal, lock_signal, record_change
from signals.casework.postponing import forget_reminders, resume_waiting
from signals.errors import Conflict, FieldProblem, Invalid
from signals.lifecycle.deadlines import conclude_by_after_reopening
from signals.lifecycle.status_changes import transition
from signals.lifecycle.transitions import state_after
from signals.models import Organisation, Signal
from signals.operation import Operation
from signals.vocabulary import (
    CRISIS_ROUTES,
    Action,
    AuditAction,
    DeferralReason,
    NotReachedReason,
    Outcome,
    ReferredTo,
)


class ReopenReason(StrEnum):
    """Reasons to reopen a concluded signal."""

    NEW_INFORMATION = "new_information"
    RESIDENT_CALLED_BACK = "resident_called_back"
    CONCLUDED_BY_MISTAKE = "concluded_by_mistake"


def conclude(
    operation: Operation,
    *,
    signal_id: UUID,
    outcome: Outcome,
    referred_to: ReferredTo | None = None,
    newly_known: bool | None = None,
    reason: NotReachedReason | None = None,
    wmo_notified_on: date | None = None,
    expected_version: int | None = None,
) -> Signal:
    """Conclude a signal with exactly one outcome.

    `referred` names a kind of help and `escalated` a crisis route; the other outcomes name neither
    ("referred_to"). `not_reached` needs the organisation's minimum of attempts, of at least two kinds, or a
    reason ("outcome": too_few_attempts). `wmo_notified_on`: see `record_wmo`; None keeps the recorded day.
    """
    signal = lock_claimed_signal(operation, signal_id, expected_version, Action.CONCLUDE)
    _check_referral(outcome, referred_to)
    _check_day(signal, operation.today, "wmo_notified_on", wmo_notified_on)
    if outcome is Outcome.NOT_REACHED and reason is None:
        _check_tried_enough(operation.session, signal)
    signal.outcome, signal.referred_to, signal.newly_known = outcome, referred_to, newly_known
    signal.wmo_notified_on = wmo_notified_on or signal.wmo_notified_on
    signal.concluded_at = operation.now
    transition(operation, signal, Action.CONCLUDE, reason=reason)
    return signal


def reopen(
    operation: Operation,
    *,
    signal_id: UUID,
    reason: ReopenReason | None = None,
    expected_version: int | None = None,
) -> Signal:
    """Reopen a concluded signal for the actor and clear its outcome.

    The norm for concluding starts again today: a date in the past would be missed before anybody begins. The
    day that a worker agreed on in the last attempt comes back while it lies ahead.
    """
    signal = lock_signal(operation, signal_id, expected_version)
    state_after(signal.state, Action.REOPEN)
    signal.outcome = signal.referred_to = signal.newly_known = signal.concluded_at = None
    organisation = operation.session.get_one(Organisation, signal.organisation_id)
    signal.conclude_by = conclude_by_after_reopening(
        signal.conclude_by,
        operation.today,
        conclude_calendar_days=organisation.conclude_calendar_days,
    )
    forget_reminders(operation.session, signal)
    resume_waiting(operation.session, signal, on=operation.today)
    transition(operation, signal, Action.REOPEN, reason=reason)
    return signal


def record_notice(
    operation: Operation,
    *,
    signal_id: UUID,
    notified_on: date | None = None,
    deferred_because: DeferralReason | None = None,
    taken_back: bool = False,
    expected_version: int | None = None,
) -> Signal:
    """Record when the resident was notified (art. 14 AVG), or why not yet (art. 14(5), UAVG 41).

    `taken_back`: the recorded value was a mistake, and the month runs on. Exactly one of the three is given.
    The date is neither ahead nor before the receipt. Raises `Conflict` for a deferral after the
    notification, and when there is nothing to take back.
    """
    signal = lock_signal(operation, signal_id, expected_version)
    if [notified_on is not None, deferred_because is not None, taken_back].count(True) != 1:
        raise Invalid(FieldProblem(field="notified_on", code="exactly_one"))
    _check_notice(signal, operation.today, notified_on, taken_back)
    signal.notified_on = notified_on
    signal.deferred_because = deferred_because.value if deferred_because else None
    ground = (
        Ground.NOTICE_TAKEN_BACK if taken_back else Ground.DEFERRED if deferred_because else Ground.NOTIFIED
    )
    record_change(operation, signal, AuditAction.NOTICE_RECORDED, ground)
    return signal


def record_wmo(
    operation: Operation,
    *,
    signal_id: UUID,
    wmo_notified_on: date | None,
    expected_version: int | None = None,
) -> Signal:
    """Record the day of a notification by art. 2.3.2 Wmo 2015; None takes a mistake back.

    A signal itself is no such notification: a worker makes one deliberately. The date is neither ahead nor
    before the receipt.
    """
    signal = lock_signal(operation, signal_id, expected_version)
    _check_day(signal, operation.today, "wmo_notified_on", wmo_notified_on)
    signal.wmo_notified_on = wmo_notified_on
    ground = Ground.WMO_NOTIFIED if wmo_notified_on else Ground.WMO_TAKEN_BACK
    record_change(operation, signal, AuditAction.SIGNAL_CHANGED, ground)
    return signal


def _check_notice(signal: Signal, today: date, notified_on: date | None, taken_back: bool) -> None:
    nothing = signal.notified_on is None and signal.deferred_because is None
    if taken_back and nothing:
        raise Conflict
    if notified_on is None and not taken_back and signal.notified_on is not None:
        raise Conflict
    _check_day(signal, today, "notified_on", notified_on)


def _check_day(signal: Signal, today: date, field: str, done_on: date | None) -> None:
    if done_on is not None and done_on > today:
        raise Invalid(FieldProblem(field=field, code="in_future"))
    if done_on is not None and done_on < signal.received_on:
        raise Invalid(FieldProblem(field=field, code="before_receipt"))


def _check_referral(outcome: Outcome, referred_to: ReferredTo | None) -> None:
    needed = outcome in (Outcome.REFERRED, Outcome.ESCALATED)
    if needed and referred_to is None:
        raise Invalid(FieldProblem(field="referred_to", code="required"))
    if referred_to is not None and not needed:
        raise Invalid(FieldProblem(field="referred_to", code="not_with_this_outcome"))
    if needed and (referred_to in CRISIS_ROUTES) is not (outcome is Outcome.ESCALATED):
        raise Invalid(FieldProblem(field="referred_to", code="not_with_this_outcome"))


def _check_tried_enough(session: Session, signal: Signal) -> None:
    minimum = session.scalar(
        select(Organisation.minimum_attempts).where(Organisation.id == signal.organisation_id)
    )
    kinds = [attempt.kind for attempt in signal.attempts]
    if len(kinds) < (minimum or 0) or len(set(kinds)) < 2:
        raise Invalid(FieldProblem(field="outcome", code="too_few_attempts"))
