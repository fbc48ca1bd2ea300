"""People who are invited and recovered by mailed links."""

import uuid
from typing import Any
from urllib.parse import urlsplit

import pyotp
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from notifications.models import OutboxMessage
from signals.audit.log import SYSTEM, Actor, AuditLog
from signals.clock import FixedClock
from signals.models import AuditEntry, StaffMember
from signals.operation import Operation
from signals.staff import invitations, recovery
from signals.staff.change_messages import AccountSettings
from signals.staff.guesses import UNKNOWN
from signals.staff.invitations import Person
from signals.staff.sign_in import SignedIn, sign_in_with_password
from signals.vocabulary import AuditAction, Role
from tests.support.desk_fixtures import CHEAP, PlainKeys, Team
from tests.support.operations import operation

PASSWORD = "zeven groene fietsen"


NEW_EMAIL = "nieuw@example.org"


def take_up(operation: Operation, token: str, offer: recovery.Offer | None = None, **how: Any) -> SignedIn:
    """Activate the account of a link, as its owner with an authenticator does."""
    offer = offer or recovery.look(operation, token=token)
    values = {"password": PASSWORD, "totp": pyotp.TOTP(offer.secret).at(operation.now)} | how
    return recovery.activate(
        operation, token=token, offer=offer.sealed, absolute_hours=12, hasher=CHEAP, **values
    )


class Office:
    """A team and the settings for its accounts."""

    def __init__(
        self, session: Session, clock: FixedClock, audit: AuditLog, keys: PlainKeys, team: Team
    ) -> None:
        self.session, self.clock, self.audit, self.keys, self.team = session, clock, audit, keys, team
        self.settings = AccountSettings(site="https://desk.example", hasher=CHEAP)
        self.seen: list[uuid.UUID] = []

    def operation(self, actor: Actor = SYSTEM) -> Operation:
        return operation(self.session, self.clock, actor, audit=self.audit, keystore=self.keys)

    def invite(self, actor: Actor | None = None, **how: Any) -> StaffMember:
        values: dict[str, Any] = {
            "organisation_id": self.team.organisation.id,
            "role": Role.WORKER,
            "name": "Nina Nieuw",
            "email": NEW_EMAIL,
        } | how
        return invitations.invite(
            self.operation(actor or self.team.lead), settings=self.settings, person=Person(**values)
        )

    def recover(self, member: StaffMember, actor: Actor | None = None, **how: Any) -> None:
        recovery.recover(
            self.operation(actor or self.team.lead), member=member, settings=self.settings, **how
        )

    def worker(self) -> StaffMember:
        assert self.team.worker.id is not None
        return self.session.get_one(StaffMember, self.team.worker.id)

    def token(self) -> str:
        """Return the secret of the newest link, as the mail carries it."""
        message = self._newest_message()
        told = recovery.fill_in_secret(self.keys, message.event, message.subject_id, message.values)
        return urlsplit(told["link"]).fragment

    def _newest_message(self) -> OutboxMessage:
        """Return the message that is new since the last call; the rows keep no order."""
        links = select(OutboxMessage).where(OutboxMessage.event == "account_link")
        fresh = [m for m in self.session.scalars(links) if m.id not in self.seen]
        self.seen += [message.id for message in fresh]
        return self.session.get_one(OutboxMessage, self.seen[-1])

    def look(self, token: str) -> recovery.Offer:
        return recovery.look(self.operation(UNKNOWN), token=token)

    def take_up(self, token: str, offer: recovery.Offer | None = None, **how: Any) -> SignedIn:
        return take_up(self.operation(), token, offer or self.look(token), **how)

    def sign_in(self, email: str, totp: str) -> SignedIn:
        return sign_in_with_password(
            self.operation(),
            email=email,
            password=PASSWORD,
            totp=totp,
            kind="page",
            absolute_hours=12,
            hasher=CHEAP,
        )

    def grounds(self, action: AuditAction) -> list[str]:
        return list(self.session.scalars(select(AuditEntry.ground).where(AuditEntry.action == action)))


@pytest.fixture
def office(session: Session, clock: FixedClock, audit: AuditLog, keys: PlainKeys, team: Team) -> Office:
    return Office(session, clock, audit, keys, team)
