"""Statuses that a provider sends after it took a message: the front notes them, and a worker applies them.

Statuses arrive out of order, twice, and about an earlier try. So only the furthest status of each provider id
counts, and only for the last try.
"""

import random
import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, cast

from sqlalchemy import CursorResult, Table, delete, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from notifications.channels.sms import classify
from notifications.clock import Clock
from notifications.models import DeliveryAttempt, DeliveryCallback, MessageState, OutboxMessage
from notifications.retry import DEFAULT_POLICY, Next, Policy, decide

ARRIVED = frozenset({"delivered", "read"})
REFUSED = frozenset({"undelivered", "failed"})
_FURTHER = {
    word: place
    for place, words in enumerate(
        (("accepted", "scheduled"), ("queued",), ("sending",), ("sent",), REFUSED, ARRIVED)
    )
    for word in words
}
STATUSES = frozenset(_FURTHER)
"""The values of Twilio's message status that have an effect here."""

BATCH = 200
_UNKNOWN_ERROR = 30008  # Twilio's own code for it


def note(
    session: Session,
    clock: Clock,
    *,
    message_id: uuid.UUID | None,
    provider_message_id: str,
    status: str,
    code: int | None,
) -> bool:
    """Note a status; return False for a repeat. It needs no right to read."""
    table = cast(Table, DeliveryCallback.__table__)
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    row = {
        "id": uuid.uuid4(),
        "message_id": message_id,
        "provider_message_id": provider_message_id,
        "status": status,
        "code": code,
        "received_at": clock.now(),
    }
    once = insert(table).values(row).on_conflict_do_nothing()
    done = session.execute(once, execution_options={"preserve_rowcount": True})
    return cast("CursorResult[Any]", done).rowcount == 1


def judge(session: Session, clock: Clock, *, rng: random.Random, policy: Policy = DEFAULT_POLICY) -> int:
    """Apply the noted statuses in the caller's transaction; return how many.

    A status of a message that is being sent at this moment waits.
    """
    query = select(DeliveryCallback).order_by(DeliveryCallback.provider_message_id).limit(BATCH)
    words = session.scalars(query.with_for_update(skip_locked=True)).all()
    used: list[uuid.UUID] = []
    for provider_id, group in groupby(words, key=lambda word: word.provider_message_id):
        said = list(group)
        if _take_in(session, clock.now(), provider_id, said, rng, policy):
            used += [word.id for word in said]
    session.execute(delete(DeliveryCallback).where(DeliveryCallback.id.in_(used)))
    return len(used)


def _take_in(
    session: Session,
    now: datetime,
    provider_id: str,
    said: Sequence[DeliveryCallback],
    rng: random.Random,
    policy: Policy,
) -> bool:
    """Apply the statuses of one provider id; return False when they must wait."""
    message = _find(session, provider_id, said)
    if message is None:
        return True
    if message.state is MessageState.SENDING and message.leased_until and message.leased_until > now:
        return False
    word = max(said, key=lambda word: _FURTHER.get(word.status, -1))
    if word.status in REFUSED and _is_about_the_last_try(message, provider_id):
        _refused(session, message, provider_id, word.code, now, rng, policy)
    elif word.status not in REFUSED and _was_news(message, provider_id, word.status):
        _arrived(session, message, provider_id, now)
    return True


def _find(session: Session, provider_id: str, said: Iterable[DeliveryCallback]) -> OutboxMessage | None:
    ids = {word.message_id for word in said if word.message_id is not None}
    known = or_(OutboxMessage.provider_message_id == provider_id, OutboxMessage.id.in_(ids))
    return session.scalars(select(OutboxMessage).where(known).limit(1).with_for_update()).first()


def _is_about_the_last_try(message: OutboxMessage, provider_id: str) -> bool:
    """Return whether a status is about the last try; a message that is being sent has an earlier try's id."""
    if message.state is MessageState.SENDING:
        return message.provider_message_id != provider_id
    return message.state is MessageState.DELIVERED and message.provider_message_id == provider_id


def _was_news(message: OutboxMessage, provider_id: str, status: str) -> bool:
    """Return whether a message in doubt was taken after all, or a refused one arrived."""
    if message.state in (MessageState.DELIVERED, MessageState.EXPIRED) or not message.tries:
        return False
    return status in ARRIVED or message.provider_message_id != provider_id


def _arrived(session: Session, message: OutboxMessage, provider_id: str, now: datetime) -> None:
    message.state, message.settled_at, message.leased_until = MessageState.DELIVERED, now, None
    message.provider_message_id = provider_id
    session.add(DeliveryAttempt(message_id=message.id, at=now, delivered=True, problem=None))


def _refused(
    session: Session,
    message: OutboxMessage,
    provider_id: str,
    code: int | None,
    now: datetime,
    rng: random.Random,
    policy: Policy,
) -> None:
    failure = classify(status=400, code=code or _UNKNOWN_ERROR)
    verdict = decide(failure, tries=message.tries, doubts=0, now=now, rng=rng, policy=policy)
    message.provider_message_id, message.leased_until = provider_id, None
    if verdict.next is Next.RETRY and verdict.at is not None:
        message.state, message.not_before, message.settled_at = MessageState.QUEUED, verdict.at, None
    else:
        message.state, message.settled_at = MessageState.FAILED, now
    session.add(DeliveryAttempt(message_id=message.id, at=now, delivered=False, problem=failure.problem))
