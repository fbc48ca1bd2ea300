"""Postpone a signal to a day that a worker agreed with the resident.

The signal is due on exactly that day. An agreement meets the norm for a first attempt. The norm for
concluding moves along when the day lies too near to it. The month of art. 14 AVG never moves.
"""

from datetime import date, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from notifications.events import Event
from notifications.outbox import withdraw
from signals.errors import FieldProblem, Invalid
from signals.lifecycle.deadlines import conclude_by_after_postponing
from signals.models import Organisation, RetentionPeriod, Signal
from signals.vocabulary import AttemptResult, RetentionRule

MOST_DAYS_AHEAD: Final = 28
MOST_DAYS_AFTER_RECEIPT: Final = 84
"""Twelve weeks, however often a worker agrees on another day."""

_FIELD: Final = "postponed_until"
_REMINDERS: Final = (Event.AGREED_DAY, Event.CONCLUDE_REMINDER, Event.MISSED_CONCLUSION)


def postpone(
    session: Session, signal: Signal, *, result: AttemptResult, until: date | None, on: date
) -> None:
    """Let the next step wait until a day, or with None no longer; withdraw reminders of older days.

    `on` is today in Amsterdam. `conclude_by` becomes at least the agreed day plus the organisation's working
    days for an attempt. Raises `Invalid` for a day with another result than `postponed`, for a day that is
    not after today, and for a day after `last_day`.
    """
    _check(session, signal, result, until, on)
    signal.postponed_until = None
    if until is not None:
        _wait(session, signal, until)
        forget_reminders(session, signal)


def resume_waiting(session: Session, signal: Signal, *, on: date) -> None:
    """Wait again for the day that the last attempt agreed on, if it is today or later."""
    last = max(signal.attempts, key=lambda attempt: attempt.recorded_at, default=None)
    if last and last.postponed_until and last.postponed_until >= on:
        _wait(session, signal, last.postponed_until)


def _wait(session: Session, signal: Signal, until: date) -> None:
    signal.postponed_until = until
    days = session.scalar(
        select(Organisation.contact_working_days).where(Organisation.id == signal.organisation_id)
    )
    signal.conclude_by = conclude_by_after_postponing(signal.conclude_by, until, contact_days=days or 1)


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


def _check(session: Session, signal: Signal, result: AttemptResult, until: date | None, on: date) -> None:
    if until is None:
        return
    if result is not AttemptResult.POSTPONED:
        raise Invalid(FieldProblem(field=_FIELD, code="not_with_this_result"))
    if until <= on:
        raise Invalid(FieldProblem(field=_FIELD, code="not_ahead"))
    if until > last_day(session, signal, on):
        raise Invalid(FieldProblem(field=_FIELD, code="too_far_ahead"))
