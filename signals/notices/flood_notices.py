"""Set a flood aside and tell leads and administrators, so that others can bring it back within a week."""

import uuid
from collections.abc import Iterator
from datetime import datetime, time

from notifications.events import DATES, Event
from notifications.outbox import NewMessage, enqueue
from signals.casework.access import organisation_of
from signals.casework.floods import set_aside
from signals.clock import AMSTERDAM
from signals.lifecycle.transitions import KEPT_ASIDE
from signals.models.base import new_id
from signals.notices.limit_notices import PATH, area_day
from signals.operation import Operation
from signals.organisations.addressing import administrators, leads_of, once_each


def set_flood_aside(operation: Operation, *, area_day_id: uuid.UUID, public_url: str) -> int:
    """Set the unread signals of a day aside as their lead, and write the messages; return how many signals.

    Raises `NotFound` for a day of another organisation, and `Forbidden`.
    """
    number = set_aside(operation, day=area_day(operation, area_day_id).day)
    if number:
        enqueue(
            operation.session, list(_messages(operation, f"{public_url.rstrip('/')}{PATH}/{area_day_id}"))
        )
    return number


def _messages(operation: Operation, link: str) -> Iterator[NewMessage]:
    own, subject_id = organisation_of(operation.actor), new_id()
    deleted_on, event = operation.today + KEPT_ASIDE, Event.FLOOD_SET_ASIDE
    leads = leads_of(operation.session, [own]).get(own, [])
    for contact in once_each([*leads, *administrators(operation.session)]):
        yield NewMessage(
            event=event,
            subject_id=subject_id,
            organisation_id=own,
            channel=contact.channel,
            recipient=contact.recipient,
            language=contact.language,
            values={"link": link, DATES[event]: deleted_on.isoformat()},
            not_before=operation.now,
            expires_at=datetime.combine(deleted_on, time(), AMSTERDAM),
        )
