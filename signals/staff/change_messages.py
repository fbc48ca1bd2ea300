"""Notify a team, its administrators or the asker that an account changes: a date and a link, no name."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from sqlalchemy import select

from notifications.events import Event
from notifications.outbox import NewMessage, enqueue
from privacy.passwords import STANDARD, PasswordHasherSettings
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


def notify_team(
    operation: Operation,
    settings: AccountSettings,
    organisation_id: uuid.UUID | None,
    *,
    besides: uuid.UUID | None,
) -> None:
    """Notify the leads and privacy officers of a team, except the person with id `besides`."""
    if organisation_id is None:
        return
    query = select(StaffMember).where(
        StaffMember.organisation_id == organisation_id,
        StaffMember.role.in_(APPROVERS),
        StaffMember.disabled_at.is_(None),
        StaffMember.id.is_distinct_from(besides),
    )
    people = operation.session.scalars(query).all()
    notify(operation, people, organisation_id, f"{settings.site}/desk/approvals")


def notify_administrators(
    operation: Operation, settings: AccountSettings, organisation_id: uuid.UUID | None
) -> None:
    """Notify every administrator of a change that neither the team nor an administrator made."""
    query = select(StaffMember).where(
        StaffMember.role == Role.ADMINISTRATOR, StaffMember.disabled_at.is_(None)
    )
    page = f"{settings.site}/admin/organisations/{organisation_id}" if organisation_id else settings.site
    notify(operation, operation.session.scalars(query).all(), organisation_id, page)


def notify(
    operation: Operation, people: Sequence[StaffMember], organisation_id: uuid.UUID | None, link: str
) -> None:
    """Send each person a message with a link.

    Each change has a subject of its own, so a second change of one account also sends a message.
    """
    now, subject_id = operation.now, new_id()
    set_local(operation.session, towards=str(organisation_id or ""), subject=str(subject_id))
    enqueue(
        operation.session,
        [
            NewMessage(
                event=Event.ACCOUNT_CHANGED,
                subject_id=subject_id,
                organisation_id=organisation_id,
                channel="email",
                recipient=member.email,
                language=member.language,
                values={"link": link, "changed_on": operation.today.isoformat()},
                not_before=now,
                expires_at=now + timedelta(days=APPROVAL_DAYS),
            )
            for member in people
        ],
    )
