"""Set a flood aside and notify leads and administrators, so that others can bring it back within a week."""

import uuid

from notifications.events import Event
from signals.casework.access import organisation_of
from signals.casework.floods import set_aside
from signals.lifecycle.transitions import KEPT_ASIDE
from signals.notices.limit_notices import PATH, area_day
from signals.operation import Operation
from signals.staff.change_messages import administrators_of, notify, notify_team
from signals.vocabulary import Role


def set_flood_aside(operation: Operation, *, area_day_id: uuid.UUID) -> int:
    """Set the unread signals of a day aside as their lead, and write the messages; return how many signals.

    Raises `NotFound` for a day of another organisation, and `Forbidden`.
    """
    number = set_aside(operation, day=area_day(operation, area_day_id).day)
    if number:
        own, page, event = organisation_of(operation.actor), f"{PATH}/{area_day_id}", Event.FLOOD_SET_ASIDE
        until = operation.today + KEPT_ASIDE
        notify_team(operation, own, roles=[Role.LEAD], path=page, event=event, until=until)
        notify(operation, administrators_of(operation.session), own, page, event=event, until=until)
    return number
