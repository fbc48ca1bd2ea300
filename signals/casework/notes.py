"""Add a worker's note to a signal."""

from typing import Final
from uuid import UUID

from signals.audit.grounds import Ground
from signals.casework.access import lock_signal, record_change, staff_id_of
from signals.casework.sealing import case_key_of, seal_note
from signals.errors import Conflict, FieldProblem, Invalid
from signals.models import FollowUpNote
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
    note_id, text = new_id(), _checked_note(text)
    note = FollowUpNote(
        id=note_id,
        sealed_text=b"",
        written_by_id=staff_id_of(operation.actor),
        written_at=operation.now,
    )
    seal_note(case_key_of(operation.cases, signal), signal, note, text)
    note.signal = signal  # only now: the signal must not get a note that could not be sealed
    operation.session.add(note)
    record_change(operation, signal, AuditAction.SIGNAL_CHANGED, Ground.NOTE)
    return note


def _checked_note(text: str) -> str:
    text = text.strip()
    if not text:
        raise Invalid(FieldProblem(field="text", code="required"))
    if len(text) > MAX_NOTE:
        raise Invalid(FieldProblem(field="text", code="too_long"))
    return text
