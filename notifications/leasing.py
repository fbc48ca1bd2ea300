"""Leases: the due messages in order, taken by one worker for a while, and changed only under the lease.

The end of a lease proves it: a worker that takes the message later gets a lease that ends later.
"""

import uuid
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, Select, Table, Update, and_, bindparam, func, or_, select
from sqlalchemy.orm import Session

from notifications.models import DeliveryAttempt, MessageState, OutboxMessage
from notifications.retry import DOUBTFUL


@dataclass(frozen=True, kw_only=True)
class Lease:
    """A message that this worker has until `until`; the moment also proves the lease."""

    id: uuid.UUID
    event: str
    subject_id: uuid.UUID
    organisation_id: uuid.UUID | None
    channel: str
    recipient: str = field(repr=False)
    language: str
    values: dict[str, str]
    tries: int
    doubts: int
    until: datetime
    begun_at: datetime | None = None


def is_due(now: datetime, channels: Iterable[str]) -> ColumnElement[bool]:
    """Match messages without a live lease that one of these channels can send, or that are too old."""
    return and_(
        OutboxMessage.state.in_([MessageState.QUEUED, MessageState.SENDING]),
        OutboxMessage.not_before <= now,
        or_(OutboxMessage.leased_until.is_(None), OutboxMessage.leased_until <= now),
        or_(OutboxMessage.channel.in_(sorted(channels)), OutboxMessage.expires_at <= now),
    )


def in_turn(due: ColumnElement[bool], limit: int) -> Select[uuid.UUID]:
    """Select the oldest due message of each organisation, then the second of each, and so on."""
    oldest_first = (OutboxMessage.not_before, OutboxMessage.id)
    turn = func.row_number().over(partition_by=OutboxMessage.organisation_id, order_by=oldest_first)
    return select(OutboxMessage.id).where(due).order_by(turn, *oldest_first).limit(limit)


def lock_next(
    session: Session, due: ColumnElement[bool], ranked: deque[uuid.UUID], most: int
) -> list[OutboxMessage]:
    """Return the next due messages, locked; skip those that another worker locks at this moment.

    Ranking comes first: in one statement PostgreSQL may rank again for every row.
    """
    locked: list[OutboxMessage] = []
    while ranked and len(locked) < most:
        room = min(most - len(locked), len(ranked))
        locked += _lock(session, due, [ranked.popleft() for _ in range(room)])
    return locked


def _lock(session: Session, due: ColumnElement[bool], ids: Sequence[uuid.UUID]) -> list[OutboxMessage]:
    # `due` again: another worker may have leased a message since it was ranked.
    statement = select(OutboxMessage).where(OutboxMessage.id.in_(ids), due)
    found = session.scalars(statement.with_for_update(skip_locked=True)).all()
    return sorted(found, key=lambda message: ids.index(message.id))


def lease_all(session: Session, ids: Sequence[uuid.UUID], until: datetime) -> None:
    """Lease messages, so that no other worker takes them before `until`."""
    leased = _messages.update().where(_messages.c.id.in_(ids))
    if ids:
        session.execute(leased.values(state=MessageState.QUEUED, leased_until=until))


def doubts_of(session: Session, messages: Sequence[OutboxMessage]) -> dict[uuid.UUID, int]:
    """Return, by message, the number of earlier tries with an unknown outcome."""
    tried = [message.id for message in messages if message.tries]
    if not tried:
        return {}
    rows = session.execute(
        select(DeliveryAttempt.message_id, func.count())
        .where(DeliveryAttempt.message_id.in_(tried), DeliveryAttempt.problem.in_(DOUBTFUL))
        .group_by(DeliveryAttempt.message_id)
    )
    return dict(rows.all())


def lease_of(message: OutboxMessage, doubts: int, until: datetime) -> Lease:
    """Return the data to send a message without an open transaction."""
    return Lease(
        id=message.id,
        event=message.event,
        subject_id=message.subject_id,
        organisation_id=message.organisation_id,
        channel=message.channel,
        recipient=message.recipient,
        language=message.language,
        values=dict(message.values),
        tries=message.tries,
        doubts=doubts,
        until=until,
    )


@dataclass(frozen=True, kw_only=True)
class Target:
    """The message of an update: `until` names the lease; None means any lease and any other state."""

    id: uuid.UUID
    state: MessageState
    until: datetime | None = None


def leased(lease: Lease, state: MessageState) -> Target:
    """Return the target of a lease, while the lease lives and the message is in this state."""
    return Target(id=lease.id, state=state, until=lease.until)


def change(session: Session, which: Target, **values: Any) -> bool:
    """Update a message; return whether the target still matched."""
    statement = _update_of(which.until is not None, tuple(values))
    given = {f"set_{name}": value for name, value in values.items()}
    done = session.connection().execute(
        statement, {**given, **{f"is_{k}": v for k, v in vars(which).items()}}
    )
    return cast("CursorResult[Any]", done).rowcount == 1


@lru_cache(maxsize=32)
def _update_of(under_lease: bool, names: tuple[str, ...]) -> Update:
    """Build one statement for each set of columns: building costs more than running."""
    known = _messages.c
    if under_lease:
        state = known.state == bindparam("is_state", type_=known.state.type)
        which = and_(state, known.leased_until == bindparam("is_until", type_=known.leased_until.type))
    else:
        which = known.state != bindparam("is_state", type_=known.state.type)
    values = {name: bindparam(f"set_{name}", type_=known[name].type) for name in names}
    return _messages.update().where(known.id == bindparam("is_id", type_=known.id.type), which).values(values)


_messages = cast(Table, OutboxMessage.__table__)
