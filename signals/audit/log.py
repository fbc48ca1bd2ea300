"""Record who accessed what (NEN 7513); each entry has its own MAC and is part of the caller's transaction."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table
from sqlalchemy.orm import Session

from privacy.audit_macs import mac_of
from privacy.bulk import Columns, insert_many
from privacy.macs import many_macs
from signals.audit.grounds import Detailed, Ground
from signals.clock import Clock
from signals.errors import Forbidden
from signals.models import AuditEntry
from signals.models.base import new_id
from signals.vocabulary import AuditAction, Role


@dataclass(frozen=True, kw_only=True)
class Actor:
    """A member of staff, or the system (then without id). `name` is for messages and is never stored."""

    id: UUID | None
    role: str
    organisation_id: UUID | None
    name: str = ""


SYSTEM = Actor(id=None, role="system", organisation_id=None)


@dataclass(frozen=True, kw_only=True)
class AuditEvent:
    """One event to record; `organisation_id` and `at` default to the actor's and to now.

    `subject_id` is the id of a signal or a staff member. `outcome` is a code of at most 40 characters.
    Neither it nor `ground` ever holds typed text.
    """

    actor: Actor
    action: AuditAction
    subject_id: UUID | None = None
    ground: Ground | Detailed | None = None
    outcome: str = "ok"
    organisation_id: UUID | None = None
    at: datetime | None = None


_Subjects = Sequence[tuple[UUID, UUID]]


class AuditLog:
    """Write audit entries with the MAC key of the keystore; never commit.

    The caller commits the entry before it shows content: record, commit, then open.
    """

    def __init__(self, key: bytes) -> None:
        self._mac = many_macs(key)

    def record(
        self,
        session: Session,
        clock: Clock,
        *,
        actor: Actor,
        action: AuditAction,
        subject_id: UUID | None = None,
        ground: Ground | Detailed | None = None,
        outcome: str = "ok",
        organisation_id: UUID | None = None,
        at: datetime | None = None,
    ) -> AuditEntry:
        """Add one entry to the session; `AuditEvent` describes the fields.

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
        entry = AuditEntry(**{name: value for name, (value,) in self._columns([event], clock).items()})
        session.add(entry)
        return entry

    def record_many(self, session: Session, clock: Clock, events: Iterable[AuditEvent]) -> list[UUID]:
        """Insert many entries with one statement, now and not at flush; return their ids in order."""
        chosen = list(events)
        if not chosen:
            return []
        columns = self._columns(chosen, clock)
        insert_many(session.connection(), cast(Table, AuditEntry.__table__), columns)
        return columns["id"]

    def record_each(self, session: Session, clock: Clock, event: AuditEvent, of: _Subjects) -> None:
        """Insert one entry for each (organisation, subject) now; the other fields are the same."""
        at = (event.at or clock.now()).astimezone(UTC)
        common = event.actor.id, event.actor.role, event.action, str(event.ground or ""), event.outcome
        actor_id, role, action, ground, outcome = common
        ids = [new_id() for _ in of]
        columns: Columns = {
            "id": ids,
            "organisation_id": [organisation_id for organisation_id, _ in of],
            "subject_id": [subject_id for _, subject_id in of],
            "mac": [
                mac_of(self._mac, entry, at, actor_id, role, organisation, action, subject, ground, outcome)
                for entry, (organisation, subject) in zip(ids, of, strict=True)
            ],
        }
        same = {"at": at, "actor_role": role, "action": action, "ground": ground, "outcome": outcome}
        insert_many(session.connection(), cast(Table, AuditEntry.__table__), columns, same)

    def _columns(self, events: Sequence[AuditEvent], clock: Clock) -> dict[str, list[Any]]:
        now = clock.now().astimezone(UTC)
        facts: dict[str, list[Any]] = {
            "id": [new_id() for _ in events],
            "at": [event.at.astimezone(UTC) if event.at else now for event in events],
            "actor_id": [event.actor.id for event in events],
            "actor_role": [event.actor.role for event in events],
            "organisation_id": [event.organisation_id or event.actor.organisation_id for event in events],
            "action": [event.action for event in events],
            "subject_id": [event.subject_id for event in events],
            "ground": [str(event.ground or "") for event in events],
            "outcome": [event.outcome for event in events],
        }
        macs = [mac_of(self._mac, *values) for values in zip(*facts.values(), strict=True)]
        return facts | {"mac": macs}


def day_only(day: date) -> datetime:
    """Return midnight UTC of a day, for events of which only the date may be kept."""
    return datetime.combine(day, time(), tzinfo=UTC)


def require_role(actor: Actor, *roles: Role) -> None:
    """Raise `Forbidden` unless the actor has one of these roles."""
    if actor.role not in roles:
        raise Forbidden
