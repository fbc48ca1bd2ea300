"""Dead letters: messages that were given up. People see them, send them again or drop them.

The staff side may not read messages. A worker posts what staff may see of them (`post`), people choose there
(`choose`), and a worker does it (`carry_out`). No recipient is shown.
"""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import CursorResult, delete, select, update
from sqlalchemy.orm import Session

from notifications.clock import Clock
from notifications.models import DeliveryAttempt, MessageState, OutboxMessage, PostedLetter

DROPPED: Final = "dropped_by_hand"
MOST_POSTED: Final = 200
"""More dead letters than this have one cause, and the cause is fixed elsewhere."""
SAME: Final = "same"
GONE: Final = "gone"

StillReached = Callable[[Session], Callable[[OutboxMessage], bool]]
"""In a session, says of a message whether its address is still that of its recipient."""


class Wish(StrEnum):
    """The two things that can be done with a dead letter."""

    AGAIN = "again"
    DROP = "drop"


@dataclass(frozen=True, kw_only=True)
class DeadLetter:
    """A message that was given up. `problem`: the class of its last failure; `address`: `same` or `gone`."""

    id: uuid.UUID
    event: str
    organisation_id: uuid.UUID | None
    channel: str
    tries: int
    problem: str | None
    given_up_at: datetime | None
    expires_at: datetime | None
    address: str


def everybody(_session: Session) -> Callable[[OutboxMessage], bool]:
    """Return a `StillReached` answer that keeps every address."""
    return lambda _message: True


def dead_letters(
    session: Session,
    *,
    problem: str | None = None,
    limit: int | None = 100,
    still_reached: StillReached = everybody,
) -> list[DeadLetter]:
    """Return the dead letters, the newest first; `problem`: only those of this cause."""
    last = (
        select(DeliveryAttempt.problem)
        .where(DeliveryAttempt.message_id == OutboxMessage.id, DeliveryAttempt.problem.is_not(None))
        .order_by(DeliveryAttempt.at.desc())
        .limit(1)
        .scalar_subquery()
    )
    query = select(OutboxMessage, last).where(OutboxMessage.state == MessageState.FAILED)
    if problem is not None:
        query = query.where(last == problem)
    found = session.execute(query.order_by(OutboxMessage.settled_at.desc(), OutboxMessage.id).limit(limit))
    is_reached = still_reached(session)
    return [_letter(message, why, is_reached=is_reached(message)) for message, why in found]


def send_again(
    session: Session,
    clock: Clock,
    *,
    ids: Sequence[uuid.UUID] | None = None,
    still_reached: StillReached = everybody,
) -> int:
    """Queue dead letters (all without `ids`) as if they were new; return how many.

    Earlier doubts no longer count, because a person looked. A message that is too late expires at its turn.
    A message whose address is gone stays a dead letter.
    """
    is_reached = still_reached(session)
    found = [message.id for message in _locked(session, ids) if is_reached(message)]
    session.execute(delete(DeliveryAttempt).where(DeliveryAttempt.message_id.in_(found)))
    fresh = {"not_before": clock.now(), "settled_at": None, "tries": 0}
    return _update(session, found, state=MessageState.QUEUED, **fresh)


def drop(session: Session, clock: Clock, *, ids: Sequence[uuid.UUID] | None = None) -> int:
    """Give dead letters (all without `ids`) up for good, with a reason; return how many."""
    found = [message.id for message in _locked(session, ids)]
    return _update(session, found, state=MessageState.EXPIRED, settled_at=clock.now(), reason=DROPPED)


def post(session: Session, *, still_reached: StillReached = everybody) -> int:
    """Post the dead letters of this moment, and keep what people chose; return how many."""
    dead = dead_letters(session, limit=MOST_POSTED, still_reached=still_reached)
    ids = [letter.id for letter in dead]
    session.execute(delete(PostedLetter).where(PostedLetter.message_id.not_in(ids)))
    for letter in dead:
        columns = {**vars(letter), "message_id": letter.id, "standing": letter.address}
        del columns["id"], columns["address"]
        session.merge(PostedLetter(**columns))
    return len(dead)


def posted_letters(session: Session) -> Sequence[PostedLetter]:
    """Return the posted letters, the newest first."""
    order = (PostedLetter.given_up_at.desc(), PostedLetter.message_id)
    return session.scalars(select(PostedLetter).order_by(*order)).all()


def choose(session: Session, message_id: uuid.UUID, wish: Wish) -> PostedLetter | None:
    """Record a choice for one letter; the first choice stands. Return None when the letter is not posted."""
    row = session.scalar(select(PostedLetter).where(PostedLetter.message_id == message_id).with_for_update())
    if row is not None and row.wanted is None:
        row.wanted = wish
    return row


def choose_again(session: Session, problem: str) -> Sequence[PostedLetter]:
    """Choose "again" for each letter of one cause that can be sent and has no choice yet; return these."""
    of_cause = PostedLetter.problem == problem if problem else PostedLetter.problem.is_(None)
    undecided = PostedLetter.wanted.is_(None), PostedLetter.standing == SAME
    rows = session.scalars(select(PostedLetter).where(of_cause, *undecided).with_for_update()).all()
    for row in rows:
        row.wanted = Wish.AGAIN
    return rows


def carry_out(session: Session, clock: Clock, *, still_reached: StillReached = everybody) -> int:
    """Do what people chose; return how many messages.

    A letter that cannot be sent any more loses its choice: the next `post` shows it again.
    """
    query = select(PostedLetter).where(PostedLetter.wanted.is_not(None))
    rows = session.scalars(query.with_for_update(skip_locked=True)).all()
    again = [row.message_id for row in rows if row.wanted == Wish.AGAIN]
    dropped = [row.message_id for row in rows if row.wanted == Wish.DROP]
    for row in rows:
        session.delete(row)
    done = send_again(session, clock, ids=again, still_reached=still_reached)
    return done + drop(session, clock, ids=dropped)


def _letter(message: OutboxMessage, problem: str | None, *, is_reached: bool) -> DeadLetter:
    return DeadLetter(
        id=message.id,
        event=message.event,
        organisation_id=message.organisation_id,
        channel=message.channel,
        tries=message.tries,
        problem=problem,
        given_up_at=message.settled_at,
        expires_at=message.expires_at,
        address=SAME if is_reached else GONE,
    )


def _locked(session: Session, ids: Sequence[uuid.UUID] | None) -> Sequence[OutboxMessage]:
    query = select(OutboxMessage).where(OutboxMessage.state == MessageState.FAILED)
    if ids is not None:
        query = query.where(OutboxMessage.id.in_(ids))
    return session.scalars(query.with_for_update()).all()


def _update(session: Session, ids: Sequence[uuid.UUID], **values: Any) -> int:
    done: CursorResult[Any] = session.execute(  # type: ignore[assignment]  # an UPDATE gives a cursor
        update(OutboxMessage).where(OutboxMessage.id.in_(ids)).values(**values),
        execution_options={"synchronize_session": False},
    )
    return done.rowcount
