"""Messages that were given up: to look at, to send again, or to drop with a reason. No recipient is shown.

The staff side may not read messages. A worker puts up what it may see of them (`post`), people choose there
(`choose`), and a worker does it (`carry_out`).
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import CursorResult, delete, select, update
from sqlalchemy.orm import Session

from notifications.clock import Clock
from notifications.models import DeliveryAttempt, MessageState, OutboxMessage, PostedLetter

DROPPED = "dropped_by_hand"
MOST_POSTED = 200
"""So many are put up at once; more than that is one trouble, which is mended elsewhere."""


class Wish(StrEnum):
    """What may become of a dead letter."""

    AGAIN = "again"
    DROP = "drop"


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


def post(session: Session) -> int:
    """Put up what is dead by now, in the caller's transaction; what somebody chose stays. Gives how many."""
    dead = {letter.id: letter for letter in dead_letters(session, limit=MOST_POSTED)}
    posted = {row.message_id: row for row in session.scalars(select(PostedLetter).with_for_update())}
    for gone in posted.keys() - dead.keys():
        session.delete(posted[gone])
    for letter in dead.values():
        row = posted.get(letter.id) or PostedLetter(message_id=letter.id)
        row.event, row.organisation_id, row.channel = letter.event, letter.organisation_id, letter.channel
        row.tries, row.problem = letter.tries, letter.problem
        row.given_up_at, row.expires_at = letter.given_up_at, letter.expires_at
        session.add(row)
    return len(dead)


def posted_letters(session: Session) -> Sequence[PostedLetter]:
    """What is put up, the newest first."""
    order = (PostedLetter.given_up_at.desc(), PostedLetter.message_id)
    return session.scalars(select(PostedLetter).order_by(*order)).all()


def choose(session: Session, message_id: uuid.UUID, wish: Wish) -> PostedLetter | None:
    """What is to become of one; the first choice stands. None when it is not put up any more."""
    row = session.scalar(select(PostedLetter).where(PostedLetter.message_id == message_id).with_for_update())
    if row is not None and row.wanted is None:
        row.wanted = wish
    return row


def carry_out(session: Session, clock: Clock) -> int:
    """Do what people chose, in the caller's transaction; gives how many messages."""
    query = select(PostedLetter).where(PostedLetter.wanted.is_not(None))
    rows = session.scalars(query.with_for_update(skip_locked=True)).all()
    done = 0
    for wish, act in ((Wish.AGAIN, send_again), (Wish.DROP, drop)):
        ids = [row.message_id for row in rows if row.wanted == wish]
        done += act(session, clock, ids=ids) if ids else 0
    for row in rows:
        session.delete(row)
    return done


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
