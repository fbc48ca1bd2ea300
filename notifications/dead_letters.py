"""Messages that were given up: to look at, to send again, or to drop with a reason. No recipient is shown."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, delete, select, update
from sqlalchemy.orm import Session

from notifications.clock import Clock
from notifications.models import DeliveryAttempt, MessageState, OutboxMessage

DROPPED = "dropped_by_hand"


@dataclass(frozen=True, kw_only=True)
class DeadLetter:
    """One message that was given up; `problem` is the class of its last failure."""

    id: uuid.UUID
    event: str
    organisation_id: uuid.UUID | None
    channel: str
    tries: int
    problem: str | None
    given_up_at: datetime | None
    expires_at: datetime | None


def dead_letters(session: Session, *, limit: int = 100) -> list[DeadLetter]:
    """The newest first."""
    last = (
        select(DeliveryAttempt.problem)
        .where(DeliveryAttempt.message_id == OutboxMessage.id, DeliveryAttempt.problem.is_not(None))
        .order_by(DeliveryAttempt.at.desc())
        .limit(1)
        .scalar_subquery()
    )
    query = (
        select(OutboxMessage, last)
        .where(OutboxMessage.state == MessageState.FAILED)
        .order_by(OutboxMessage.settled_at.desc(), OutboxMessage.id)
        .limit(limit)
    )
    return [_letter(message, problem) for message, problem in session.execute(query)]


def send_again(session: Session, clock: Clock, *, ids: Sequence[uuid.UUID] | None = None) -> int:
    """Queue dead letters (all without `ids`) once more, as if they were new; gives how many.

    A person has looked, so earlier doubts no longer count. One that is too late expires instead.
    """
    found = list(session.scalars(select(OutboxMessage.id).where(*_which(ids)).with_for_update()))
    session.execute(delete(DeliveryAttempt).where(DeliveryAttempt.message_id.in_(found)))
    _update(session, found, state=MessageState.QUEUED, not_before=clock.now(), settled_at=None, tries=0)
    return len(found)


def drop(session: Session, clock: Clock, *, ids: Sequence[uuid.UUID] | None = None) -> int:
    """Give dead letters (all without `ids`) up for good, with a reason; gives how many."""
    found = list(session.scalars(select(OutboxMessage.id).where(*_which(ids)).with_for_update()))
    _update(session, found, state=MessageState.EXPIRED, settled_at=clock.now(), reason=DROPPED)
    return len(found)


def _letter(message: OutboxMessage, problem: str | None) -> DeadLetter:
    return DeadLetter(
        id=message.id,
        event=message.event,
        organisation_id=message.organisation_id,
        channel=message.channel,
        tries=message.tries,
        problem=problem,
        given_up_at=message.settled_at,
        expires_at=message.expires_at,
    )


def _which(ids: Sequence[uuid.UUID] | None) -> list[Any]:
    named = [] if ids is None else [OutboxMessage.id.in_(ids)]
    return [OutboxMessage.state == MessageState.FAILED, *named]


def _update(session: Session, ids: Sequence[uuid.UUID], **values: Any) -> int:
    statement = update(OutboxMessage).where(OutboxMessage.id.in_(ids)).values(**values)
    done = session.execute(statement, execution_options={"synchronize_session": False})
    return cast("CursorResult[Any]", done).rowcount
