"""Contact points of people, and the hours of a team: who gets a message, by which channel, from when."""

import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from notifications.events import DEPUTY_PAGE
from signals.clock import AMSTERDAM
from signals.lifecycle.deadlines import holidays_of
from signals.models import Organisation, StaffMember
from signals.staff.absence import HOLDERS
from signals.staff.change_messages import administrators_of
from signals.vocabulary import STAFF_LANGUAGES, OrganisationKind, Role

EMAIL = "email"
SMS = "sms"
EMAIL_ONLY = frozenset({EMAIL})
_DAYS_LOOKED_AHEAD = 21  # any week has a working day; holidays never fill three


class Hours(Protocol):
    """The hours of a team: columns of an organisation."""

    @property
    def opens_at(self) -> int: ...
    @property
    def quiet_from(self) -> int | None: ...
    @property
    def quiet_until(self) -> int | None: ...
    @property
    def working_days(self) -> str | None: ...


class Reachable(Protocol):
    """The channels of a person: columns of a recipient."""

    @property
    def address(self) -> str: ...
    @property
    def verified_on(self) -> date | None: ...
    @property
    def channel(self) -> str | None: ...
    @property
    def phone(self) -> str | None: ...
    @property
    def phone_verified_on(self) -> date | None: ...


@dataclass(frozen=True, kw_only=True)
class ContactPoint:
    """One channel to one person; `person`: their e-mail address, for every channel.

    `deputy`: the person is a deputy, who may have no account.
    """

    channel: str
    recipient: str = field(repr=False)
    language: str = "nl"
    person: str = field(default="", repr=False, compare=False)
    deputy: bool = field(default=False, compare=False)


def team_of(organisation: Organisation, *, channels: Collection[str] = EMAIL_ONLY) -> list[ContactPoint]:
    """Return the verified recipients by position, each with the preferred channel.

    A text message needs a verified phone and a channel that is on; without these an e-mail goes.
    """
    found = (
        preferred_contact(recipient, organisation.language, channels) for recipient in organisation.recipients
    )
    return [contact for contact in found if contact is not None]


def leads_of(
    session: Session, organisation_ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, list[ContactPoint]]:
    """Return the team leads of these organisations."""
    query = (
        select(StaffMember)
        .where(StaffMember.organisation_id.in_(organisation_ids), StaffMember.role == Role.LEAD)
        .where(StaffMember.disabled_at.is_(None))
        .order_by(StaffMember.email)
    )
    found: dict[uuid.UUID, list[ContactPoint]] = {}
    for member in session.scalars(query):
        if member.organisation_id is not None:
            found.setdefault(member.organisation_id, []).append(_of_member(member))
    return found


def of_staff(session: Session, ids: Collection[uuid.UUID]) -> dict[uuid.UUID, list[ContactPoint]]:
    """Return the contact points of these members of staff."""
    query = select(StaffMember).where(StaffMember.id.in_(ids))
    return {member.id: [_of_member(member)] for member in session.scalars(query)} if ids else {}


def deputy_of(organisation: Organisation) -> list[ContactPoint]:
    """Return the deputy of an organisation, when they verified the address."""
    if not organisation.deputy_email or organisation.deputy_verified_on is None:
        return []
    contact = ContactPoint(
        channel=EMAIL, recipient=organisation.deputy_email, language=organisation.language, deputy=True
    )
    return [contact]


def path_for(
    contact: ContactPoint,
    organisation_id: uuid.UUID,
    path: str,
    *,
    see_signals: Collection[tuple[uuid.UUID | None, str]],
) -> str:
    """Return `path`, or for a deputy without an account a page that needs no sign-in."""
    if contact.deputy and (organisation_id, contact.recipient.lower()) not in see_signals:
        return f"{DEPUTY_PAGE}{organisation_id}"
    return path


