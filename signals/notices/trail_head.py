"""Mail the signed head of the audit trail to the administrators each day, so that it leaves this machine."""

import json
import uuid
from datetime import timedelta
from typing import Final

from sqlalchemy.orm import Session

from notifications.events import DATES, Event
from notifications.outbox import NewMessage, enqueue
from signals.audit.trail import latest_head
from signals.clock import Clock, today
from signals.organisations.addressing import administrators

_DAYS: Final = uuid.UUID("7d0a3b52-6a2c-4e0f-9d0b-6f1f5b8f2c11")
"""The namespace of one subject for each day: two workers write one mail."""
_EXPIRES: Final = timedelta(days=3)


def mail_trail_head(session: Session, clock: Clock, *, public_url: str) -> int:
    """Write today's message to each administrator; return how many are new.

    The end of the trail cannot be removed together with its heads any more: `signals audit verify --head`
    finds that with the line in an old mail.
    """
    head, on = latest_head(session), today(clock)
    if head is None:
        return 0
    values = {
        "link": f"{public_url.rstrip('/')}/admin",
        DATES[Event.TRAIL_HEAD]: on.isoformat(),
        "head": json.dumps(head.as_json()),
    }
    return enqueue(
        session,
        [
            NewMessage(
                event=Event.TRAIL_HEAD,
                subject_id=uuid.uuid5(_DAYS, on.isoformat()),
                organisation_id=None,
                channel=contact.channel,
                recipient=contact.recipient,
                language=contact.language,
                values=values,
                not_before=clock.now(),
                expires_at=clock.now() + _EXPIRES,
            )
            for contact in administrators(session)
        ],
    )
