"""A day agreed with the resident: how far off it may lie, and which deadline moves along.

While it is awaited the signal is due on that day, neither before nor after. The norm for a first attempt is
met already, for an agreement is one; the norm for concluding moves along when the day lies too near to it.
The month of art. 14 AVG never moves.
"""

from datetime import date, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from notifications.events import Event
from notifications.outbox import withdraw
from signals.errors import FieldProblem, Invalid
from signals.lifecycle.deadlines import add_working_days
from signals.models import Organisation, RetentionPeriod, Signal
from signals.vocabulary import AttemptResult, RetentionRule

MOST_DAYS_AHEAD: Final = 28
MOST_DAYS_AFTER_RECEIPT: Final = 84
"""Twelve weeks, however often a day is agreed anew: what cannot be done by then ends another way."""

_FIELD: Final = "postponed_until"
_TOLD_ANEW: Final = (Event.AGREED_DAY, Event.CONCLUDE_REMINDER, Event.MISSED_CONCLUSION)


def postpone(
    session: Session, signal: Signal, *, result: AttemptResult, until: date | None, on: date
) -> None:
    """Let the next step wait until a day, or (None) no longer; what was said of older days is said anew.

    `on` is today in Amsterdam. Moves `conclude_by` to the organisation's working days for an attempt after
    the day, where it lies earlier. Raises `Invalid` for a day with another result than `postponed`, one that
    is not after today, and one beyond `last_day`.
    """
    _check(session, signal, result, until, on)
    signal.postponed_until = until
    if until is None:
        return
    days = session.scalar(
        select(Organisation.contact_working_days).where(Organisation.id == signal.organisation_id)
    )
    signal.conclude_by = max(signal.conclude_by, add_working_days(until, days or 1))
    forget_reminders(session, signal)


def last_day(session: Session, signal: Signal, on: date) -> date:
    """The last day that may be agreed: 28 days ahead, 12 weeks after receipt, and before the deletion."""
    kept = session.scalar(
        select(RetentionPeriod.days).where(
            RetentionPeriod.organisation_id == signal.organisation_id,
            RetentionPeriod.rule == RetentionRule.HARD_LIMIT,
        )
    )
    after_receipt = min(MOST_DAYS_AFTER_RECEIPT, (kept or MOST_DAYS_AFTER_RECEIPT + 1) - 1)
    return min(on + timedelta(days=MOST_DAYS_AHEAD), signal.received_on + timedelta(days=after_receipt))


def forget_reminders(session: Session, signal: Signal) -> None:
    """A deadline that moved is told again: each message is written once for signal and recipient, ever."""
    withdraw(session, subject_id=signal.id, events=_TOLD_ANEW)


def _check(session: Session, signal: Signal, result: AttemptResult, until: date | None, on: date) -> None:
    if until is None:
        return
    if result is not AttemptResult.POSTPONED:
        raise Invalid(FieldProblem(field=_FIELD, code="not_with_this_result"))
    if until <= on:
        raise Invalid(FieldProblem(field=_FIELD, code="not_ahead"))
    if until > last_day(session, signal, on):
        raise Invalid(FieldProblem(field=_FIELD, code="too_far_ahead"))
