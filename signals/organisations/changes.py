"""Notify both teams and every administrator at once of a change that decides who receives reports."""

import uuid

from notifications.events import Event
from signals.operation import Operation
from signals.staff.change_messages import administrators_of, approvers_of, notify

TEAM_PAGE = "/desk/approvals"


def announce(operation: Operation, *organisation_ids: uuid.UUID | None) -> None:
    """Mail the leads and privacy officers of these organisations, and all administrators but the actor."""
    wanted = sorted({one for one in organisation_ids if one is not None}, key=str)
    for organisation_id, people in approvers_of(operation.session, wanted).items():
        notify(operation, people, organisation_id, TEAM_PAGE, event=Event.ORGANISATION_CHANGED)
    page = f"/admin/organisations/{wanted[0]}" if wanted else "/admin/approvals"
    administrators = administrators_of(operation.session, besides=operation.actor.id)
    notify(operation, administrators, next(iter(wanted), None), page, event=Event.ORGANISATION_CHANGED)
