"""Plan the day of the next contact: agreed with the resident, proposed after an attempt, or chosen.

The signal is due on exactly that day. An agreement meets the norm for a first attempt, and the norm for
concluding moves along when the day lies too near to it. A day that only the team plans lies within that norm.
The month of art. 14 AVG never moves.
"""

from datetime import date, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from notifications.events import Event
from notifications.outbox import withdraw
from signals.audit.grounds import Ground
from signals.casework.access import lock_claimed_signal, record_change
from signals.clock import AMSTERDAM
from signals.errors import Conflict, FieldProblem, Invalid
from signals.lifecycle.deadlines import add_working_days, conclude_by_after_postponing, next_attempt_on
from signals.lifecycle.transitions import next_deadline
from signals.models import ContactAttempt, Organisation, RetentionPeriod, Signal
from signals.operation import Operation
from signals.organisations.team_settings import retry_days
from signals.vocabulary import Action, AttemptResult, AuditAction, RetentionRule, SignalState

MOST_DAYS_AHEAD: Final = 28
MOST_DAYS_AFTER_RECEIPT: Final = 84
"""Twelve weeks, however often a worker agrees on another day."""

_FIELD: Final = "postponed_until"
_REMINDERS: Final = (Event.NEXT_CONTACT, Event.CONCLUDE_REMINDER, Event.MISSED_CONCLUSION)
_TAKES_A_DAY: Final = frozenset({AttemptResult.POSTPONED, AttemptResult.NO_ANSWER})


def plan_next(operation: Operation, signal: Signal, result: AttemptResult, until: date | None) -> None:
    """Set the day of the next contact after an attempt, and withdraw reminders of older days.

    `until`: the day agreed with the resident (`postponed`), or chosen in place of the proposed one
    (`no_answer`). Without it, the two get the proposed day, and other results none. No day may be left
    within the norm for concluding. The caller checks the day first: `check_day`.
    """
    signal.postponed_until = until or _proposed(operation, signal, result)
    if until is not None and result is AttemptResult.POSTPONED:
        days = _team(operation.session, signal).contact_working_days
        signal.conclude_by = conclude_by_after_postponing(signal.conclude_by, until, contact_days=days)
    forget_reminders(operation.session, signal)


def choose_day(
    operation: Operation, *, signal_id: UUID, postponed_until: date, expected_version: int | None = None
) -> Signal:
    """Choose another day for the next contact, within the norm for concluding."""
    signal = lock_claimed_signal(operation, signal_id, expected_version, Action.CONCLUDE)
    if signal.state is not SignalState.IN_FOLLOW_UP:
        raise Conflict
    check_day(operation, signal, AttemptResult.NO_ANSWER, postponed_until)
    plan_next(operation, signal, AttemptResult.NO_ANSWER, postponed_until)
    signal.due_on = next_deadline(signal)
    record_change(operation, signal, AuditAction.SIGNAL_CHANGED, Ground.POSTPONED)
    return signal


def is_planned_ahead(signal: Signal, on: date) -> bool:
    """Return whether the day of the next contact lies after today (`on`)."""
    return signal.postponed_until is not None and signal.postponed_until > on


def check_day(operation: Operation, signal: Signal, result: AttemptResult, until: date) -> None:
    """Raise `Invalid` for a day with a result that takes none, that is not after today, or too far ahead."""
    on, agreed = operation.today, result is AttemptResult.POSTPONED
    if result not in _TAKES_A_DAY:
        raise Invalid(FieldProblem(field=_FIELD, code="not_with_this_result"))
    if until <= on:
        raise Invalid(FieldProblem(field=_FIELD, code="not_ahead"))
    if agreed and until > last_day(operation.session, signal, on):
        raise Invalid(FieldProblem(field=_FIELD, code="too_far_ahead"))
    if not agreed and until > _last_planned(operation, signal):
        raise Invalid(FieldProblem(field=_FIELD, code="after_conclusion"))


def plan_anew(operation: Operation, signal: Signal) -> None:
    """Keep the planned day while it lies ahead; otherwise plan a day by the norm for a first attempt."""
    if signal.postponed_until is None or signal.postponed_until < operation.today:
        days = _team(operation.session, signal).contact_working_days
        signal.postponed_until = min(add_working_days(operation.today, days), signal.conclude_by)


def latest_attempt(signal: Signal) -> ContactAttempt | None:
    """Return the last attempt by the clock, or None without one."""
    return max(signal.attempts, key=lambda attempt: attempt.attempted_at, default=None)


def last_day(session: Session, signal: Signal, on: date) -> date:
    """Return the last day to agree on: 28 days ahead, 12 weeks after receipt, and before the deletion."""
    kept = session.scalar(
        select(RetentionPeriod.days).where(
            RetentionPeriod.organisation_id == signal.organisation_id,
            RetentionPeriod.rule == RetentionRule.HARD_LIMIT,
        )
    )
    after_receipt = min(MOST_DAYS_AFTER_RECEIPT, (kept or MOST_DAYS_AFTER_RECEIPT + 1) - 1)
    return min(on + timedelta(days=MOST_DAYS_AHEAD), signal.received_on + timedelta(days=after_receipt))


def forget_reminders(session: Session, signal: Signal) -> None:
    """Withdraw reminders of a moved deadline: the outbox writes each message only once a recipient."""
    withdraw(session, subject_id=signal.id, events=_REMINDERS)


def _proposed(operation: Operation, signal: Signal, result: AttemptResult) -> date | None:
    last = latest_attempt(signal)
    if result not in _TAKES_A_DAY or last is None:
        return None
    tried = sum(attempt.result in _TAKES_A_DAY for attempt in signal.attempts)
    days = retry_days(_team(operation.session, signal).retry_working_days)
    tried_on = last.attempted_at.astimezone(AMSTERDAM).date()
    day = next_attempt_on(tried_on, operation.today, tried=tried, retry_days=days)
    return day if day <= _last_planned(operation, signal) else None


def _last_planned(operation: Operation, signal: Signal) -> date:
    return min(last_day(operation.session, signal, operation.today), signal.conclude_by)


def _team(session: Session, signal: Signal) -> Organisation:
    return session.get_one(Organisation, signal.organisation_id)
