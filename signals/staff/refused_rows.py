"""Raise the alarm about rows of sign-in and rights that this service did not write."""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import Engine, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker
from structlog import get_logger

from notifications.events import Event
from notifications.outbox import NewMessage, enqueue
from signals.audit.grounds import Ground
from signals.audit.log import SYSTEM, AuditLog
from signals.clock import Clock, today
from signals.db import session_factory, set_local
from signals.models import AuditEntry, StaffMember
from signals.models.sealed import Keep, RefusedRow, refused_rows, seal_rows
from signals.vocabulary import AuditAction, Role

ALARM_HOURS: Final = 24
"""The figure for Prometheus counts the alarms of so many hours."""

log = get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """Record refused rows in the trail, and mail every administrator: each row once a day and process."""

    sessions: sessionmaker[Session]
    clock: Clock
    audit: AuditLog = field(repr=False)
    site: str
    _raised: set[tuple[RefusedRow, date]] = field(default_factory=set)

    def raise_for(self, refused: Sequence[RefusedRow]) -> None:
        """Raise the alarm in a transaction of its own; a database that is away leaves the log."""
        on = today(self.clock)
        new = [row for row in dict.fromkeys(refused) if (row, on) not in self._raised]
        for row in new:
            log.error("row.refused", table=row.table, row_id=str(row.id))
        try:
            with self.sessions.begin() as session:
                for row in new:
                    self._record(session, row, on)
        except SQLAlchemyError as error:
            log.error("row.alarm_failed", exc_info=error)
            return
        self._raised.update((row, on) for row in new)

    def _record(self, session: Session, row: RefusedRow, on: date) -> None:
        self.audit.record(
            session,
            self.clock,
            actor=SYSTEM,
            action=AuditAction.ROW_REFUSED,
            subject_id=row.id,
            ground=Ground.FORGED.of(row.table),
            outcome="refused",
        )
        subject_id = uuid.uuid5(uuid.NAMESPACE_OID, f"{row.table}/{row.id}/{on}")
        set_local(session, subject=str(subject_id))
        enqueue(session, self._messages(session, subject_id, on))

    def _messages(self, session: Session, subject_id: uuid.UUID, on: date) -> list[NewMessage]:
        """Write to all who stand in the table as administrators: columns, for their rows may be forged."""
        people = select(StaffMember.email, StaffMember.language).where(
            StaffMember.role == Role.ADMINISTRATOR, StaffMember.disabled_at.is_(None)
        )
        now = self.clock.now()
        return [
            NewMessage(
                event=Event.ROW_REFUSED,
                subject_id=subject_id,
                organisation_id=None,
                channel="email",
                recipient=person.email,
                language=person.language,
                values={"link": self.site, "found_on": on.isoformat()},
                not_before=now,
                expires_at=now + timedelta(days=14),
            )
            for person in session.execute(people)
        ]


def guard_rows(
    engine: Engine, secret: Callable[[str], bytes], keep: Keep, *, clock: Clock, audit: AuditLog, site: str
) -> None:
    """Let an engine write and load sealed rows; alarm about refused ones, and keep what is revoked."""
    alarm = Alarm(sessions=session_factory(engine), clock=clock, audit=audit, site=site.rstrip("/"))
    seal_rows(engine, secret, alarm.raise_for, keep)


def watch_rights(sessions: sessionmaker[Session]) -> int:
    """Check every row of sign-in and rights, as every hour; return how many raise the alarm."""
    with sessions() as session:
        return len(refused_rows(session))


def alarms_since(session: Session, moment: datetime) -> int:
    """Return how many alarms were raised since a moment."""
    query = select(func.count()).select_from(AuditEntry)
    since = AuditEntry.action == AuditAction.ROW_REFUSED, AuditEntry.at >= moment
    return session.scalar(query.where(*since)) or 0
