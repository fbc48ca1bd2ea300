"""The outbox: messages are written in the transaction that causes them, and a worker sends them later."""

import random
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, cast

from sqlalchemy import Connection, CursorResult, Table, and_, delete, select
from sqlalchemy.orm import Session

from notifications.events import LANGUAGES, check_values
from notifications.models import DeliveryAttempt, MessageState, OutboxMessage
from privacy.bulk import insert_many

SHORTEST_DELAY_MINUTES = 5
_COLUMNS: Final = (
    "event", "subject_id", "organisation_id", "channel", "recipient", "language", "values", "not_before",
    "expires_at",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class NewMessage:
    """A message to one recipient, sent after `not_before` and dropped after `expires_at`.

    `values` are strings for the templates, see `events.DATES`. Raises ValueError for an unknown event or
    language, for wrong values, and for moments without a time zone.
    """

    event: str
    subject_id: uuid.UUID
    organisation_id: uuid.UUID | None
    channel: str
    recipient: str = field(repr=False)
    language: str
    values: dict[str, str]
    not_before: datetime
    expires_at: datetime | None

    def __post_init__(self) -> None:
        check_values(self.event, self.values)
        if self.language not in LANGUAGES:
            raise ValueError(f"no templates in the language {self.language[:10]!r}")
        for moment in (self.not_before, self.expires_at):
            if moment is not None and moment.tzinfo is None:
                raise ValueError("not_before and expires_at need a time zone")


def enqueue(session: Session | Connection, messages: Sequence[NewMessage]) -> int:
    """Write messages in the caller's transaction; return how many are new.

    A message about one event and subject to one recipient is written once.
    """
    return _insert(session, messages)


def withdraw(
    session: Session | Connection, *, subject_id: uuid.UUID, events: Collection[str] | None = None
) -> int:
    """Delete every message about a subject, sent or not; return how many.

    `events`: only these, so that they can be sent again with new values.
    """
    meant = OutboxMessage.subject_id == subject_id
    if events is not None:
        meant = and_(meant, OutboxMessage.event.in_(events))
    about = select(OutboxMessage.id).where(meant)
    session.execute(delete(DeliveryAttempt).where(DeliveryAttempt.message_id.in_(about)))
    done = session.execute(delete(OutboxMessage).where(meant))
    return cast("CursorResult[Any]", done).rowcount


def random_delay(minutes: int, rng: random.Random) -> timedelta:
    """Return a random delay for a new signal, so that its message does not reveal the moment of the visit.

    Zero for 0 minutes (the demo); otherwise uniform between 5 minutes and `minutes`.
    """
    if minutes <= 0:
        return timedelta(0)
    return timedelta(minutes=rng.uniform(min(SHORTEST_DELAY_MINUTES, minutes), minutes))


def _place(message: NewMessage) -> tuple[str, int, str]:
    return message.event, message.subject_id.int, message.recipient


def _insert(session: Session | Connection, messages: Sequence[NewMessage]) -> int:
    if not messages:
        return 0
    connection = session.connection() if isinstance(session, Session) else session
    # In one order, or two workers that write the same messages could wait for each other.
    messages = sorted(messages, key=_place)
    columns: dict[str, list[Any]] = {name: [getattr(m, name) for m in messages] for name in _COLUMNS}
    columns["id"] = [uuid.uuid4() for _ in messages]
    same = {"state": MessageState.QUEUED, "tries": 0}
    table = cast(Table, OutboxMessage.__table__)
    return insert_many(connection, table, columns, same, unless=("event", "subject_id", "recipient"))
