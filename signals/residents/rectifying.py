"""Rectify a signal (art. 16 AVG): correct what does not hold and seal it anew."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from sqlalchemy import delete

from signals.arrival.repeats import earlier_links, link_of, probes_for
from signals.audit.grounds import Ground
from signals.casework.access import content_to_reseal, staff_id_of
from signals.casework.notes import MAX_NOTE, forget_former
from signals.casework.sealing import case_key_of, seal_note
from signals.errors import FieldProblem, Invalid, StaleVersion
from signals.intake.content import Report, case_context, seal_for_case
from signals.models import AddressLink, FollowUpNote, Signal
from signals.models.base import new_id
from signals.operation import Operation
from signals.residents.requests import Proof, Right, enter, own_signal, was_last_step
from signals.routing.places import place_of
from signals.routing.postcodes import Address
from signals.vocabulary import AuditAction, ConcernType

MAX_STATEMENT = 1000
STATEMENT_HEAD = "Aanvullende verklaring van de bewoner (art. 16 AVG):"
NOTE_HEAD = "Gecorrigeerd op {day:%d-%m-%Y} op verzoek van de bewoner (art. 16 AVG):"
NOTE_STRUCK = "Geschrapt op {day:%d-%m-%Y} op verzoek van de bewoner (art. 16 AVG)."


@dataclass(frozen=True, kw_only=True)
class NoteCorrection:
    """Correct a note of the follow-up; without a text the note is struck."""

    note_id: uuid.UUID
    text: str = field(default="", repr=False)

    def corrected(self, on: date) -> str:
        """Return the new text, which says that the note was corrected, and when."""
        text = self.text.strip()
        return f"{NOTE_HEAD.format(day=on)}\n{text}" if text else NOTE_STRUCK.format(day=on)


@dataclass(frozen=True, kw_only=True)
class Correction:
    """Hold the corrections of one signal (art. 16 AVG).

    `address`: the right address. `withdrawn`: concern types to remove. `drop_seen`, `drop_noticed_on` and
    `drop_note` remove what the carrier said. `notes`: notes of the follow-up to correct or to strike.
    `statement`: the resident's supplementary statement, sealed among the notes.
    """

    address: Address = field(repr=False)
    withdrawn: frozenset[ConcernType] = field(default=frozenset(), repr=False)
    drop_seen: bool = False
    drop_noticed_on: bool = False
    drop_note: bool = False
    notes: tuple[NoteCorrection, ...] = ()
    statement: str = field(default="", repr=False)

    def applied_to(self, report: Report) -> Report:
        """Return the corrected report."""
        left = tuple(kind for kind in report.summary.concern_types if kind not in self.withdrawn)
        return replace(
            report,
            address=self.address,
            summary=replace(
                report.summary, concern_types=left, seen=None if self.drop_seen else report.summary.seen
            ),
            noticed_on=None if self.drop_noticed_on else report.noticed_on,
            note=None if self.drop_note else report.note,
        )


def rectify(
    operation: Operation,
    *,
    signal_id: uuid.UUID,
    correction: Correction,
    proof: Proof,
    expected_version: int | None = None,
) -> Signal:
    """Correct a signal, seal it anew, and move its link to the right address.

    Raises `Invalid` for a statement over `MAX_STATEMENT` characters, a note over `MAX_NOTE`, and a note of
    another signal. Raises `ContentGone` when the key was destroyed, and `StaleVersion` when the signal
    changed since `expected_version`, unless this correction did so.
    """
    signal = own_signal(operation, signal_id)
    if was_last_step(operation, signal, AuditAction.SIGNAL_RECTIFIED, expected_version):
        if not is_rectified(operation, signal, correction):
            raise StaleVersion
        return signal
    _refuse_invalid(signal, correction)
    key = case_key_of(operation.cases, signal)
    report = correction.applied_to(content_to_reseal(operation, signal)[0])
    place = place_of(operation.session, report.address)
    report = replace(report, summary=report.summary.at(place))
    signal.content, signal.summary = seal_for_case(report, key, case_context(signal))
    signal.version += 1
    forget_former(operation.session, signal)
    _correct_notes(key, signal, correction.notes, operation.today)
    if statement := correction.statement.strip():
        _add_statement(operation, signal, key, statement)
    _move_link(operation, signal, report)
    operation.record(AuditAction.SIGNAL_RECTIFIED, subject_id=signal.id, ground=Ground.ART_16_AVG)
    enter(operation, right=Right.RECTIFICATION, proof=proof, outcome="rectified", found=1)
    return signal


def is_rectified(operation: Operation, signal: Signal, correction: Correction) -> bool:
    """Return whether a signal already is as this correction leaves it: somebody pressed the button twice.

    Raises `ContentGone` when the key was destroyed.
    """
    report, opened = content_to_reseal(operation, signal)
    notes = {note.id: note.text for note in opened}
    kept = {note.note_id: note.corrected(operation.today) for note in correction.notes}
    statement = correction.statement.strip()
    return (
        correction.applied_to(report) == report
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


def _correct_notes(key: bytes, signal: Signal, corrections: Sequence[NoteCorrection], on: date) -> None:
    """Seal the corrected notes; each keeps its writer and moment, and the audit names the officer."""
    notes = {note.id: note for note in signal.notes}
    for correction in corrections:
        seal_note(key, signal, notes[correction.note_id], correction.corrected(on))


def _add_statement(operation: Operation, signal: Signal, key: bytes, statement: str) -> None:
    note = FollowUpNote(
        id=new_id(),
        signal_id=signal.id,
        sealed_text=b"",
        written_by_id=staff_id_of(operation.actor),
        written_at=operation.now,
    )
    seal_note(key, signal, note, f"{STATEMENT_HEAD}\n{statement}")
    operation.session.add(note)


def _move_link(operation: Operation, signal: Signal, report: Report) -> None:
    """Move the link to the right address, and decide there whether the signal is a repeat."""
    session = operation.session
    (probe,) = probes_for(operation.keystore, [(signal.organisation_id, report.address)], operation.today)
    session.execute(
        delete(AddressLink).where(
            AddressLink.signal_id == signal.id, AddressLink.organisation_id == signal.organisation_id
        )
    )
    earlier = earlier_links(session, probe, besides=signal.id)
    signal.repeat = any(probe.is_same_address(link) for link in earlier)
    session.add(link_of(signal, probe))
