"""Messages written in the transaction that causes them; a worker sends them after it."""

import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Connection, CursorResult, Table, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from notifications.events import LANGUAGES, check_values
from notifications.models import DeliveryAttempt, MessageState, OutboxMessage

ROWS_PER_INSERT = 500  # SQLite binds at most 32,766 values in one statement
SHORTEST_DELAY_MINUTES = 5


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
    return sum(
        _insert(session, messages[start : start + ROWS_PER_INSERT])
        for start in range(0, len(messages), ROWS_PER_INSERT)
    )


def withdraw(session: Session | Connection, *, subject_id: uuid.UUID) -> int:
    """Delete every message about a subject, sent or not, as its purge asks; gives how many there were."""
    about = select(OutboxMessage.id).where(OutboxMessage.subject_id == subject_id)
    session.execute(delete(DeliveryAttempt).where(DeliveryAttempt.message_id.in_(about)))
    done = session.execute(delete(OutboxMessage).where(OutboxMessage.subject_id == subject_id))
    return cast("CursorResult[Any]", done).rowcount


def random_delay(minutes: int, rng: random.Random) -> timedelta:
    """How long a message about a new signal waits, so that its time does not tell when a carrier was there.

    None for 0 (the demo); otherwise uniform between 5 minutes and `minutes`.
    """
    if minutes <= 0:
        return timedelta(0)
    return timedelta(minutes=rng.uniform(min(SHORTEST_DELAY_MINUTES, minutes), minutes))


def _insert(session: Session | Connection, messages: Sequence[NewMessage]) -> int:
    table = cast(Table, OutboxMessage.__table__)
    insert = sqlite.insert if _dialect(session) == "sqlite" else postgresql.insert
    statement = insert(table).values([_row(message) for message in messages])
    once = statement.on_conflict_do_nothing(index_elements=["event", "subject_id", "recipient"])
    # Without this option SQLAlchemy forgets how many rows an INSERT on PostgreSQL wrote.
    done = session.execute(once, execution_options={"preserve_rowcount": True})
    return cast("CursorResult[Any]", done).rowcount


def _dialect(session: Session | Connection) -> str:
    bind = session.get_bind() if isinstance(session, Session) else session
    return bind.dialect.name


def _row(message: NewMessage) -> dict[str, Any]:
    return {
        "id": uuid.uuid4(),
        "event": message.event,
        "subject_id": message.subject_id,
        "organisation_id": message.organisation_id,
        "channel": message.channel,
        "recipient": message.recipient,
        "language": message.language,
        "values": dict(message.values),
        "state": MessageState.QUEUED,
        "not_before": message.not_before,
        "expires_at": message.expires_at,
        "tries": 0,
    }
