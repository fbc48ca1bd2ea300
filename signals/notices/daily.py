"""Write one message a day about an event to each administrator; two workers write it once."""

import uuid
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

from sqlalchemy.orm import Session

from notifications.events import DATES, Event
from notifications.outbox import NewMessage, enqueue
from signals.clock import Clock
from signals.organisations.addressing import administrators

_DAYS: Final = uuid.UUID("7d0a3b52-6a2c-4e0f-9d0b-6f1f5b8f2c11")
"""The namespace of one subject for each day."""
_EXPIRES: Final = timedelta(days=3)


def tell_administrators(
    session: Session,
    clock: Clock,
    *,
    event: Event,
    on: date,
    public_url: str,
    more: Mapping[str, str] | None = None,
) -> int:
    """Write the message of a day to each administrator; return how many are new."""
    link = f"{public_url.rstrip('/')}/admin"
    return enqueue(
        session,
        [
            NewMessage(
                event=event,
                subject_id=uuid.uuid5(_DAYS, on.isoformat()),
                organisation_id=None,
                channel=contact.channel,
                recipient=contact.recipient,
                language=contact.language,
                values={"link": link, DATES[event]: on.isoformat(), **(more or {})},
                not_before=clock.now(),
                expires_at=clock.now() + _EXPIRES,
            )
            for contact in administrators(session)
        ],
    )
