"""Refer a signal: seal it anew for the receiving organisation, so that the sender loses it.

The receiver gets a case key and a pseudonym of its own. The sender keeps that it referred, when, and to
which organisation. `signals.retention.Retention.confirm_destroyed` destroys the sender's case key after the
commit. For an hour the sender can take it back: see `taking_back`.
"""

import secrets
import uuid
from collections.abc import Sequence
from datetime import date
from typing import Final

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from notifications.outbox import withdraw
from privacy.keystore import Keystore
from signals.arrival.repeats import earlier_links, link_of, probes_for
from signals.casework.access import claimed_by_other, content_to_reseal, lock_signal, may_act_on, staff_id_of
from signals.casework.notes import add_note, forget_former
from signals.casework.sealing import OpenedNote, seal_note
from signals.db import set_local
from signals.errors import FieldProblem, Invalid
from signals.intake.content import Report, context_of, seal_for_case
from signals.lifecycle.status_changes import begin_deadlines, transition
from signals.models import AddressLink, Organisation, Referral, Signal, StatusChange
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
    sender_id = signal.organisation_id
    keep_record(operation, signal, receiver, reason)
    transition(operation, signal, Action.REFER, reason=reason)
    forget_former(session, signal)
    seal_anew(operation, signal, receiver, report, opened_notes)
    begin_deadlines(signal, receiver, on)
    signal.due_on, signal.unrouted, signal.outside_area = signal.claim_by, False, False
    signal.letter_printed_on = None  # that letter names the sender
    signal.team_notified, signal.pending_from_id = False, sender_id
    _move_link(session, keystore, signal, report, on)
    withdraw(session, subject_id=signal.id)
    session.flush()
    return signal


def _receiver(session: Session, organisation_id: uuid.UUID, signal: Signal, on: date) -> Organisation:
    receiver = session.get(Organisation, organisation_id)
    if receiver is None or receiver.id == signal.organisation_id or not receives(receiver, on):
        raise Invalid(FieldProblem(field="organisation_id", code="cannot_receive"))
    return receiver


def keep_record(operation: Operation, signal: Signal, receiver: Organisation, reason: str) -> None:
    """Write down that a signal changes hands, with its present key: that key is destroyed afterwards."""
    operation.session.add(
        Referral(
            signal_id=signal.id,
            reference=signal.reference,
            from_organisation_id=signal.organisation_id,
            to_organisation_id=receiver.id,
            referred_on=operation.today,
            sequence=signal.version,
            reason=reason,
            referred_by_id=staff_id_of(operation.actor),
            old_case_key_id=signal.case_key_id,
        )
    )


def seal_anew(
    operation: Operation, signal: Signal, to: Organisation, report: Report, notes: Sequence[OpenedNote]
) -> None:
    """Give the signal to an organisation, sealed under a new key with its notes.

    The key is stored before the database commits; the sweep removes it after a rollback.
    """
    key_id, key = new_id(), secrets.token_bytes(32)
    operation.keystore.store_case_keys({key_id: key}, created_on=operation.today)
    context = context_of(signal.id, to.id, key_id, signal.schema_version)
    signal.organisation_id, signal.case_key_id = to.id, key_id
    signal.content, signal.summary = seal_for_case(report, key, context)
    for note, opened in zip(signal.notes, notes, strict=True):
        seal_note(key, signal, note, opened.text)


def _move_link(session: Session, keystore: Keystore, signal: Signal, report: Report, on: date) -> None:
    """Keep the sender's link, for repeats and for an erasure that follows; give the receiver its own."""
    session.execute(
        update(AddressLink)
        .where(AddressLink.signal_id == signal.id, AddressLink.organisation_id != signal.organisation_id)
        .values(outcome_group=HANDED_OVER)
    )
    probe = probes_for(keystore, [(signal.organisation_id, report.address)], on)[0]
    earlier = earlier_links(session, probe, besides=signal.id)
    signal.repeat = any(probe.is_same_address(link) for link in earlier)
    session.add(link_of(signal, probe))


def referred_away(session: Session, *, organisation_id: uuid.UUID, reference: str) -> Referral | None:
    """Return what the sender keeps of a signal that it referred: when, and to which organisation."""
    return last_referral(session, organisation_id, Referral.reference == reference)


def notified_by_sender(signal: Signal) -> bool:
    """Return whether the resident was notified (art. 14 AVG) before a referral: that letter names the sender.

    The receiver notifies the resident at the first contact, at the latest (art. 14(3)(b) and (c)).
    """
    notified = signal.notified_on
    return notified is not None and any(notified < change.on for change in lasting_referrals(signal))


def lasting_referrals(signal: Signal) -> list[StatusChange]:
    """Return the referrals in the history that nobody took back, oldest first."""
    found: list[StatusChange] = []
    for change in signal.history:
        if change.action is Action.REFER:
            found.append(change)
        elif change.action is Action.TAKE_BACK:
            found.pop()
    return found


def last_referral(session: Session, sender_id: uuid.UUID, *wanted: ColumnElement[bool]) -> Referral | None:
    """Return the last referral by an organisation among those wanted; None without one."""
    query = select(Referral).where(Referral.from_organisation_id == sender_id, *wanted)
    return session.scalar(query.order_by(Referral.sequence.desc()).limit(1))
