"""Messages written in the transaction that causes them; a worker sends them after it."""

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
_TOLD: Final = (
    "event", "subject_id", "organisation_id", "channel", "recipient", "language", "values", "not_before",
    "expires_at",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class NewMessage:
    """A message to one recipient, not sent before `not_before` and dropped once `expires_at` has passed.

    `values` are strings for the templates, see `events.DATES`. Raises ValueError for an unknown event or
    language, for other values than the event tells, and for moments without a time zone.
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
    """Write messages into the caller's transaction, which it does not commit; gives how many are new.

    A message about the same event and subject to the same recipient is written once, ever.
    """
    return _insert(session, messages)


def withdraw(
    session: Session | Connection, *, subject_id: uuid.UUID, events: Collection[str] | None = None
) -> int:
    """Delete every message about a subject, sent or not, as its purge asks; gives how many there were.

    `events`: only those, so that they can be told again when what they tell has changed.
    """
    meant = OutboxMessage.subject_id == subject_id
    if events is not None:
        meant = and_(meant, OutboxMessage.event.in_(events))
    about = select(OutboxMessage.id).where(meant)
    session.execute(delete(DeliveryAttempt).where(DeliveryAttempt.message_id.in_(about)))
    done = session.execute(delete(OutboxMessage).where(meant))
    return cast("CursorResult[Any]", done).rowcount


def random_delay(minutes: int, rng: random.Random) -> timedelta:
    """How long a message about a new signal waits, so that its time does not tell when a carrier was there.

    None for 0 (the demo); otherwise uniform between 5 minutes and `minutes`.
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
    # In one order, or two workers that write the same ones would wait for one another.
    messages = sorted(messages, key=_place)
    columns: dict[str, list[Any]] = {name: [getattr(m, name) for m in messages] for name in _TOLD}
    columns["id"] = [uuid.uuid4() for _ in messages]
    same = {"state": MessageState.QUEUED, "tries": 0}
    table = cast(Table, OutboxMessage.__table__)
    return insert_many(connection, table, columns, same, unless=("event", "subject_id", "recipient"))
