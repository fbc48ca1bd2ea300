"""Seal and open the notes of a signal, under its case key."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from structlog import get_logger

from privacy.sealing import SealContext, open_json, seal_json
from signals.errors import ContentGone
from signals.intake.content import CaseKeys, case_context, readable
from signals.models import FollowUpNote, Signal

log = get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class OpenedNote:
    """Hold a follow-up note in the clear, with an empty text when it is damaged; the repr leaves it out."""

    id: UUID
    text: str = field(repr=False)
    written_by_id: UUID
    written_at: datetime


def seal_note(key: bytes, signal: Signal, note: FollowUpNote, text: str) -> None:
    """Seal a note under the signal's present case key."""
    note.sealed_text = seal_json({"text": text}, key, case_context(signal), purpose=_note_purpose(note.id))


def open_notes(
    keys: CaseKeys, signal: Signal, notes: Sequence[FollowUpNote] | None = None
) -> list[OpenedNote]:
    """Return the notes in the clear, oldest first, or these notes of the signal.

    Raises `ContentGone`. Callers go through `access`.
    """
    notes = signal.notes if notes is None else notes
    if not notes:
        return []
    key, context = case_key_of(keys, signal), case_context(signal)
    return [
        OpenedNote(
            id=note.id,
            text=_text_of(note, key, context),
            written_by_id=note.written_by_id,
            written_at=note.written_at,
        )
        for note in notes
    ]


def _text_of(note: FollowUpNote, key: bytes, context: SealContext) -> str:
    """Return the text of a note; an empty one when it is damaged, which hides no other note."""
    try:
        with readable(key) as whole:
            text: str = open_json(note.sealed_text, whole, context, purpose=_note_purpose(note.id))["text"]
            return text
    except ContentGone:
        log.error("contents.note_unreadable", note_id=str(note.id))
        return ""


def case_key_of(keys: CaseKeys, signal: Signal) -> bytes:
    """Return the signal's present case key. Raises `ContentGone` when it is destroyed or damaged."""
    key = keys.case_keys([signal.case_key_id]).get(signal.case_key_id)
    if key is None:
        raise ContentGone
    return key


def _note_purpose(note_id: UUID) -> str:
    """Include the row's id, so that nobody can exchange two notes of one case unseen."""
    return f"follow-up-note:{note_id}"
