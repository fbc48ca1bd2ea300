"""Referral: sealed anew for the receiving organisation, and gone for the sender.

The receiver gets a case key of its own and a pseudonym of its own; the sender keeps that it referred,
when, and to whom. The sender's case key is destroyed after the commit, together with purged ones
(`signals.retention.Retention.confirm_destroyed`).
"""

import secrets
import uuid
from datetime import date
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from notifications.outbox import withdraw
from privacy.keystore import Keystore
from signals.arrival.repeats import earlier_links, link_of, probes_for
from signals.audit.log import Actor, AuditLog
from signals.casework.access import acts_on, locked, refuse_unless, staff_id_of
from signals.casework.notes import open_notes, seal_note
from signals.clock import Clock, today
from signals.db import set_local
from signals.errors import FieldProblem, Invalid
from signals.intake.content import Report, context_of, open_report, seal_for_case
from signals.lifecycle.deadlines import deadlines_for
from signals.lifecycle.transitions import transition
from signals.models import AddressLink, Organisation, Referral, Signal
from signals.models.base import new_id
from signals.organisations.onboarding import receives
from signals.vocabulary import Action, ReferralReason

HANDED_OVER: Final = "referred"
"""Outcome group of the sender's link, which outlives the signal: how it ended elsewhere is not told here."""


def refer(
    session: Session,
    clock: Clock,
    *,
    signal_id: uuid.UUID,
    to_organisation_id: uuid.UUID,
    reason: ReferralReason,
    actor: Actor,
    audit: AuditLog,
    keystore: Keystore,
    expected_version: int | None = None,
) -> Signal:
    """Hand a signal over; it is new there, with deadlines from today. Art. 14's month goes on from receipt.

    Whoever of the team finds that nobody has it may, else who has it. Follow-up notes and attempts go along:
    the receiver must know what was tried. Raises `ClaimedByOther`, `Invalid` for an organisation that does
    not receive, `Conflict`, `StaleVersion`, `ContentGone`.
    """
    signal = locked(session, signal_id, actor, expected_version)
    refuse_unless(signal.claimed_by_id is None or acts_on(session, clock, signal, actor), session, signal)
    receiver = _receiver(session, to_organisation_id, signal, today(clock))
    set_local(session, towards=str(receiver.id), subject=str(signal.id))  # this signal alone may change hands
    report = open_report(keystore, signal)
    notes = list(zip(signal.notes, open_notes(keystore, signal), strict=True))
    _keep_record(session, signal, receiver, reason, actor, today(clock))
    transition(session, clock, signal=signal, action=Action.REFER, actor=actor, audit=audit, reason=reason)
    _seal_anew(keystore, signal, receiver, report, today(clock))
    for note, opened in notes:
        seal_note(keystore, signal, note, opened.text)
    _set_deadlines(signal, receiver, today(clock))
    _move_link(session, keystore, signal, report, today(clock))
    withdraw(session, subject_id=signal.id)
    session.flush()
    return signal


def _receiver(session: Session, organisation_id: uuid.UUID, signal: Signal, on: date) -> Organisation:
    receiver = session.get(Organisation, organisation_id)
    if receiver is None or receiver.id == signal.organisation_id or not receives(receiver, on):
        raise Invalid(FieldProblem(field="organisation_id", code="cannot_receive"))
    return receiver


def _keep_record(
    session: Session,
    signal: Signal,
    receiver: Organisation,
    reason: ReferralReason,
    actor: Actor,
    on: date,
) -> None:
    session.add(
        Referral(
            signal_id=signal.id,
            reference=signal.reference,
            from_organisation_id=signal.organisation_id,
            to_organisation_id=receiver.id,
            referred_on=on,
            reason=reason,
            referred_by_id=staff_id_of(actor),
            old_case_key_id=signal.case_key_id,
        )
    )


def _seal_anew(keystore: Keystore, signal: Signal, receiver: Organisation, report: Report, on: date) -> None:
    """A new key, written before the database commits; rolled back, it is an orphan for the sweep."""
    key_id, key = new_id(), secrets.token_bytes(32)
    keystore.store_case_keys({key_id: key}, created_on=on)
    context = context_of(signal.id, receiver.id, key_id, signal.schema_version)
    signal.organisation_id, signal.case_key_id, signal.team_told = receiver.id, key_id, False
    signal.content, signal.summary = seal_for_case(report, key, context)


def _set_deadlines(signal: Signal, receiver: Organisation, on: date) -> None:
    deadlines = deadlines_for(
        on,
        claim_days=receiver.claim_working_days,
        contact_days=receiver.contact_working_days,
        conclude_calendar_days=receiver.conclude_calendar_days,
    )
    signal.claim_by, signal.contact_by = deadlines.claim_by, deadlines.contact_by
    signal.conclude_by = deadlines.conclude_by
    signal.due_on = deadlines.claim_by
    signal.unrouted = False
    signal.letter_printed_on = None  # the sender's letter names the sender


def _move_link(session: Session, keystore: Keystore, signal: Signal, report: Report, on: date) -> None:
    """The sender's link stays, for repeats and so that an erasure can follow; the receiver gets its own."""
    session.execute(
        update(AddressLink)
        .where(
            AddressLink.signal_id == signal.id,
            AddressLink.organisation_id != signal.organisation_id,
        )
        .values(outcome_group=HANDED_OVER)
    )
    probe = probes_for(keystore, [(signal.organisation_id, report.address)], on)[0]
    earlier = earlier_links(session, probe, besides=signal.id)
    signal.repeat = any(probe.is_same_address(link) for link in earlier)
    session.add(link_of(signal, probe))


def referred_away(session: Session, *, organisation_id: uuid.UUID, reference: str) -> Referral | None:
    """What the sender may still know of a signal that it referred: when and to whom."""
    query = (
        select(Referral)
        .where(Referral.from_organisation_id == organisation_id, Referral.reference == reference)
        .order_by(Referral.referred_on.desc())
        .limit(1)
    )
    return session.scalar(query)
