"""A signal as it is opened: its row, and what was done about it.

Every opening passes here, so the statements are made once: making one costs as much as running it.
"""

from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.orm.attributes import set_committed_value

from signals.errors import NotFound
from signals.models import ContactAttempt, FollowUpNote, Signal, StatusChange

_SIGNAL_ID: Final = bindparam("signal_id", type_=Signal.id.type)
_MINE: Final = (
    Signal.id == _SIGNAL_ID,
    Signal.organisation_id == bindparam("organisation_id", type_=Signal.organisation_id.type),
)
_IS_THERE: Final = select(Signal.id).where(*_MINE)


def _of_signal(owner: InstrumentedAttribute[UUID], *order: Any) -> Select[Any]:
    return select(owner.class_).where(owner == _SIGNAL_ID).order_by(*order)


_FOLLOW_UP: Final = {
    "attempts": _of_signal(ContactAttempt.signal_id, ContactAttempt.attempted_at),
    "notes": _of_signal(FollowUpNote.signal_id, FollowUpNote.written_at),
    "history": _of_signal(StatusChange.signal_id, StatusChange.sequence),
}
_WHAT_THERE_IS: Final = (
    select(ContactAttempt.id).where(ContactAttempt.signal_id == Signal.id).exists().label("attempts"),
    select(FollowUpNote.id).where(FollowUpNote.signal_id == Signal.id).exists().label("notes"),
    select(StatusChange.id).where(StatusChange.signal_id == Signal.id).exists().label("history"),
)
_WHOLE: Final = select(Signal, *_WHAT_THERE_IS).where(*_MINE)


def require_signal(session: Session, *, organisation_id: UUID, signal_id: UUID) -> None:
    """Raise `NotFound` as `find_signal` does, without loading what is sealed."""
    if session.scalar(_IS_THERE, {"signal_id": signal_id, "organisation_id": organisation_id}) is None:
        raise NotFound


def signal_with_follow_up(session: Session, *, organisation_id: UUID, signal_id: UUID) -> Signal:
    """The signal with attempts, notes and history loaded; raises `NotFound` as `find_signal` does.

    Only what there is costs a statement: a signal that is opened for the first time has none of the three.
    """
    wanted = {"signal_id": signal_id, "organisation_id": organisation_id}
    row = session.execute(_WHOLE, wanted).one_or_none()
    if row is None:
        raise NotFound
    signal: Signal = row[0]
    for name, query in _FOLLOW_UP.items():
        found = session.scalars(query, wanted).all() if row._mapping[name] else []
        set_committed_value(signal, name, list(found))
    return signal
