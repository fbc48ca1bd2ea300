"""What is done about a signal: contact attempts, the letter to the resident, the outcome, reopening."""

from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from signals.audit.log import Actor, AuditLog
from signals.casework.access import count_change, held, locked, staff_id_of
from signals.casework.postponing import forget_reminders, postpone
from signals.casework.suggestions import REACHED
from signals.clock import AMSTERDAM, Clock, today
from signals.errors import Conflict, FieldProblem, Invalid
from signals.lifecycle.transitions import state_after, transition
from signals.models import ContactAttempt, Organisation, Signal
from signals.vocabulary import (
    CRISIS_ROUTES,
    Action,
    AttemptKind,
    AttemptResult,
    AuditAction,
    DeferralReason,
    Outcome,
    ReferredTo,
)

CLOCK_SKEW: Final = timedelta(minutes=5)


class NotReachedReason(StrEnum):
    """Why a signal may be concluded as not reached with fewer attempts than the organisation asks."""

    MOVED_AWAY = "moved_away"
    DECEASED = "deceased"
    NOBODY_LIVES_THERE = "nobody_lives_there"
    UNSAFE_TO_VISIT = "unsafe_to_visit"
    ASKED_TO_STOP = "asked_to_stop"


class ReopenReason(StrEnum):
    """Why a concluded signal is taken up again."""

    NEW_INFORMATION = "new_information"
    RESIDENT_CALLED_BACK = "resident_called_back"
    CONCLUDED_BY_MISTAKE = "concluded_by_mistake"


def record_attempt(
    session: Session,
    clock: Clock,
    *,
    signal_id: UUID,
    actor: Actor,
    audit: AuditLog,
    kind: AttemptKind,
    result: AttemptResult,
    attempted_at: datetime,
    workers: int = 1,
    postponed_until: date | None = None,
    expected_version: int | None = None,
) -> ContactAttempt:
    """Record one try to reach the resident, by one worker or two.

    `attempted_at` is aware, at most five minutes ahead (clocks differ) and not before the day of receipt.
    Sets `first_contact_at` to the earliest attempt at which somebody spoke with the resident.
    `postponed_until`, with the result `postponed` only: the day that was agreed, see `postpone`; the next
    attempt ends the waiting.
    """
    signal = held(session, clock, signal_id, actor, expected_version, Action.RECORD_ATTEMPT)
    now = clock.now()
    _check_attempt(signal, now, attempted_at, workers)
    postpone(session, signal, result=result, until=postponed_until, on=today(clock))
    attempt = ContactAttempt(
        signal=signal,
        kind=kind,
        result=result,
        attempted_at=attempted_at,
        workers=workers,
        postponed_until=postponed_until,
        recorded_by_id=staff_id_of(actor),
        recorded_at=now,
    )
    session.add(attempt)
    if result in REACHED:
        signal.first_contact_at = min(attempted_at, signal.first_contact_at or attempted_at)
    transition(session, clock, signal=signal, action=Action.RECORD_ATTEMPT, actor=actor, audit=audit)
    return attempt


def record_notice(
    session: Session,
    clock: Clock,
    *,
    signal_id: UUID,
    actor: Actor,
    audit: AuditLog,
    notified_on: date | None = None,
    deferred_because: DeferralReason | None = None,
    taken_back: bool = False,
    expected_version: int | None = None,
) -> Signal:
    """Record that the resident was told (art. 14 AVG) on a date, or why not yet (art. 14(5), UAVG 41).

    Or `taken_back`: what was recorded was a mistake, and the month runs on. Exactly one of the three. The
    date is neither ahead nor before the receipt. Raises `Conflict` for a deferral after the resident was
    told, and where there is nothing to take back.
    """
    signal = locked(session, signal_id, actor, expected_version)
    if [notified_on is not None, deferred_because is not None, taken_back].count(True) != 1:
        raise Invalid(FieldProblem(field="notified_on", code="exactly_one"))
    _check_notice(signal, today(clock), notified_on, taken_back)
    signal.notified_on = notified_on
    signal.deferred_because = deferred_because.value if deferred_because else None
    ground = "notice_taken_back" if taken_back else "deferred" if deferred_because else "notified"
    count_change(session, clock, signal, actor, audit, AuditAction.NOTICE_RECORDED, ground)
    return signal


