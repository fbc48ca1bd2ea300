"""Where those who were to be told are reached by now: for messages that were given up and are sent again.

A recipient stays the same one when the address is corrected, so what the old address missed may go to the new
one, once that was confirmed. What was sent to an address that is nobody's any more goes nowhere.
"""

import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, selectinload

from notifications.dead_letters import Standing, Whereabouts
from notifications.events import Event
from notifications.models import MessageState, OutboxMessage
from signals.models import Organisation, Recipient, StaffMember
from signals.organisations.addressing import EMAIL_ONLY, coordinators, way_to, without

_CHECKS: Final = frozenset({Event.RECIPIENT_CHECK, Event.DEPUTY_CHECK})
"""They prove the very address that they go to, and are dropped with a reason when that has lost its sense."""
_ACCOUNTS: Final = frozenset({Event.ACCOUNT_LINK, Event.ACCOUNT_CHANGED})
"""All that coordinators are ever told."""
_UNDELIVERED: Final = (MessageState.QUEUED, MessageState.SENDING, MessageState.FAILED)


@dataclass(frozen=True, kw_only=True)
class _People:
    """Who may be told: recipients by organisation, addresses of staff, and of coordinators, who never are."""

    organisations: Mapping[uuid.UUID, Organisation]
    staff: Collection[str] = field(repr=False)
    kept_out: Collection[str] = field(repr=False)
    channels: Collection[str]

    def whereabouts(self, message: OutboxMessage) -> Whereabouts:
        """Where the recipient of a message is by now."""
        if message.event not in _ACCOUNTS and message.recipient.lower() in self.kept_out:
            return Whereabouts(standing=Standing.GONE)
        organisation = self.organisations.get(message.organisation_id) if message.organisation_id else None
        deputy = organisation.deputy_email if organisation else None
        if message.event in _CHECKS or message.recipient in self.staff or message.recipient == deputy:
            return Whereabouts(standing=Standing.SAME)
        recipient = _recipient_at(organisation, message.recipient) if organisation else None
        return self._now(message, recipient) if recipient else Whereabouts(standing=Standing.GONE)

    def _now(self, message: OutboxMessage, recipient: Recipient) -> Whereabouts:
        way = way_to(recipient, message.language, self.channels)
        if way is None:
            return Whereabouts(standing=Standing.UNPROVED)
        if not without([way], self.kept_out):
            return Whereabouts(standing=Standing.GONE)
        if (way.channel, way.recipient) == (message.channel, message.recipient):
            return Whereabouts(standing=Standing.SAME)
        return Whereabouts(standing=Standing.MOVED, channel=way.channel, recipient=way.recipient)


def whither(
    session: Session, *, channels: Collection[str] = EMAIL_ONLY
) -> Callable[[OutboxMessage], Whereabouts]:
    """What tells of a message where its recipient is by now; people are looked up once."""
    organisations = session.scalars(select(Organisation).options(selectinload(Organisation.recipients)))
    staff = select(StaffMember.email).where(StaffMember.disabled_at.is_(None))
    people = _People(
        organisations={one.id: one for one in organisations},
        staff=frozenset(session.scalars(staff)),
        kept_out=coordinators(session),
        channels=channels,
    )
    return people.whereabouts


def forget_former(session: Session) -> int:
    """Delete former addresses to which no undelivered message is kept; gives of how many recipients."""
    former = or_(Recipient.former_address.is_not(None), Recipient.former_phone.is_not(None))
    forgotten = 0
    for recipient in session.scalars(select(Recipient).where(former).with_for_update(skip_locked=True)):
        for name in ("former_address", "former_phone"):
            address = getattr(recipient, name)
            if address is not None and not _is_awaited(session, recipient.organisation_id, address):
                setattr(recipient, name, None)
                forgotten += 1
    return forgotten


def _recipient_at(organisation: Organisation, address: str) -> Recipient | None:
    """Whose it is, or else whose it was."""
    for names in (("address", "phone"), ("former_address", "former_phone")):
        for recipient in organisation.recipients:
            if address in [getattr(recipient, name) for name in names]:
                return recipient
    return None


def _is_awaited(session: Session, organisation_id: uuid.UUID, address: str) -> bool:
    to_it = OutboxMessage.organisation_id == organisation_id, OutboxMessage.recipient == address
    found = select(OutboxMessage.id).where(*to_it, OutboxMessage.state.in_(_UNDELIVERED))
    return session.scalar(found.limit(1)) is not None
