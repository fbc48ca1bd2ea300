"""Take a handover back within the hour, as long as nobody of the receiver opened it.

Opening ends the waiting (`access.admit`). Both sides change the signal's row, so one of them comes first.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import delete, select, update

from notifications.outbox import withdraw
from signals.arrival.repeats import earlier_links, probes_for
from signals.audit.admission import Admission
from signals.audit.grounds import Ground
from signals.audit.log import require_role
from signals.casework.access import FOLLOW_UP_ROLES, admission, content_to_reseal, organisation_of
from signals.casework.postponing import latest_attempt, plan_next
from signals.casework.referral import keep_record, last_referral, lasting_referrals, seal_anew
from signals.db import set_local
from signals.errors import Conflict, NotFound, Restricted
from signals.intake.content import Report
from signals.lifecycle.status_changes import begin_deadlines, transition
from signals.models import AddressLink, Organisation, Referral, Signal
from signals.operation import Operation
from signals.vocabulary import Action, AuditAction

WITHIN: Final = timedelta(hours=1)


class HandoverOver(Conflict):
    """The receiver opened the signal, or the hour is over: nobody can take it back."""

    code = "handover_over"


@dataclass(frozen=True, kw_only=True)
class Handover:
    """Hold everything that the sender may still see of a signal that it referred.

    `until`: until when the sender can take it back; None when the receiver opened it or the hour is over.
    """

    referral: Referral
    receiver: Organisation
    opened: bool
    until: datetime | None


def handover_of(operation: Operation, signal_id: UUID) -> Handover:
    """Return the last handover of a signal by the actor's organisation; raise `NotFound` without one."""
    require_role(operation.actor, *FOLLOW_UP_ROLES)
    session = operation.session
    referral = last_referral(session, organisation_of(operation.actor), Referral.signal_id == signal_id)
    if referral is None:
        raise NotFound
    signal = _pending(operation, signal_id)
    until = _until(signal) if signal else None
    return Handover(
        referral=referral,
        receiver=session.get_one(Organisation, referral.to_organisation_id),
        opened=signal is None,
        until=until if until and until > operation.now else None,
    )


def is_own(operation: Operation, signal_id: UUID) -> bool:
    """Return whether the actor's organisation has the signal now."""
    own = Signal.id == signal_id, Signal.organisation_id == organisation_of(operation.actor)
    return operation.session.scalar(select(Signal.id).where(*own)) is not None


def admit_to_take_back(operation: Operation, *, signal_id: UUID) -> Admission | None:
    """Write the entry of the use of the content; None when the signal is here already (pressed twice).

    Raises `NotFound` for a signal that this organisation never referred, `Restricted`, and `HandoverOver`.
    """
    if is_own(operation, signal_id):
        return None
    signal = _may_take_back(operation, signal_id)
    entry = operation.record(AuditAction.CONTENT_USED, subject_id=signal_id, ground=Ground.TAKE_BACK)
    return admission(operation, {signal_id: signal.case_key_id}, {signal_id: entry.id})


def take_back(operation: Operation, *, signal_id: UUID) -> Signal:
    """Seal a signal for its sender again; the receiver keeps only that it came and went.

    The actor has it now. The day to conclude and an agreed day stay what they were; a first attempt is due by
    the team's norm again. Raises as `admit_to_take_back`, whose admission the operation holds.
    """
    signal = _may_take_back(operation, signal_id)
    session = operation.session
    team = session.get_one(Organisation, organisation_of(operation.actor))
    report, notes = content_to_reseal(operation, signal)
    keep_record(operation, signal, team, Action.TAKE_BACK)
    withdraw(session, subject_id=signal.id)
    seal_anew(operation, signal, team, report, notes)
    signal.team_notified = True  # the actor knows
    begin_deadlines(signal, team, operation.today)
    signal.conclude_by = _came_in_on(signal) + timedelta(days=team.conclude_calendar_days)
    _plan_again(operation, signal)
    transition(operation, signal, Action.TAKE_BACK)
    _return_link(operation, signal, report)
    session.flush()
    return signal


def _may_take_back(operation: Operation, signal_id: UUID) -> Signal:
    """Return the locked signal, which waits at the receiver; refuse it when it is too late."""
    if handover_of(operation, signal_id).until is None:
        raise HandoverOver
    signal = _pending(operation, signal_id, lock=True)
    if signal is None:
        raise HandoverOver
    if signal.restricted_on is not None:
        raise Restricted
    return signal


def _pending(operation: Operation, signal_id: UUID, *, lock: bool = False) -> Signal | None:
    """Return the signal while its receiver did not open it; a lock waits for a receiver who opens it now."""
    set_local(operation.session, subject=str(signal_id))  # row-level security: a signal of the receiver
    query = select(Signal).where(
        Signal.id == signal_id, Signal.pending_from_id == organisation_of(operation.actor)
    )
    if lock:
        query = query.with_for_update()
    return operation.session.scalar(query.execution_options(populate_existing=True))


def _until(signal: Signal) -> datetime | None:
    at = lasting_referrals(signal)[-1].at
    return at + WITHIN if at else None


def _came_in_on(signal: Signal) -> date:
    """Return the day on which the sender got the signal: by an earlier referral, or from the carrier."""
    earlier = lasting_referrals(signal)[:-1]
    return earlier[-1].on if earlier else signal.received_on


def _plan_again(operation: Operation, signal: Signal) -> None:
    """Plan the next contact from the last attempt, as the sender had it before."""
    last = latest_attempt(signal)
    if last is not None:
        agreed = last.postponed_until
        still = agreed if agreed and agreed > operation.today else None
        plan_next(operation, signal, last.result, still)


def _return_link(operation: Operation, signal: Signal, report: Report) -> None:
    """Let the sender's link count again, and forget the receiver's, who never read the address."""
    session, own = operation.session, signal.organisation_id
    links = AddressLink.signal_id == signal.id
    session.execute(delete(AddressLink).where(links, AddressLink.organisation_id != own))
    session.execute(update(AddressLink).where(links).values(outcome_group=None))
    (probe,) = probes_for(operation.keystore, [(own, report.address)], operation.today)
    earlier = earlier_links(session, probe, besides=signal.id)
    signal.repeat = any(probe.is_same_address(link) for link in earlier)
