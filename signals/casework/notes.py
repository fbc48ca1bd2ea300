"""Add a worker's note to a signal, or correct it."""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.orm import Session

from signals.audit.grounds import Ground
from signals.casework.access import lock_signal, record_change, require_author, staff_id_of
from signals.casework.sealing import case_key_of, seal_note
from signals.errors import Conflict, FieldProblem, Invalid
from signals.models import ContactAttempt, FollowUpNote, Signal
from signals.models.base import new_id
from signals.operation import Operation
from signals.vocabulary import AuditAction, SignalState

MAX_NOTE: Final = 4000


def add_note(
    operation: Operation, *, signal_id: UUID, text: str, expected_version: int | None = None
) -> FollowUpNote:
    """Seal a note of 1 to `MAX_NOTE` characters; any colleague may add one while the signal is open.

    Raises `ContentGone` when the case key was destroyed.
    """
    signal = lock_signal(operation, signal_id, expected_version)
    if signal.state is SignalState.CONCLUDED:
        raise Conflict
    note = _add(operation, signal, _checked_note(text), operation.now)
    record_change(operation, signal, AuditAction.SIGNAL_CHANGED, Ground.NOTE)
    return note


def correct_note(
    operation: Operation, *, signal_id: UUID, note_id: UUID, text: str, expected_version: int | None = None
) -> FollowUpNote:
    """Replace a note by a corrected one of the same moment; the timeline keeps the old one.

    Its writer may do this, and whoever may act on the signal, also after the conclusion.
    """
    signal = lock_signal(operation, signal_id, expected_version)
    old = next((note for note in signal.notes if note.id == note_id), None)
    if old is None:
        raise Conflict
    require_author(operation, signal, old.written_by_id)
    note = _add(operation, signal, _checked_note(text), old.written_at)
    old.replaced_by_id = note.id
    record_change(operation, signal, AuditAction.SIGNAL_CHANGED, Ground.CORRECTED)
    return note


def forget_former(session: Session, signal: Signal) -> None:
    """Delete the attempts and notes that a correction replaced: nobody else needs the mistake."""
    for entry in (ContactAttempt, FollowUpNote):
        mistakes = entry.signal_id == signal.id, entry.replaced_by_id.is_not(None)
        session.execute(delete(entry).where(*mistakes))


def _add(operation: Operation, signal: Signal, text: str, written_at: datetime) -> FollowUpNote:
    note = FollowUpNote(
        id=new_id(), sealed_text=b"", written_by_id=staff_id_of(operation.actor), written_at=written_at
    )
    seal_note(case_key_of(operation.cases, signal), signal, note, text)
    note.signal = signal  # only now: the signal must not get a note that could not be sealed
    operation.session.add(note)
    return note


def _checked_note(text: str) -> str:
    text = text.strip()
    if not text:
        raise Invalid(FieldProblem(field="text", code="required"))
    if len(text) > MAX_NOTE:
        raise Invalid(FieldProblem(field="text", code="too_long"))
    return text
