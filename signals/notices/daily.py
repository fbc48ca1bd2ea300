"""Write one message a day about an event to each administrator; two workers write it once.

The events: the signed head of the audit trail, which so leaves this machine, and several reports of a day
that did not open.
"""

import json
import uuid
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from notifications.events import DATES, Event
from notifications.outbox import NewMessage, enqueue
from signals.audit.trail import latest_head
from signals.clock import Clock, today
from signals.models import SealedReport
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


def mail_trail_head(session: Session, clock: Clock, *, public_url: str) -> int:
    """Write today's message to each administrator; return how many are new.

    The end of the trail cannot be removed together with its heads any more: `signals audit verify --head`
    finds that with the line in an old mail.
    """
    head = latest_head(session)
    if head is None:
        return 0
    more = {"head": json.dumps(head.as_json())}
    return tell_administrators(
        session, clock, event=Event.TRAIL_HEAD, on=today(clock), public_url=public_url, more=more
    )


ALARM: Final = 3
"""So many reports that arrival set aside in one day are no accident of one phone."""


def watch_set_aside(session: Session, clock: Clock, *, public_url: str) -> int:
    """Write a message about today and yesterday where `ALARM` was reached; return how many are new.

    Yesterday too: the last report of a day may arrive after this job's last run.
    """
    day = SealedReport.refused_on
    full = (
        select(day).where(day >= today(clock) - timedelta(days=1)).group_by(day).having(func.count() >= ALARM)
    )
    return sum(
        tell_administrators(session, clock, event=Event.REPORTS_SET_ASIDE, on=on, public_url=public_url)
        for on in session.scalars(full).all()
        if on is not None
    )
