"""Conclude or reopen a signal, and record a notification by the Wmo."""

from datetime import date
from enum import StrEnum
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from signals.audit.grounds import Ground
from signals.casework.access import lock_claimed_signal, lock_signal, record_change
from signals.casework.attempts import add_attempt
from signals.casework.informing import check_day, counts_letter, inform
from signals.casework.postponing import forget_reminders, plan_anew
from signals.casework.questions import problems_with
from signals.errors import FieldProblem, Invalid
from signals.lifecycle.deadlines import conclude_by_after_reopening
from signals.lifecycle.status_changes import transition
from signals.lifecycle.transitions import state_after
from signals.models import Organisation, Signal
from signals.operation import Operation
from signals.vocabulary import (
    CRISIS_ROUTES,
    Action,
    AttemptKind,
    AttemptResult,
    AuditAction,
    ContactBy,
    DeferralReason,
    NotifiedBy,
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
    contact_by: ContactBy | None = None,
    newly_known: bool | None = None,
    notified_by: NotifiedBy | None = None,
    deferred_because: DeferralReason | None = None,
    reason: NotReachedReason | None = None,
    wmo_notified_on: date | None = None,
    asks: bool = True,
    expected_version: int | None = None,
) -> Signal:
    """Conclude a signal with exactly one outcome, and record the answers to `questions.missing`.

    `asks`: require these answers. A program may record attempts and notice by calls of their own, before or
    after this one; the month of art. 14 AVG runs on.

    `referred` names a kind of help and `escalated` a crisis route; the other outcomes name neither
    ("referred_to"). `contact_by` becomes an attempt with contact, today; a letter becomes an attempt too.
    `not_reached` needs a `reason` before an agreed day, and with fewer attempts than the organisation asks,
    of at least two kinds; `tried_enough` needs those attempts ("reason": before_agreed_day,
    too_few_attempts). `wmo_notified_on`: see `record_wmo`; None keeps the recorded day.
    """
    signal = lock_claimed_signal(operation, signal_id, expected_version, Action.CONCLUDE)
    _check_referral(outcome, referred_to)
    check_day(signal, operation.today, "wmo_notified_on", wmo_notified_on)
    problems = _early(operation, signal, reason, notified_by) if outcome is Outcome.NOT_REACHED else []
    problems += problems_with(
        signal,
        outcome,
        contact_by=contact_by,
        newly_known=newly_known,
        notified_by=notified_by,
        deferred_because=deferred_because,
        asks=asks,
    )
    if problems:
        raise Invalid(*problems)
    _record_contact(operation, signal, contact_by)
    if notified_by or deferred_because:
        inform(operation, signal, by=notified_by, deferred_because=deferred_because)
    signal.outcome, signal.referred_to = outcome, referred_to
    signal.newly_known = False if outcome is Outcome.ALREADY_KNOWN else newly_known
    signal.wmo_notified_on = wmo_notified_on or signal.wmo_notified_on
    signal.concluded_at = operation.now
    transition(operation, signal, Action.CONCLUDE, reason=reason)
    return signal


def attempts_asked(session: Session, signal: Signal, *, more: tuple[AttemptKind, ...] = ()) -> int | None:
    """Return how many attempts the organisation asks, while the team made fewer or tried in one way only."""
    minimum: int = session.scalars(
        select(Organisation.minimum_attempts).where(Organisation.id == signal.organisation_id)
    ).one()
    kinds = [*(attempt.kind for attempt in signal.attempts), *more]
    return None if len(kinds) >= minimum and len(set(kinds)) > 1 else minimum


def reopen(
    operation: Operation,
    *,
    signal_id: UUID,
    reason: ReopenReason | None = None,
    expected_version: int | None = None,
) -> Signal:
    """Reopen a concluded signal for the actor and clear its outcome.

    The norm for concluding starts again today: a date in the past would be missed before anybody begins. The
    planned day counts again while it lies ahead; otherwise the signal gets a new one.
    """
    signal = lock_signal(operation, signal_id, expected_version)
    state_after(signal.state, Action.REOPEN)
    signal.outcome = signal.referred_to = signal.newly_known = signal.concluded_at = None
    organisation = operation.session.get_one(Organisation, signal.organisation_id)
    signal.conclude_by = conclude_by_after_reopening(
        signal.conclude_by, operation.today, conclude_calendar_days=organisation.conclude_calendar_days
    )
    forget_reminders(operation.session, signal)
    plan_anew(operation, signal)
    transition(operation, signal, Action.REOPEN, reason=reason)
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
    check_day(signal, operation.today, "wmo_notified_on", wmo_notified_on)
    signal.wmo_notified_on = wmo_notified_on
    ground = Ground.WMO_NOTIFIED if wmo_notified_on else Ground.WMO_TAKEN_BACK
    record_change(operation, signal, AuditAction.SIGNAL_CHANGED, ground)
    return signal


def _check_referral(outcome: Outcome, referred_to: ReferredTo | None) -> None:
    needed = outcome in (Outcome.REFERRED, Outcome.ESCALATED)
    if needed and referred_to is None:
        raise Invalid(FieldProblem(field="referred_to", code="required"))
    if referred_to is not None and not needed:
        raise Invalid(FieldProblem(field="referred_to", code="not_with_this_outcome"))
    if needed and (referred_to in CRISIS_ROUTES) is not (outcome is Outcome.ESCALATED):
        raise Invalid(FieldProblem(field="referred_to", code="not_with_this_outcome"))


def _early(
    operation: Operation, signal: Signal, reason: NotReachedReason | None, by: NotifiedBy | None
) -> list[FieldProblem]:
    """Return what is wrong with stopping now: it takes a reason, and having tried enough the attempts."""
    letter = (AttemptKind.LETTER,) if counts_letter(signal, by) else ()
    if reason not in (None, NotReachedReason.TRIED_ENOUGH):
        return []
    if attempts_asked(operation.session, signal, more=letter):
        return [FieldProblem(field="reason", code="too_few_attempts")]
    waits = signal.postponed_until is not None and signal.postponed_until > operation.today
    agreed = waits and signal.postponed_until in {each.postponed_until for each in signal.attempts}
    return [FieldProblem(field="reason", code="before_agreed_day")] if agreed and reason is None else []


def _record_contact(operation: Operation, signal: Signal, by: ContactBy | None) -> None:
    if by in (None, ContactBy.NOBODY):
        return
    add_attempt(
        operation, signal, kind=AttemptKind(by), result=AttemptResult.CONTACT, attempted_at=operation.now
    )
