"""What the staff side works with; put on the application by the composition root."""

from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cached_property
from typing import cast

from flask import current_app, g, has_app_context
from sqlalchemy import Connection, Engine, event
from sqlalchemy.orm import Session, sessionmaker

from privacy.keystore import Keystore
from signals.audit.log import AuditLog
from signals.clock import Clock
from signals.db import at_one_moment, is_sqlite, reading_session, session_factory, set_local
from signals.routing.snapshot import Router
from signals.settings import Settings
from signals.staff import GuessThrottle
from signals.web.staff_kit.browser_state import BrowserState

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
    browser_state: BrowserState

    def reading(self) -> AbstractContextManager[Session]:
        """A session that only reads, all of it as of one moment: on SQLite it waits for no writer."""
        return reading_session(self.sessions, self._reading)

    @cached_property
    def _reading(self) -> Engine:
        return at_one_moment(self.engine)


def fenced_sessions(engine: Engine) -> sessionmaker[Session]:
    """Sessions whose every transaction first names the caller's organisation, for row-level security.

    Before sign-in it names none, and no row of any organisation is seen.
    """
    sessions = session_factory(engine)
    if not is_sqlite(engine):
        event.listen(sessions, "after_begin", _name_caller)
    return sessions


def _name_caller(_session: Session, _transaction: object, connection: Connection) -> None:
    caller = g.get("caller") if has_app_context() else None
    if caller is not None:  # else nothing need be said: what an earlier transaction named ended with it
        organisation_id, staff_id = caller.actor.organisation_id, caller.actor.id
        set_local(connection, organisation=str(organisation_id or ""), staff=str(staff_id or ""))


def desk() -> DeskContext:
    """The context of the current application."""
    return cast(DeskContext, current_app.extensions[EXTENSION])
