"""Notify a team, administrators or the asker of a change: a date and a link, no name."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from notifications.events import DATES, Event
from notifications.outbox import NewMessage, enqueue
from privacy.passwords import STANDARD, PasswordHasherSettings
from signals.clock import AMSTERDAM
from signals.db import set_local
from signals.models import StaffMember
from signals.models.base import new_id
from signals.operation import Operation
from signals.staff.standing import APPROVERS
from signals.vocabulary import Role

APPROVAL_DAYS: Final = 14
"""How many days a request waits for the team's answer."""


@dataclass(frozen=True, kw_only=True)
class AccountSettings:
    """Settings for changes of accounts; `site` is the public address, without a slash at the end."""

    site: str
    hasher: PasswordHasherSettings = field(default=STANDARD, repr=False)

    @property
    def link_page(self) -> str:
        """Return the address of the page that opens mailed links."""
        return f"{self.site}/desk/account/link"


def approvers_of(
    session: Session, organisation_ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, list[StaffMember]]:
    """Return the leads and privacy officers of organisations that have any."""
    query = select(StaffMember).where(
        StaffMember.organisation_id.in_(organisation_ids),
        StaffMember.role.in_(APPROVERS),
        StaffMember.disabled_at.is_(None),
    )
    found: dict[uuid.UUID, list[StaffMember]] = {}
    for member in session.scalars(query.order_by(StaffMember.organisation_id, StaffMember.email)):
        if member.organisation_id is not None:
            found.setdefault(member.organisation_id, []).append(member)
    return found


def administrators_of(session: Session, *, besides: uuid.UUID | None = None) -> Sequence[StaffMember]:
    """Return every administrator, except the person with id `besides`."""
    query = select(StaffMember).where(
        StaffMember.role == Role.ADMINISTRATOR,
        StaffMember.disabled_at.is_(None),
        StaffMember.id.is_distinct_from(besides),
    )
    return session.scalars(query.order_by(StaffMember.email)).all()


def notify_team(
    operation: Operation,
    organisation_id: uuid.UUID | None,
    *,
    besides: uuid.UUID | None = None,
    roles: Collection[Role] = APPROVERS,
    path: str = "/desk/approvals",
    event: Event = Event.ACCOUNT_CHANGED,
    until: date | None = None,
) -> None:
    """Notify the leads and privacy officers of a team, or some of them, except the person `besides`."""
    if organisation_id is not None:
        found = approvers_of(operation.session, [organisation_id]).get(organisation_id, [])
        people = [one for one in found if one.id != besides and one.role in roles]
        notify(operation, people, organisation_id, path, event=event, until=until)


def notify_administrators(
    operation: Operation,
    organisation_id: uuid.UUID | None,
    *,
    event: Event = Event.ACCOUNT_CHANGED,
    until: date | None = None,
) -> None:
    """Notify every administrator of a change, by default of an account."""
    page = f"/admin/organisations/{organisation_id}" if organisation_id else "/admin/approvals"
    notify(operation, administrators_of(operation.session), organisation_id, page, event=event, until=until)


def notify(
    operation: Operation,
    people: Sequence[StaffMember],
    organisation_id: uuid.UUID | None,
    path: str,
    *,
    event: Event = Event.ACCOUNT_CHANGED,
    until: date | None = None,
) -> None:
    """Send each person a message with a link to a page, and today's date.

    Each change has a subject of its own, so a second change of one account also sends a message.
    `until`: the message names this day, and nobody sends it any more when the day begins.
    """
    now, day, subject_id = operation.now, until or operation.today, new_id()
    end = datetime.combine(until, time(), AMSTERDAM) if until else now + timedelta(days=APPROVAL_DAYS)
    set_local(operation.session, towards=str(organisation_id or ""), subject=str(subject_id))
    enqueue(
        operation.session,
        [
            NewMessage(
                event=event,
                subject_id=subject_id,
                organisation_id=organisation_id,
                channel="email",
                recipient=member.email,
                language=member.language,
                values={"link": f"{operation.site}{path}", DATES[event]: day.isoformat()},
                not_before=now,
                expires_at=end,
            )
            for member in people
        ],
    )