def record_wmo(
    session: Session,
    clock: Clock,
    *,
    signal_id: UUID,
    actor: Actor,
    audit: AuditLog,
    wmo_notified_on: date | None,
    expected_version: int | None = None,
) -> Signal:
    """Record when a notification was made by art. 2.3.2 Wmo 2015; None takes back what was a mistake.

    A signal itself is none: a worker makes one knowingly. The date is neither ahead nor before the receipt.
    """
    signal = locked(session, signal_id, actor, expected_version)
    _check_day_of(signal, today(clock), "wmo_notified_on", wmo_notified_on)
    signal.wmo_notified_on = wmo_notified_on
    ground = "wmo_notified" if wmo_notified_on else "wmo_taken_back"
    count_change(session, clock, signal, actor, audit, AuditAction.SIGNAL_CHANGED, ground)
    return signal


def conclude(
    session: Session,
    clock: Clock,
    *,
    signal_id: UUID,
    actor: Actor,
    audit: AuditLog,
    outcome: Outcome,
    referred_to: ReferredTo | None = None,
    newly_known: bool | None = None,
    reason: NotReachedReason | None = None,
    wmo_notified_on: date | None = None,
    expected_version: int | None = None,
) -> Signal:
    """Conclude with exactly one outcome.

    `referred` names a kind of help, `escalated` a crisis route, the others neither ("referred_to").
    `not_reached` needs the organisation's minimum of attempts, of two kinds at least, or a reason
    ("outcome": too_few_attempts). `wmo_notified_on`: as in `record_wmo`; None leaves what was recorded.
    """
    signal = held(session, clock, signal_id, actor, expected_version, Action.CONCLUDE)
    _check_referral(outcome, referred_to)
    _check_day_of(signal, today(clock), "wmo_notified_on", wmo_notified_on)
    if outcome is Outcome.NOT_REACHED and reason is None:
        _check_tried_enough(session, signal)
    signal.outcome, signal.referred_to, signal.newly_known = outcome, referred_to, newly_known
    signal.wmo_notified_on = wmo_notified_on or signal.wmo_notified_on
    signal.concluded_at = clock.now()
    transition(session, clock, signal=signal, action=Action.CONCLUDE, actor=actor, audit=audit, reason=reason)
    return signal


def reopen(
    session: Session,
    clock: Clock,
    *,
    signal_id: UUID,
    actor: Actor,
    audit: AuditLog,
    reason: ReopenReason | None = None,
    expected_version: int | None = None,
) -> Signal:
    """Take a concluded signal up again: its outcome is cleared, and who reopens has it.

    The norm for concluding runs anew from today; a date in the past would be missed before anybody began.
    """
    signal = locked(session, signal_id, actor, expected_version)
    state_after(signal.state, Action.REOPEN)
    signal.outcome = signal.referred_to = signal.newly_known = signal.concluded_at = None
    organisation = session.get_one(Organisation, signal.organisation_id)
    anew = today(clock) + timedelta(days=organisation.conclude_calendar_days)
    signal.conclude_by = max(signal.conclude_by, anew)
    forget_reminders(session, signal)
    transition(session, clock, signal=signal, action=Action.REOPEN, actor=actor, audit=audit, reason=reason)
    return signal


def _check_attempt(signal: Signal, now: datetime, attempted_at: datetime, workers: int) -> None:
    problems = []
    if attempted_at.tzinfo is None:
        problems.append(FieldProblem(field="attempted_at", code="needs_offset"))
    # Compared as it stands: a year 1 or 9999 does not survive a change of zone.
    elif attempted_at > now + CLOCK_SKEW:
        problems.append(FieldProblem(field="attempted_at", code="in_future"))
    elif attempted_at < datetime.combine(signal.received_on, time(), AMSTERDAM).astimezone(UTC):
        problems.append(FieldProblem(field="attempted_at", code="before_receipt"))
    if workers not in (1, 2):
        problems.append(FieldProblem(field="workers", code="out_of_range"))
    if problems:
        raise Invalid(*problems)


def _check_notice(signal: Signal, day: date, notified_on: date | None, taken_back: bool) -> None:
    nothing = signal.notified_on is None and signal.deferred_because is None
    if taken_back and nothing:
        raise Conflict
    if notified_on is None and not taken_back and signal.notified_on is not None:
        raise Conflict
    _check_day_of(signal, day, "notified_on", notified_on)


def _check_day_of(signal: Signal, day: date, field: str, done_on: date | None) -> None:
    """Something that was done about a signal lies between its receipt and today."""
    if done_on is not None and done_on > day:
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
