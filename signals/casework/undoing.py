"""Undo the last change of a signal: its values come back, and what the change added goes.

`signals.undo` holds the values before the change. They count only for the version that the change made, so
any later change ends them. The audit trail keeps both the change and its undoing.
"""

import json
from collections.abc import Callable
from datetime import date, datetime
from typing import Any, Final, TypeVar
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from signals.audit.grounds import Ground
from signals.audit.log import Actor
from signals.casework.access import find_signal, lock_signal, organisation_of, record_change
from signals.casework.postponing import forget_reminders
from signals.errors import StaleVersion
from signals.lifecycle.status_changes import keep_receipt_in_step
from signals.lifecycle.telling_systems import tell_systems
from signals.models import ContactAttempt, FollowUpNote, Signal, StaffMember, StatusChange
from signals.operation import Operation
from signals.vocabulary import AuditAction

_Done = TypeVar("_Done")
_VALUES: Final = (
    "state", "claim_by", "contact_by", "conclude_by", "due_on", "postponed_until", "claimed_by_id",
    "claimed_at", "first_contact_at", "concluded_at", "outcome", "referred_to", "newly_known",
    "notified_on", "deferred_because", "wmo_notified_on", "urgent",
)  # fmt: skip
_ENTRIES: Final = (ContactAttempt, FollowUpNote)


class UndoOver(StaleVersion):
    """There is nothing to undo for this person: somebody else made the last change, or it counts already."""

    code = "undo_over"
    status = 409


class UndoOvertaken(UndoOver):
    """Somebody changed the signal after the version that the caller names."""

    status = 412


def undoable(operation: Operation, change: Callable[..., _Done], *, signal_id: UUID, **values: Any) -> _Done:
    """Make a change of a signal, and keep what its undoing needs."""
    session = operation.session
    signal = find_signal(
        session, organisation_id=organisation_of(operation.actor), signal_id=signal_id, for_update=True
    )
    since, before, entries = signal.version, _values_of(signal), _entries_of(session, signal_id)
    done = change(operation, signal_id=signal_id, **values)
    session.flush()
    if signal.version != since:
        now = _values_of(signal)
        kept = {
            "by": operation.actor.id,
            "on": operation.today,
            "since": since,
            "version": signal.version,
            "values": {name: value for name, value in before.items() if value != now[name]},
            "added": list(_entries_of(session, signal_id) - entries),
        }
        signal.undo = json.dumps(kept, default=str)
    return done


def undo(operation: Operation, *, signal_id: UUID, expected_version: int | None = None) -> Signal:
    """Undo the last change of a signal, which the actor made; raise `UndoOver` when that is too late.

    Nobody gets a signal back whose account is closed since.
    """
    signal = lock_signal(operation, signal_id, None)
    if expected_version not in (None, signal.version):
        raise UndoOvertaken
    if not may_undo(signal, operation.actor, operation.today):
        raise UndoOver
    kept = json.loads(signal.undo or "")
    _refuse_closed_account(operation.session, kept["values"].get("claimed_by_id"))
    for name, value in kept["values"].items():
        setattr(signal, name, _stored(name, value))
    signal.undo = None
    _remove(operation.session, signal, since=kept["since"], added=[UUID(text) for text in kept["added"]])
    forget_reminders(operation.session, signal)
    keep_receipt_in_step(operation.session, signal, operation.today)
    record_change(operation, signal, AuditAction.SIGNAL_CHANGED, Ground.UNDONE)
    if "state" in kept["values"]:
        tell_systems(operation, signal)
    return signal


def may_undo(signal: Signal, actor: Actor, on: date) -> bool:
    """Return whether the actor made the last change of a signal; an outcome goes only in its own year.

    The figures of a year count a conclusion once, by the day of the first (`statistics.facts`).
    """
    if signal.undo is None:
        return False
    kept: dict[str, Any] = json.loads(signal.undo)
    made = {"version": signal.version, "by": str(actor.id)}
    counted = "outcome" in kept["values"] and not kept["on"].startswith(str(on.year))
    return made.items() <= kept.items() and not counted


def _refuse_closed_account(session: Session, claimant: str | None) -> None:
    if claimant is not None:
        active = select(StaffMember.id).where(StaffMember.id == UUID(claimant), StaffMember.is_active())
        if session.scalar(active) is None:
            raise UndoOver


def _remove(session: Session, signal: Signal, *, since: int, added: list[UUID]) -> None:
    """Remove the history after a version and the added entries; what these corrected counts again."""
    later = StatusChange.signal_id == signal.id, StatusChange.sequence > since
    session.execute(delete(StatusChange).where(*later))
    for entry in _ENTRIES:
        corrected = update(entry).where(entry.signal_id == signal.id, entry.replaced_by_id.in_(added))
        session.execute(corrected.values(replaced_by_id=None))
        session.execute(delete(entry).where(entry.signal_id == signal.id, entry.id.in_(added)))
    session.flush()
    session.expire(signal, ["attempts", "notes", "history"])


def _values_of(signal: Signal) -> dict[str, Any]:
    return {name: getattr(signal, name) for name in _VALUES}


def _entries_of(session: Session, signal_id: UUID) -> set[UUID]:
    queries = (select(entry.id).where(entry.signal_id == signal_id) for entry in _ENTRIES)
    return {found for query in queries for found in session.scalars(query)}


def _stored(name: str, value: Any) -> Any:
    """Return a value of the text as its column holds it."""
    kind = Signal.__table__.c[name].type.python_type
    if value is None or kind is bool:
        return value
    return kind.fromisoformat(value) if issubclass(kind, date | datetime) else kind(value)
