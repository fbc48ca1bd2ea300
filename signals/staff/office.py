"""What changes of a team work with, and the messages by which the team hears of them."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from notifications.events import Event
from notifications.outbox import NewMessage, enqueue
from privacy.passwords import PasswordHasherSettings
from signals.audit.log import AuditLog
from signals.clock import Clock, today
from signals.db import set_local
from signals.models import StaffMember
from signals.models.base import new_id
from signals.staff.identity import Secrets
from signals.staff.recovery import Links
from signals.staff.standing import APPROVERS
from signals.vocabulary import Role

APPROVAL_DAYS: Final = 14
"""How long a request waits for the team's answer."""


@dataclass(frozen=True, kw_only=True)
class Office:
    """What changes of a team work with. `site`: the public address, for the links in messages."""

    links: Links = field(repr=False)
    audit: AuditLog = field(repr=False)
    site: str


def make_office(
    *, keystore: Secrets, audit: AuditLog, public_url: str, hasher: PasswordHasherSettings
) -> Office:
    """With the page on which mailed links of accounts are opened."""
    site = public_url.rstrip("/")
    links = Links(keystore=keystore, audit=audit, page=f"{site}/desk/account/link", hasher=hasher)
    return Office(links=links, audit=audit, site=site)


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody to be let in. `organisation_id` is None for a coordinator."""

    organisation_id: uuid.UUID | None
    role: Role
    name: str
    email: str = field(repr=False)
    language: str = "nl"


def tell_team(
    session: Session,
    clock: Clock,
    office: Office,
    organisation_id: uuid.UUID | None,
    *,
    besides: uuid.UUID | None,
) -> None:
    """Leads and privacy officers of the team hear that an account changes: a date and a link, no name."""
    if organisation_id is None:
        return
    query = select(StaffMember).where(
        StaffMember.organisation_id == organisation_id,
        StaffMember.role.in_(APPROVERS),
        StaffMember.disabled_at.is_(None),
        StaffMember.id.is_distinct_from(besides),
    )
    people = session.scalars(query).all()
    tell(session, clock, people, organisation_id, f"{office.site}/desk/approvals")


def tell_administrators(
    session: Session, clock: Clock, office: Office, organisation_id: uuid.UUID | None
) -> None:
    """The same to every administrator, for what was done past the team and past them."""
    query = select(StaffMember).where(
        StaffMember.role == Role.ADMINISTRATOR, StaffMember.disabled_at.is_(None)
    )
    place = f"{office.site}/admin/organisations/{organisation_id}" if organisation_id else office.site
    tell(session, clock, session.scalars(query).all(), organisation_id, place)


def tell(
    session: Session,
    clock: Clock,
    people: Sequence[StaffMember],
    organisation_id: uuid.UUID | None,
    link: str,
) -> None:
    """Each change has a subject of its own, so that a second change of one account is told too."""
    now, subject_id = clock.now(), new_id()
    set_local(session, towards=str(organisation_id or ""), subject=str(subject_id))
    enqueue(
        session,
        [
            NewMessage(
                event=Event.ACCOUNT_CHANGED,
                subject_id=subject_id,
                organisation_id=organisation_id,
                channel="email",
                recipient=member.email,
                language=member.language,
                values={"link": link, "changed_on": today(clock).isoformat()},
                not_before=now,
                expires_at=now + timedelta(days=APPROVAL_DAYS),
            )
            for member in people
        ],
    )
