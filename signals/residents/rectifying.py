"""Rectification (art. 16 AVG): what does not hold of a signal is put right, sealed anew."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from sqlalchemy import delete
from sqlalchemy.orm import Session

from privacy.keystore import Keystore
from signals.arrival.repeats import earlier_links, link_of, probes_for
from signals.audit.log import Actor, AuditLog
from signals.casework.notes import MAX_NOTE, open_notes, seal_note
from signals.clock import Clock, today
from signals.errors import ContentGone, FieldProblem, Invalid
from signals.intake.content import Report, Summary, case_context, open_report, seal_for_case
from signals.models import AddressLink, FollowUpNote, Signal
from signals.models.base import new_id
from signals.residents.requests import Proof, Right, enter, own_signal
from signals.routing.postcodes import Address
from signals.vocabulary import AuditAction, ConcernType

MAX_STATEMENT = 1000
STATEMENT_HEAD = "Aanvullende verklaring van de bewoner (art. 16 AVG):"
NOTE_HEAD = "Gecorrigeerd op {day:%d-%m-%Y} op verzoek van de bewoner (art. 16 AVG):"
NOTE_STRUCK = "Geschrapt op {day:%d-%m-%Y} op verzoek van de bewoner (art. 16 AVG)."


@dataclass(frozen=True, kw_only=True)
class NoteCorrection:
    """A note of the follow-up as it should have been; without a text it is struck."""

    note_id: uuid.UUID
    text: str = field(default="", repr=False)

    def kept(self, on: date) -> str:
        """What the team reads from now on: that it was put right, and when."""
        text = self.text.strip()
        return f"{NOTE_HEAD.format(day=on)}\n{text}" if text else NOTE_STRUCK.format(day=on)


@dataclass(frozen=True, kw_only=True)
class Correction:
    """What is put right (art. 16 AVG): the address; and of what was said at it what does not hold.

    `withdrawn`: kinds of concern that go. `drop_seen`, `drop_noticed_on`, `drop_note`: how often it was seen,
    the day and the carrier's note go. `notes`: those of the follow-up that are put right or struck.
    `statement`: the resident's own supplementary statement, kept sealed among the notes.
    """

    address: Address = field(repr=False)
    withdrawn: frozenset[ConcernType] = field(default=frozenset(), repr=False)
    drop_seen: bool = False
    drop_noticed_on: bool = False
    drop_note: bool = False
    notes: tuple[NoteCorrection, ...] = ()
    statement: str = field(default="", repr=False)

    def of(self, report: Report) -> Report:
        """The report as it should have been."""
        left = tuple(kind for kind in report.summary.concern_types if kind not in self.withdrawn)
        return replace(
            report,
            address=self.address,
            summary=Summary(concern_types=left, seen=None if self.drop_seen else report.summary.seen),
            noticed_on=None if self.drop_noticed_on else report.noticed_on,
            note=None if self.drop_note else report.note,
        )


def rectify(
    session: Session,
    clock: Clock,
    *,
    keystore: Keystore,
    actor: Actor,
    audit: AuditLog,
    signal_id: uuid.UUID,
    correction: Correction,
    proof: Proof,
) -> Signal:
    """Correct a signal (art. 16): sealed anew, its link moved to the right address.

    Raises `Invalid` for a statement of more than 1,000 characters, a note of more than 4,000 or one that is
    not the signal's, `ContentGone` when the key was destroyed.
    """
    signal = own_signal(session, actor, signal_id)
    _refuse_invalid(signal, correction)
    statement = correction.statement.strip()
    key = keystore.case_keys([signal.case_key_id]).get(signal.case_key_id)
    if key is None:
        raise ContentGone
    report = correction.of(open_report(keystore, signal))
    signal.content, signal.summary = seal_for_case(report, key, case_context(signal))
    signal.version += 1
    _correct_notes(keystore, signal, correction.notes, today(clock))
    if statement:
        _add_statement(session, clock, keystore, actor, signal, statement)
    _move_link(session, keystore, signal, report, today(clock))
    audit.record(
        session,
        clock,
        actor=actor,
        action=AuditAction.SIGNAL_RECTIFIED,
        subject_id=signal.id,
        ground="art_16_avg",
    )
    enter(session, clock, actor=actor, right=Right.RECTIFICATION, proof=proof, outcome="rectified", found=1)
    return signal


def is_rectified(keystore: Keystore, clock: Clock, signal: Signal, correction: Correction) -> bool:
    """Whether a signal is as this correction would leave it: then its button was pressed twice.

    Raises `ContentGone` when the key was destroyed.
    """
    report = open_report(keystore, signal)
    notes = {note.id: note.text for note in open_notes(keystore, signal)}
    kept = {note.note_id: note.kept(today(clock)) for note in correction.notes}
    statement = correction.statement.strip()
    return (
        correction.of(report) == report
        and kept.items() <= notes.items()
        and (not statement or f"{STATEMENT_HEAD}\n{statement}" in notes.values())
    )


def _refuse_invalid(signal: Signal, correction: Correction) -> None:
    problems = []
    if len(correction.statement.strip()) > MAX_STATEMENT:
        problems.append(FieldProblem(field="statement", code="too_long"))
    if any(len(note.text.strip()) > MAX_NOTE for note in correction.notes):
        problems.append(FieldProblem(field="notes", code="too_long"))
    if not {note.note_id for note in correction.notes} <= {note.id for note in signal.notes}:
        problems.append(FieldProblem(field="notes", code="not_a_choice"))
    if problems:
        raise Invalid(*problems)


def _correct_notes(
    keystore: Keystore, signal: Signal, corrections: Sequence[NoteCorrection], on: date
) -> None:
    """Who wrote a note and when stays; that it reads otherwise now is said in it, by whom in the audit."""
    notes = {note.id: note for note in signal.notes}
    for correction in corrections:
        seal_note(keystore, signal, notes[correction.note_id], correction.kept(on))


def _add_statement(
    session: Session, clock: Clock, keystore: Keystore, actor: Actor, signal: Signal, statement: str
) -> None:
    assert actor.id is not None
    note = FollowUpNote(
        id=new_id(),
        signal_id=signal.id,
        sealed_text=b"",
        written_by_id=actor.id,
        written_at=clock.now(),
    )
    seal_note(keystore, signal, note, f"{STATEMENT_HEAD}\n{statement}")
    session.add(note)


def _move_link(session: Session, keystore: Keystore, signal: Signal, report: Report, on: date) -> None:
    """The link goes along with the address, and whether it is a repeat is asked where it goes."""
    (probe,) = probes_for(keystore, [(signal.organisation_id, report.address)], on)
    session.execute(
        delete(AddressLink).where(
            AddressLink.signal_id == signal.id,
            AddressLink.organisation_id == signal.organisation_id,
        )
    )
    earlier = earlier_links(session, probe, besides=signal.id)
    signal.repeat = any(probe.is_same_address(link) for link in earlier)
    session.add(link_of(signal, probe))
