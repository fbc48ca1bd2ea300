"""Mail the signed head of the audit trail to the administrators each day, so that it leaves this machine."""

import json

from sqlalchemy.orm import Session

from notifications.events import Event
from signals.audit.trail import latest_head
from signals.clock import Clock, today
from signals.notices.daily import tell_administrators


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
