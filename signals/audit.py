"""Who accessed what (NEN 7513): each entry carries its own MAC and is written in the caller's transaction."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table
from sqlalchemy.orm import Session

from privacy.audit_chain import AuditFacts, entry_mac
from privacy.bulk import insert_many
from signals.clock import Clock
from signals.errors import Forbidden
from signals.models import AuditEntry
from signals.models.base import new_id
from signals.vocabulary import AuditAction, Role


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Who acts: a staff member, or the system (then without id). `name` is for messages, never stored."""

    id: UUID | None
    role: str
    organisation_id: UUID | None
    name: str = ""


SYSTEM = Actor(id=None, role="system", organisation_id=None)


@dataclass(frozen=True, kw_only=True)
class AuditEvent:
    """One thing to record; `organisation_id` and `at` default to the actor's and to now.

    `subject_id` is the id of a signal or a staff member. `ground` and `outcome` are codes (at most 80 and
    40 characters), never anything that somebody typed.
    """

    actor: Actor
    action: AuditAction
    subject_id: UUID | None = None
    ground: str = ""
    outcome: str = "ok"
    organisation_id: UUID | None = None
    at: datetime | None = None


class AuditLog:
    """Writes audit entries; holds the MAC key, which comes from the keystore. Never commits.

    "The audit entry is committed before content is shown" is kept by the caller: record, commit, then open.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def record(
        self,
        session: Session,
        clock: Clock,
        *,
        actor: Actor,
        action: AuditAction,
        subject_id: UUID | None = None,
        ground: str = "",
        outcome: str = "ok",
        organisation_id: UUID | None = None,
        at: datetime | None = None,
    ) -> AuditEntry:
        """Add one entry to the session. See `AuditEvent` for the fields.

        An arrival passes `at=day_only(received_on)`: nothing finer than a date is kept until staff act.
        """
        event = AuditEvent(
            actor=actor,
            action=action,
            subject_id=subject_id,
            ground=ground,
            outcome=outcome,
            organisation_id=organisation_id,
            at=at,
        )
        entry = AuditEntry(**self._row(event, clock.now()))
        session.add(entry)
        return entry

    def record_many(self, session: Session, clock: Clock, events: Iterable[AuditEvent]) -> int:
        """Insert many entries with one statement, now (not at flush); returns how many."""
        now = clock.now()
        rows = [self._row(event, now) for event in events]
        if rows:
            columns = {name: [row[name] for row in rows] for name in rows[0]}
            insert_many(session.connection(), cast(Table, AuditEntry.__table__), columns)
        return len(rows)

    def _row(self, event: AuditEvent, now: datetime) -> dict[str, Any]:
        facts = AuditFacts(
            entry_id=new_id(),
            at=(event.at or now).astimezone(UTC),
            actor_id=event.actor.id,
            actor_role=event.actor.role,
            organisation_id=event.organisation_id or event.actor.organisation_id,
            action=event.action.value,
            subject_id=event.subject_id,
            ground=event.ground,
            outcome=event.outcome,
        )
        return {
            "id": facts.entry_id,
            "at": facts.at,
            "actor_id": facts.actor_id,
            "actor_role": facts.actor_role,
            "organisation_id": facts.organisation_id,
            "action": event.action,
            "subject_id": facts.subject_id,
            "ground": facts.ground,
            "outcome": facts.outcome,
            "mac": entry_mac(self._key, facts),
        }


def day_only(day: date) -> datetime:
    """Midnight UTC of a day: the moment to record where nothing finer than a date may be kept."""
    return datetime.combine(day, time(), tzinfo=UTC)


def require_role(actor: Actor, *roles: Role) -> None:
    """Raise `Forbidden` unless the actor has one of these roles."""
    if actor.role not in roles:
        raise Forbidden
