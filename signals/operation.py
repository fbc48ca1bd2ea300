"""The things that a change needs, passed as one value."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from sqlalchemy.orm import Session

from privacy.keystore import Keystore
from signals.audit.admission import Admission
from signals.audit.grounds import Detailed, Ground
from signals.audit.log import SYSTEM, Actor, AuditLog
from signals.clock import Clock, today
from signals.models import AuditEntry
from signals.settings import Settings
from signals.vocabulary import AuditAction


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One transaction of one actor. The edge opens and commits it; domain functions never commit.

    `admission`: the keys of cases that a person's earlier entry admits to. A job has none and needs none.
    `site`: the public address, without a slash at the end, for links in messages.
    `openings_per_hour`: how many signals a person may open in an hour; 0 for no limit.
    """

    session: Session
    clock: Clock
    actor: Actor
    audit: AuditLog = field(repr=False)
    keystore: Keystore = field(repr=False)
    admission: Admission | None = field(default=None, repr=False)
    site: str = ""
    openings_per_hour: int = 0

    @property
    def cases(self) -> Admission | Keystore:
        """Return where the keys of cases come from."""
        return self.admission or self.keystore

    @property
    def now(self) -> datetime:
        """Return the moment of this operation, in UTC."""
        return self.clock.now()

    @property
    def today(self) -> date:
        """Return the day in Amsterdam."""
        return today(self.clock)

    def acting_as(self, actor: Actor) -> "Operation":
        """Return the same transaction for another actor, such as the person who signs in."""
        return replace(self, actor=actor)

    def record(
        self,
        action: AuditAction,
        *,
        subject_id: UUID | None = None,
        ground: Ground | Detailed | None = None,
        outcome: str = "ok",
        organisation_id: UUID | None = None,
    ) -> AuditEntry:
        """Add an audit entry of the actor to the transaction; `AuditEvent` describes the fields."""
        return self.audit.record(
            self.session,
            self.clock,
            actor=self.actor,
            action=action,
            subject_id=subject_id,
            ground=ground,
            outcome=outcome,
            organisation_id=organisation_id,
        )


class Parts(Protocol):
    """What a process holds to open operations."""

    @property
    def settings(self) -> Settings: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def audit(self) -> AuditLog: ...
    @property
    def keystore(self) -> Keystore: ...


def open_operation(parts: Parts, session: Session, actor: Actor = SYSTEM) -> Operation:
    """Return an operation in a session, of the system or of another actor."""
    return Operation(
        session=session,
        clock=parts.clock,
        actor=actor,
        audit=parts.audit,
        keystore=parts.keystore,
        site=parts.settings.server.public_url.rstrip("/"),
    )
