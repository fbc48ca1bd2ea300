"""Look up the organisations of a batch: their mailbox keys, deadlines and recipients."""

import uuid
from collections.abc import Collection, Sequence, Set
from datetime import date
from typing import Final, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from privacy.keystore import Keystore
from privacy.sealing import MailboxPrivateKey
from signals.arrival.envelopes import Waiting
from signals.arrival.repeats import Prober
from signals.lifecycle.deadlines import Deadlines, deadlines_for
from signals.models import Organisation, Recipient
from signals.organisations.addressing import ContactPoint, coordinators, preferred_contact


class Team(NamedTuple):
    """The columns of an organisation that arrival reads."""

    id: uuid.UUID
    language: str
    claim_working_days: int
    contact_working_days: int
    conclude_calendar_days: int
    opens_at: int
    quiet_from: int | None
    quiet_until: int | None
    working_days: str | None


class _Listed(NamedTuple):
    """The columns of a recipient that arrival reads."""

    organisation_id: uuid.UUID
    address: str
    verified_on: date | None
    channel: str | None
    phone: str | None
    phone_verified_on: date | None


_TEAMS: Final = select(*(Organisation.__table__.c[name] for name in Team._fields))
_RECIPIENTS: Final = select(*(Recipient.__table__.c[name] for name in _Listed._fields)).order_by(
    Recipient.organisation_id, Recipient.position
)


class Receivers:
    """Facts of the organisations that receive some batches, looked up once.

    Arrival makes a new one every few batches: a destroyed mailbox key must not live on here.
    """

    def __init__(self, keystore: Keystore, channels: Collection[str]) -> None:
        self._keystore = keystore
        self._channels = channels
        self.prober = Prober(keystore)
        self.mailboxes: dict[uuid.UUID, MailboxPrivateKey] = {}
        self.teams: dict[uuid.UUID, Team] = {}
        self.recipients: dict[uuid.UUID, list[ContactPoint]] = {}
        self._deadlines: dict[tuple[uuid.UUID, date], Deadlines] = {}

    def fetch(self, session: Session, waiting: Sequence[Waiting], *, also: Set[uuid.UUID | None]) -> None:
        """Look up what these reports and other teams need and is not here yet; a destroyed key stays away."""
        key_ids = {row.mailbox_key_id for row in waiting} - self.mailboxes.keys()
        found = self._keystore.mailbox_private_keys(key_ids)
        self.mailboxes |= {key_id: MailboxPrivateKey.from_bytes(raw) for key_id, raw in found.items()}
        wanted = {row.organisation_id for row in waiting} | {each for each in also if each}
        new = wanted - self.recipients.keys()
        if new:
            self._fetch_teams(session, new)

    def deadlines(self, organisation_id: uuid.UUID, received_on: date) -> Deadlines:
        """Return the deadlines of an organisation for a day of receipt, computed once."""
        known = self._deadlines.get((organisation_id, received_on))
        if known is None:
            team = self.teams[organisation_id]
            known = self._deadlines[organisation_id, received_on] = deadlines_for(
                received_on,
                claim_days=team.claim_working_days,
                contact_days=team.contact_working_days,
                conclude_calendar_days=team.conclude_calendar_days,
            )
        return known

    def _fetch_teams(self, session: Session, ids: set[uuid.UUID]) -> None:
        for found in session.execute(_TEAMS.where(Organisation.id.in_(ids))):
            self.teams[found.id] = Team._make(found)
        self.recipients |= {organisation_id: [] for organisation_id in ids}
        kept_out = coordinators(session)
        for row in session.execute(_RECIPIENTS.where(Recipient.organisation_id.in_(ids))):
            listed = _Listed._make(row)
            contact = preferred_contact(listed, self.teams[listed.organisation_id].language, self._channels)
            if contact is not None and listed.address.lower() not in kept_out:  # on any channel
                self.recipients[listed.organisation_id].append(contact)
