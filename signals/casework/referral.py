"""Refer a signal: seal it anew for the receiving organisation, so that the sender loses it.

The receiver gets a case key and a pseudonym of its own. The sender keeps that it referred, when, and to
which organisation. `signals.retention.Retention.confirm_destroyed` destroys the sender's case key after the
commit.
"""

import secrets
import uuid
from datetime import date
from typing import Final

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from notifications.outbox import withdraw
from privacy.keystore import Keystore
from signals.arrival.repeats import earlier_links, link_of, probes_for
from signals.casework.access import (
    claimed_by_other,
    content_to_reseal,
    lock_signal,
    may_act_on,
    organisation_of,
    staff_id_of,
)
from signals.casework.notes import add_note
from signals.casework.sealing import seal_note
from signals.db import set_local
from signals.errors import FieldProblem, Invalid
from signals.intake.content import Report, context_of, seal_for_case
from signals.lifecycle.status_changes import begin_deadlines, transition
from signals.models import AddressLink, Organisation, Referral, Signal
from signals.models.base import new_id
from signals.operation import Operation
from signals.organisations.onboarding import receives
from signals.vocabulary import Action, ReferralReason

HANDED_OVER: Final = "referred"
"""Outcome group of the sender's link, which outlives the signal and hides the outcome elsewhere."""


def refer(
    operation: Operation,
    *,
    signal_id: uuid.UUID,
    to_organisation_id: uuid.UUID,
    reason: ReferralReason,
    text: str = "",
    expected_version: int | None = None,
) -> Signal:
    """Hand a signal over. It is new at the receiver, with deadlines from today.

    `text`: what the receiver must know, sealed as a follow-up note.

    The month of art. 14 AVG runs on from the receipt. Anybody of the team may refer a signal that nobody
    has; otherwise the claimant, a stand-in or a lead. Notes and attempts go along, because the receiver must
    know what the sender tried. Raises `ClaimedByOther`, `Conflict`, `StaleVersion`, `ContentGone`, and
    `Invalid` for an organisation that does not receive.
    """
    if text.strip():
        add_note(operation, signal_id=signal_id, text=text, expected_version=expected_version)
        operation.session.flush()
        expected_version = None  # the note counted the version up, under the row's lock
    signal = lock_signal(operation, signal_id, expected_version)
    session, keystore, on = operation.session, operation.keystore, operation.today
    if signal.claimed_by_id is not None and not may_act_on(operation, signal):
        raise claimed_by_other(session, signal)
    receiver = _receiver(session, to_organisation_id, signal, on)
    set_local(session, towards=str(receiver.id), subject=str(signal.id))  # only this signal may change hands
    report, opened_notes = content_to_reseal(operation, signal)
    _keep_record(operation, signal, receiver, reason)
    transition(operation, signal, Action.REFER, reason=reason)
    key = _seal_anew(keystore, signal, receiver, report, on)
    for note, opened in zip(signal.notes, opened_notes, strict=True):
        seal_note(key, signal, note, opened.text)
    _set_deadlines(signal, receiver, on)
    _move_link(session, keystore, signal, report, on)
    withdraw(session, subject_id=signal.id)
    session.flush()
    return signal


def _receiver(session: Session, organisation_id: uuid.UUID, signal: Signal, on: date) -> Organisation:
    receiver = session.get(Organisation, organisation_id)
    if receiver is None or receiver.id == signal.organisation_id or not receives(receiver, on):
        raise Invalid(FieldProblem(field="organisation_id", code="cannot_receive"))
    return receiver


def _keep_record(
    operation: Operation, signal: Signal, receiver: Organisation, reason: ReferralReason
) -> None:
    operation.session.add(
        Referral(
            signal_id=signal.id,
            reference=signal.reference,
            from_organisation_id=signal.organisation_id,
            to_organisation_id=receiver.id,
            referred_on=operation.today,
            reason=reason,
            referred_by_id=staff_id_of(operation.actor),
            old_case_key_id=signal.case_key_id,
        )
    )


def _seal_anew(keystore: Keystore, signal: Signal, receiver: Organisation, report: Report, on: date) -> bytes:
    """Store a new key before the database commits, and return it; the sweep removes it after a rollback."""
    key_id, key = new_id(), secrets.token_bytes(32)
    keystore.store_case_keys({key_id: key}, created_on=on)
    context = context_of(signal.id, receiver.id, key_id, signal.schema_version)
    signal.organisation_id, signal.case_key_id, signal.team_notified = receiver.id, key_id, False
    signal.content, signal.summary = seal_for_case(report, key, context)
    return key


def _set_deadlines(signal: Signal, receiver: Organisation, on: date) -> None:
    begin_deadlines(signal, receiver, on)
    signal.due_on = signal.claim_by
    signal.unrouted = False
    signal.letter_printed_on = None  # that letter names the sender


def _move_link(session: Session, keystore: Keystore, signal: Signal, report: Report, on: date) -> None:
    """Keep the sender's link, for repeats and for an erasure that follows; give the receiver its own."""
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
    """Return what the sender keeps of a signal that it referred: when, and to which organisation."""
    return _last_referral(session, organisation_id, Referral.reference == reference)


def referral_to(
    operation: Operation, *, signal_id: uuid.UUID, to_organisation_id: uuid.UUID
) -> Referral | None:
    """Return the last referral of a signal by the actor's organisation to another one."""
    return _last_referral(
        operation.session,
        organisation_of(operation.actor),
        Referral.signal_id == signal_id,
        Referral.to_organisation_id == to_organisation_id,
    )


def notified_by_sender(signal: Signal) -> bool:
    """Return whether the resident was notified (art. 14 AVG) before a referral: that letter names the sender.

    The receiver notifies the resident at the first contact, at the latest (art. 14(3)(b) and (c)).
    """
    notified = signal.notified_on
    referred = [change.on for change in signal.history if change.action is Action.REFER]
    return notified is not None and any(notified < day for day in referred)


def _last_referral(session: Session, sender_id: uuid.UUID, *wanted: ColumnElement[bool]) -> Referral | None:
    query = select(Referral).where(Referral.from_organisation_id == sender_id, *wanted)
    return session.scalar(query.order_by(Referral.referred_on.desc()).limit(1))