def who_see_signals(session: Session) -> frozenset[tuple[uuid.UUID | None, str]]:
    """Return (organisation, address in lower case) of everybody who can open its signals."""
    query = select(StaffMember.organisation_id, StaffMember.email).where(
        StaffMember.role.in_(HOLDERS), StaffMember.disabled_at.is_(None)
    )
    return frozenset((row.organisation_id, row.email.lower()) for row in session.execute(query))


def service_managers(session: Session) -> list[ContactPoint]:
    """Return the leads of the national desk."""
    desks = select(Organisation.id).where(Organisation.kind == OrganisationKind.NATIONAL)
    found = leads_of(session, list(session.scalars(desks)))
    return [contact for contacts in found.values() for contact in contacts]


def administrators(session: Session) -> list[ContactPoint]:
    """Return all administrators."""
    return [_of_member(member) for member in administrators_of(session)]


def coordinators(session: Session) -> frozenset[str]:
    """Return the addresses of coordinators: they never get a message about a single signal."""
    query = select(StaffMember.email).where(StaffMember.role == Role.COORDINATOR)
    return frozenset(address.lower() for address in session.scalars(query))


def without(contacts: Iterable[ContactPoint], addresses: Collection[str]) -> list[ContactPoint]:
    """Return the contact points of people whose address (lower case) is not among these."""
    return [contact for contact in contacts if (contact.person or contact.recipient).lower() not in addresses]


def not_disturbing(organisation: Hours, moment: datetime) -> datetime:
    """Return the moment itself, or the first later moment outside quiet hours and days off.

    `quiet_from` and `quiet_until` may span midnight. With `working_days`, national holidays are days off too,
    and a message that waits for a working day comes when the team opens, not at midnight.
    """
    local = moment.astimezone(AMSTERDAM)
    for _ in range(2 * _DAYS_LOOKED_AHEAD):
        later = _end_of_quiet(organisation, local)
        if later is None:
            return max(moment, local.astimezone(moment.tzinfo))
        local = later
    return moment


def _end_of_quiet(organisation: Hours, local: datetime) -> datetime | None:
    """Return when the quiet at a local moment may be over; None when it is not quiet."""
    days, start, end = organisation.working_days, organisation.quiet_from, organisation.quiet_until
    day = local.date()
    if days and (str(day.isoweekday()) not in days or day in holidays_of(day.year)):
        return _at(local, hour=_first_hour(organisation), days=1)
    if start is None or end is None or start == end:
        return None
    if start < end:
        return _at(local, hour=end) if start <= local.hour < end else None
    if local.hour >= start:
        return _at(local, hour=end, days=1)
    return _at(local, hour=end) if local.hour < end else None


def _first_hour(organisation: Hours) -> int:
    """Return the first hour after days off: the end of the quiet night, or the opening hour."""
    start, end = organisation.quiet_from, organisation.quiet_until
    is_over_night = start is not None and end is not None and start > end
    return end if is_over_night and end is not None else organisation.opens_at


def _at(local: datetime, *, hour: int, days: int = 0) -> datetime:
    return datetime.combine(local.date() + timedelta(days=days), time(hour), AMSTERDAM)


def preferred_contact(recipient: Reachable, language: str, channels: Collection[str]) -> ContactPoint | None:
    """Return the preferred channel of a person that is verified and on; None without one."""
    if recipient.channel == SMS and recipient.phone and recipient.phone_verified_on and SMS in channels:
        return ContactPoint(
            channel=SMS, recipient=recipient.phone, language=language, person=recipient.address
        )
    if recipient.verified_on is None:
        return None
    return ContactPoint(channel=EMAIL, recipient=recipient.address, language=language)


def _of_member(member: StaffMember) -> ContactPoint:
    language = member.language if member.language in STAFF_LANGUAGES else "nl"
    return ContactPoint(channel=EMAIL, recipient=member.email, language=language)


def once_each(contacts: Iterable[ContactPoint]) -> Sequence[ContactPoint]:
    """Return the contact points without repeats, in order."""
    return list(dict.fromkeys(contacts))
