"""Workers' notes, sealed under the case key of their signal."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from privacy.sealing import open_json, seal_json
from signals.audit.log import Actor, AuditLog
from signals.casework.access import count_change, locked, staff_id_of
from signals.clock import Clock
from signals.errors import Conflict, ContentGone, FieldProblem, Invalid
from signals.intake.content import CaseKeys, case_context
from signals.models import FollowUpNote, Signal
from signals.models.base import new_id
from signals.vocabulary import AuditAction, SignalState

MAX_NOTE: Final = 4000


@dataclass(frozen=True, kw_only=True)
class OpenedNote:
    """A follow-up note in the clear; not in the repr."""

    id: UUID
    text: str = field(repr=False)
    written_by_id: UUID
    written_at: datetime


def add_note(
    session: Session,
    clock: Clock,
    *,
    keystore: CaseKeys,
    signal_id: UUID,
    actor: Actor,
    audit: AuditLog,
    text: str,
    expected_version: int | None = None,
) -> FollowUpNote:
    """Seal a note (1 to 4,000 characters) under the case key; any colleague may, while the signal is open.

    Raises `ContentGone` when the case key was destroyed.
    """
    signal = locked(session, signal_id, actor, expected_version)
    if signal.state is SignalState.CONCLUDED:
        raise Conflict
    note_id, text = new_id(), _checked_note(text)
    note = FollowUpNote(
        id=note_id,
        sealed_text=b"",
        written_by_id=staff_id_of(actor),
        written_at=clock.now(),
    )
    seal_note(keystore, signal, note, text)
    note.signal = signal  # only now: a note that could not be sealed must not hang on the signal
    session.add(note)
    count_change(session, clock, signal, actor, audit, AuditAction.SIGNAL_CHANGED, "note")
    return note


def seal_note(keystore: CaseKeys, signal: Signal, note: FollowUpNote, text: str) -> None:
    """Seal a note under the signal's present case key (again, after a referral). Raises `ContentGone`."""
    note.sealed_text = seal_json(
        {"text": text}, _case_key(keystore, signal), case_context(signal), purpose=_note_purpose(note.id)
    )


def open_notes(keystore: CaseKeys, signal: Signal) -> list[OpenedNote]:
    """The notes in the clear, oldest first; the caller has committed an audit entry. Raises `ContentGone`."""
    if not signal.notes:
        return []
    key, context = _case_key(keystore, signal), case_context(signal)
    return [
        OpenedNote(
            id=note.id,
            text=open_json(note.sealed_text, key, context, purpose=_note_purpose(note.id))["text"],
            written_by_id=note.written_by_id,
            written_at=note.written_at,
        )
        for note in signal.notes
    ]


def _checked_note(text: str) -> str:
    text = text.strip()
    if not text:
        raise Invalid(FieldProblem(field="text", code="required"))
    if len(text) > MAX_NOTE:
        raise Invalid(FieldProblem(field="text", code="too_long"))
    return text


def _case_key(keystore: CaseKeys, signal: Signal) -> bytes:
    key = keystore.case_keys([signal.case_key_id]).get(signal.case_key_id)
    if key is None:
        raise ContentGone
    return key


def _note_purpose(note_id: UUID) -> str:
    """With the row's id, so that two notes of one case cannot be exchanged unseen."""
    return f"follow-up-note:{note_id}"
