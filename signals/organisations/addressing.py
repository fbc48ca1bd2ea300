"""Whom a message reaches and from when: verified recipients, leads, deputies, quiet hours, working days."""

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
from signals.vocabulary import STAFF_LANGUAGES, OrganisationKind, Role

EMAIL = "email"
SMS = "sms"
EMAIL_ONLY = frozenset({EMAIL})
_DAYS_LOOKED_AHEAD = 21  # any week has a working day; holidays never fill three


class Hours(Protocol):
    """When a team may be written to: columns of an organisation."""

    @property
    def opens_at(self) -> int: ...
    @property
    def quiet_from(self) -> int | None: ...
    @property
    def quiet_until(self) -> int | None: ...
    @property
    def working_days(self) -> str | None: ...


class Reachable(Protocol):
    """How a person may be told: columns of a recipient."""

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
    """One way to one person, whom their e-mail address names whatever the channel.

    `deputy`: it is a deputy who is told, who need not be able to sign in.
    """

    channel: str
    recipient: str = field(repr=False)
    language: str = "nl"
    person: str = field(default="", repr=False, compare=False)
    deputy: bool = field(default=False, compare=False)


def team_of(organisation: Organisation, *, channels: Collection[str] = EMAIL_ONLY) -> list[ContactPoint]:
    """The verified recipients, each by the channel that they prefer, in the order of their position.

    A text message goes to a verified phone only, and where text messages are on at all; else an e-mail goes.
    """
    found = (way_to(recipient, organisation.language, channels) for recipient in organisation.recipients)
    return [reach for reach in found if reach is not None]


def leads_of(
    session: Session, organisation_ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, list[ContactPoint]]:
    """The team leads of these organisations."""
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
    """The way to each of these members of staff."""
    query = select(StaffMember).where(StaffMember.id.in_(ids))
    return {member.id: [_of_member(member)] for member in session.scalars(query)} if ids else {}


def deputy_of(organisation: Organisation) -> list[ContactPoint]:
    """The deputy that an organisation named, once they confirmed the address; if any."""
    if not organisation.deputy_email or organisation.deputy_verified_on is None:
        return []
    reach = ContactPoint(
        channel=EMAIL, recipient=organisation.deputy_email, language=organisation.language, deputy=True
    )
    return [reach]


def path_for(
    reach: ContactPoint,
    organisation_id: uuid.UUID,
    path: str,
    *,
    see_signals: Collection[tuple[uuid.UUID | None, str]],
) -> str:
    """`path`, or for a deputy without an account what they can do: behind sign-in they would get nowhere."""
    if reach.deputy and (organisation_id, reach.recipient.lower()) not in see_signals:
        return f"{DEPUTY_PAGE}{organisation_id}"
    return path


def who_see_signals(session: Session) -> frozenset[tuple[uuid.UUID | None, str]]:
    """(organisation, address in lower case) of everybody who can open a signal of theirs."""
    query = select(StaffMember.organisation_id, StaffMember.email).where(
        StaffMember.role.in_((Role.WORKER, Role.LEAD)), StaffMember.disabled_at.is_(None)
    )
    return frozenset((row.organisation_id, row.email.lower()) for row in session.execute(query))


def service_managers(session: Session) -> list[ContactPoint]:
    """The leads of the national desk."""
    desks = select(Organisation.id).where(Organisation.kind == OrganisationKind.NATIONAL)
    found = leads_of(session, list(session.scalars(desks)))
    return [reach for reaches in found.values() for reach in reaches]


def administrators(session: Session) -> list[ContactPoint]:
    """Everybody who administers."""
    query = select(StaffMember).where(
        StaffMember.role == Role.ADMINISTRATOR, StaffMember.disabled_at.is_(None)
    )
    return [_of_member(member) for member in session.scalars(query.order_by(StaffMember.email))]


def coordinators(session: Session) -> frozenset[str]:
    """Addresses that never hear of a single signal, whatever list they were put on."""
    query = select(StaffMember.email).where(StaffMember.role == Role.COORDINATOR)
    return frozenset(address.lower() for address in session.scalars(query))


def without(reaches: Iterable[ContactPoint], addresses: Collection[str]) -> list[ContactPoint]:
    """Those of people whose address (lower case) is not among these: a phone is somebody's, too."""
    return [reach for reach in reaches if (reach.person or reach.recipient).lower() not in addresses]


def not_disturbing(organisation: Hours, moment: datetime) -> datetime:
    """The moment itself, or the first one after it at which this team may be written to.

    `quiet_from` and `quiet_until` may go over midnight. Where `working_days` are set, national holidays are
    no working days either, and what waited for one comes when the team opens, not at midnight.
    """
    local = moment.astimezone(AMSTERDAM)
    for _ in range(2 * _DAYS_LOOKED_AHEAD):
        later = _end_of_quiet(organisation, local)
        if later is None:
            return max(moment, local.astimezone(moment.tzinfo))
        local = later
    return moment


def _end_of_quiet(organisation: Hours, local: datetime) -> datetime | None:
    """When the quiet that holds at a local moment may be over; None when none holds."""
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
    """Of a day after days off: when the quiet of the night ends, or the hour at which the team opens."""
    start, end = organisation.quiet_from, organisation.quiet_until
    is_over_night = start is not None and end is not None and start > end
    return end if is_over_night and end is not None else organisation.opens_at


def _at(local: datetime, *, hour: int, days: int = 0) -> datetime:
    return datetime.combine(local.date() + timedelta(days=days), time(hour), AMSTERDAM)


def way_to(recipient: Reachable, language: str, channels: Collection[str]) -> ContactPoint | None:
    """The way that this person prefers, as far as it is verified and on; None where there is none."""
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


def once_each(reaches: Iterable[ContactPoint]) -> Sequence[ContactPoint]:
    """Without repeats, in their order."""
    return list(dict.fromkeys(reaches))
