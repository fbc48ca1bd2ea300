"""What the staff side works with; put on the application by the composition root."""

from dataclasses import dataclass, field
from typing import cast

from flask import current_app
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from privacy.keystore import Keystore
from signals.audit import AuditLog
from signals.clock import Clock
from signals.db import reading
from signals.routing import Router
from signals.settings import Settings
from signals.staff import GuessThrottle

EXTENSION = "signals.desk"


@dataclass(frozen=True, kw_only=True)
class DeskContext:
    """Clock, settings, database, keystore and the audit log."""

    settings: Settings
    clock: Clock
    engine: Engine
    sessions: sessionmaker[Session]
    keystore: Keystore = field(repr=False)
    audit: AuditLog = field(repr=False)
    router: Router
    throttle: GuessThrottle

    def reading(self) -> Session:
        """A session that only reads: on SQLite it waits for no writer."""
        return self.sessions(bind=reading(self.engine))


def desk() -> DeskContext:
    """The context of the current application."""
    return cast(DeskContext, current_app.extensions[EXTENSION])
