"""Messages that were given up: to look at, to send again, or to drop with a reason. No recipient is shown.

Sent again, a message goes to where its recipient is reached by now (`Whereabouts`), and nowhere when the
address is no recipient's any more. The staff side may not read messages: a worker puts up what it may see of
them (`post`), people choose there (`choose`), and a worker does it (`carry_out`).
"""

import uuid
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import CursorResult, delete, select, update
from sqlalchemy.orm import Session

from notifications.clock import Clock
from notifications.models import DeliveryAttempt, MessageState, OutboxMessage, PostedLetter

DROPPED = "dropped_by_hand"
TOLD_ALREADY = "told_already"
MOST_POSTED = 200
"""So many are put up at once; more than that is one trouble, which is mended elsewhere."""


class Wish(StrEnum):
    """What may become of a dead letter."""

    AGAIN = "again"
    DROP = "drop"


class Standing(StrEnum):
    """What has become of the address that a message went to."""

    SAME = "same"  # it still is its recipient's
    MOVED = "moved"  # the recipient has another one now, which was confirmed
    UNPROVED = "unproved"  # the recipient has another one, which was not confirmed yet
    GONE = "gone"  # it is no recipient's any more


SENDABLE = frozenset({Standing.SAME, Standing.MOVED})


@dataclass(frozen=True, kw_only=True)
class Whereabouts:
    """What has become of an address; when it moved, the channel and address that hold now."""

    standing: Standing
    channel: str = ""
    recipient: str = field(default="", repr=False)


Whither = Callable[[Session], Callable[[OutboxMessage], Whereabouts]]
"""In a session, what tells of a message where its recipient is by now."""


def as_written(_session: Session) -> Callable[[OutboxMessage], Whereabouts]:
    """Every message goes to the address that it was written with."""
    return lambda _message: Whereabouts(standing=Standing.SAME)


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


def dead_letters(
    session: Session,
    *,
    ids: Sequence[uuid.UUID] | None = None,
    problem: str | None = None,
    limit: int | None = 100,
) -> list[DeadLetter]:
    """All, or those of `ids`, or of one cause; the newest first."""
    last = (
        select(DeliveryAttempt.problem)
        .where(DeliveryAttempt.message_id == OutboxMessage.id, DeliveryAttempt.problem.is_not(None))
        .order_by(DeliveryAttempt.at.desc())
        .limit(1)
        .scalar_subquery()
    )
    query = (
        select(OutboxMessage, last)
        .where(*_which(ids), *([] if problem is None else [last == problem]))
        .order_by(OutboxMessage.settled_at.desc(), OutboxMessage.id)
        .limit(limit)
    )
    return [_letter(message, problem) for message, problem in session.execute(query)]


def standings(
    session: Session, ids: Collection[uuid.UUID], whither: Whither = as_written
) -> dict[uuid.UUID, Standing]:
    """What has become of the address of each of these messages."""
    if not ids:
        return {}
    where = whither(session)
    messages = session.scalars(select(OutboxMessage).where(OutboxMessage.id.in_(ids)))
    return {message.id: where(message).standing for message in messages}


def send_again(
    session: Session, clock: Clock, *, ids: Sequence[uuid.UUID] | None = None, whither: Whither = as_written
) -> int:
    """Queue dead letters (all without `ids`) once more, as if they were new; gives how many.

    A person has looked, so earlier doubts no longer count. One that is too late expires instead. One whose
    recipient has moved goes to the present address, unless that was told already; one whose recipient cannot
    be reached stays as it is.
    """
    messages = session.scalars(select(OutboxMessage).where(*_which(ids)).with_for_update()).all()
    where = whither(session)
    found = [message.id for message in messages if _is_readdressed(session, clock, message, where(message))]
    session.execute(delete(DeliveryAttempt).where(DeliveryAttempt.message_id.in_(found)))
    _update(session, found, state=MessageState.QUEUED, not_before=clock.now(), settled_at=None, tries=0)
    return len(found)


def drop(session: Session, clock: Clock, *, ids: Sequence[uuid.UUID] | None = None) -> int:
    """Give dead letters (all without `ids`) up for good, with a reason; gives how many."""
    found = list(session.scalars(select(OutboxMessage.id).where(*_which(ids)).with_for_update()))
    _update(session, found, state=MessageState.EXPIRED, settled_at=clock.now(), reason=DROPPED)
    return len(found)


def post(session: Session, *, whither: Whither = as_written) -> int:
    """Put up what is dead by now, in the caller's transaction; what somebody chose stays. Gives how many."""
    dead = {letter.id: letter for letter in dead_letters(session, limit=MOST_POSTED)}
    standing = standings(session, dead, whither)
    posted = {row.message_id: row for row in session.scalars(select(PostedLetter).with_for_update())}
    for gone in posted.keys() - dead.keys():
        session.delete(posted[gone])
    for letter in dead.values():
        row = posted.get(letter.id) or PostedLetter(message_id=letter.id)
        row.event, row.organisation_id, row.channel = letter.event, letter.organisation_id, letter.channel
        row.tries, row.problem = letter.tries, letter.problem
        row.given_up_at, row.expires_at = letter.given_up_at, letter.expires_at
        row.standing = standing[letter.id]
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


def choose_again(session: Session, problem: str) -> Sequence[PostedLetter]:
    """Let all that one cause stopped be sent again: those put up that can be, and of which nobody chose."""
    of_cause = PostedLetter.problem == problem if problem else PostedLetter.problem.is_(None)
    open_ = PostedLetter.wanted.is_(None), PostedLetter.standing.in_(SENDABLE)
    rows = session.scalars(select(PostedLetter).where(of_cause, *open_).with_for_update()).all()
    for row in rows:
        row.wanted = Wish.AGAIN
    return rows


def carry_out(session: Session, clock: Clock, *, whither: Whither = as_written) -> int:
    """Do what people chose, in the caller's transaction; gives how many messages.

    What cannot be sent again by now is put up anew by the next `post`, as not chosen.
    """
    query = select(PostedLetter).where(PostedLetter.wanted.is_not(None))
    rows = session.scalars(query.with_for_update(skip_locked=True)).all()
    again = [row.message_id for row in rows if row.wanted == Wish.AGAIN]
    given_up = [row.message_id for row in rows if row.wanted == Wish.DROP]
    for row in rows:
        session.delete(row)
    done = send_again(session, clock, ids=again, whither=whither) if again else 0
    return done + (drop(session, clock, ids=given_up) if given_up else 0)


def _is_readdressed(session: Session, clock: Clock, message: OutboxMessage, to: Whereabouts) -> bool:
    """Whether it can be queued, to its recipient's present address."""
    if to.standing is not Standing.MOVED:
        return to.standing in SENDABLE
    if _was_told(session, message, to.recipient):
        message.state, message.settled_at, message.reason = MessageState.EXPIRED, clock.now(), TOLD_ALREADY
        return False
    message.channel, message.recipient, message.provider_message_id = to.channel, to.recipient, None
    session.flush()  # two that move to one address: the second finds the first
    return True


def _was_told(session: Session, message: OutboxMessage, recipient: str) -> bool:
    same = OutboxMessage.event == message.event, OutboxMessage.subject_id == message.subject_id
    found = select(OutboxMessage.id).where(*same, OutboxMessage.recipient == recipient)
    return session.scalar(found.limit(1)) is not None


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
