"""Addresses that may still get a message: a dead letter never goes to an address that is no recipient's."""

import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from notifications.events import TO_SYSTEMS, Event
from notifications.models import OutboxMessage
from signals.models import Connection, Organisation, StaffMember
from signals.organisations.addressing import coordinators

_CHECKS: Final = frozenset({Event.RECIPIENT_CHECK, Event.DEPUTY_CHECK})
"""They prove the very address that they go to, and expire with a reason once they are obsolete."""
_ACCOUNTS: Final = frozenset({Event.ACCOUNT_LINK, Event.ACCOUNT_LINK_OPENED, Event.ACCOUNT_CHANGED})
"""Coordinators get these messages and no others."""


def still_reached(session: Session) -> Callable[[OutboxMessage], bool]:
    """Return a check whether a message may go to its address: a recipient's, a deputy's or active staff's."""
    organisations = session.scalars(select(Organisation).options(selectinload(Organisation.recipients)))
    staff = select(StaffMember.email).where(StaffMember.disabled_at.is_(None))
    kept_out = coordinators(session)
    people = _People(
        of_team={one.id: _addresses(one, kept_out) for one in organisations},
        staff=frozenset(session.scalars(staff)),
        kept_out=kept_out,
        systems=frozenset(map(str, session.scalars(select(Connection.id)))),
    )
    return people.may_get


@dataclass(frozen=True, kw_only=True)
class _People:
    """Addresses of each team and of staff; `kept_out`: those of coordinators."""

    of_team: Mapping[uuid.UUID | None, Collection[str]] = field(repr=False)
    staff: Collection[str] = field(repr=False)
    kept_out: Collection[str] = field(repr=False)
    systems: Collection[str]

    def may_get(self, message: OutboxMessage) -> bool:
        """Return whether a message may still go to its address."""
        if message.event in TO_SYSTEMS:
            return message.recipient.partition("/")[0] in self.systems
        if message.event not in _ACCOUNTS and message.recipient.lower() in self.kept_out:
            return False
        if message.event in _CHECKS or message.recipient in self.staff:
            return True
        return message.recipient in self.of_team.get(message.organisation_id, ())


def _addresses(organisation: Organisation, kept_out: Collection[str]) -> frozenset[str]:
    """Return the deputy's address, and the verified addresses and phones of recipients."""
    allowed = [one for one in organisation.recipients if one.address.lower() not in kept_out]
    mails = {one.address for one in allowed if one.verified_on is not None}
    phones = {one.phone for one in allowed if one.phone and one.phone_verified_on is not None}
    return frozenset(mails | phones | {organisation.deputy_email or ""})
