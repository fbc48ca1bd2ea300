"""Hold the objects of the staff side, and open a transaction for the caller in one way."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Concatenate, ParamSpec, TypeVar, cast
from uuid import UUID

from flask import current_app, g, has_app_context
from sqlalchemy import Connection, Engine, event
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.orm.exc import StaleDataError

from privacy.keystore import Keystore
from signals.audit.admission import Admission
from signals.audit.grounds import Ground
from signals.audit.log import Actor, AuditLog
from signals.casework.access import admit, record_refusal
from signals.casework.pace import stop_account
from signals.clock import Clock
from signals.db import at_one_moment, is_sqlite, reading_session, session_factory, set_local
from signals.errors import Conflict, NotFound, OpeningsStopped, SignInFailed
from signals.operation import Operation, open_operation
from signals.routing.snapshot import Router
from signals.settings import Settings
from signals.staff.guesses import UNKNOWN, GuessThrottle
from signals.staff.openid import Directory
from signals.vocabulary import AuditAction
from signals.web.staff_kit.browser_state import BrowserState

EXTENSION = "signals.desk"

_P = ParamSpec("_P")
_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True)
class DeskContext:
    """Hold the objects that one application shares between its requests."""

    settings: Settings
    clock: Clock
    engine: Engine
    sessions: sessionmaker[Session]
    keystore: Keystore = field(repr=False)
    audit: AuditLog = field(repr=False)
    router: Router
    throttle: GuessThrottle
    browser_state: BrowserState
    directory: Directory

    def reading(self) -> AbstractContextManager[Session]:
        """Open a session that only reads, as of one moment. On SQLite it waits for no writer."""
        return reading_session(self.sessions, self._reading)

    @cached_property
    def _reading(self) -> Engine:
        return at_one_moment(self.engine)


def desk() -> DeskContext:
    """Return the context of the current application."""
    return cast(DeskContext, current_app.extensions[EXTENSION])


@contextmanager
def operation(signal_id: UUID | None = None, *, uses: Ground | None = None) -> Iterator[Operation]:
    """Open one transaction for the signed-in caller and commit it at the end.

    Pass `signal_id` when the operation is about one signal. If the caller's organisation does not have it,
    an audit entry is committed in a transaction of its own before `NotFound` goes on. The work is the same
    whether another organisation has the signal or nobody, so neither answer nor time tells.
    `uses`: the operation needs the content, for this ground; an entry of that is committed before it begins.
    Raises `Conflict` when another request changed the row meanwhile. An account that opens too many signals
    is stopped in a transaction of its own, before `OpeningsStopped` goes on.
    """
    admission = _admitted(signal_id, uses) if signal_id and uses else None
    try:
        with desk().sessions.begin() as session:
            yield replace(_of_caller(session), admission=admission)
    except NotFound:
        if signal_id is not None:
            with desk().sessions.begin() as session:
                record_refusal(_of_caller(session), signal_id)
        raise
    except OpeningsStopped:
        with desk().sessions.begin() as session:
            stop_account(_of_caller(session))
        raise
    except StaleDataError:
        raise Conflict from None


def _admitted(signal_id: UUID, ground: Ground) -> Admission | None:
    """Commit an entry of the use of a signal's content; return None without such a signal."""
    try:
        with operation() as begun:
            admission = admit(begun, [signal_id], AuditAction.CONTENT_USED, ground=ground)
    except NotFound:
        return None
    return admission.fetch()


@contextmanager
def reading_operation() -> Iterator[Operation]:
    """Open an operation that only reads, as of one moment; of nobody when nobody is signed in."""
    caller = g.get("caller")
    with desk().reading() as session:
        yield _operation(session, caller.actor if caller is not None else UNKNOWN)


def read(question: Callable[Concatenate[Session, _P], _T], *args: _P.args, **named: _P.kwargs) -> _T:
    """Answer a question to the database, as of one moment."""
    with desk().reading() as session:
        return question(session, *args, **named)


def look(question: Callable[Concatenate[Operation, _P], _T], *args: _P.args, **named: _P.kwargs) -> _T:
    """Answer a question in a `reading_operation`."""
    with reading_operation() as reading:
        return question(reading, *args, **named)


def act(change: Callable[Concatenate[Operation, _P], _T], *args: _P.args, **named: _P.kwargs) -> _T:
    """Make one change for the caller, in an `operation` of its own."""
    with operation() as begun:
        return change(begun, *args, **named)


@contextmanager
def unknown_operation() -> Iterator[Operation]:
    """Open one transaction for somebody who is not signed in, and commit it at the end.

    A `SignInFailed` commits too, so that its audit entry stays, and then goes on.
    """
    failed = None
    with desk().sessions.begin() as session:
        try:
            yield _operation(session, UNKNOWN)
        except SignInFailed as failure:
            failed = failure
    if failed is not None:
        raise failed


def _of_caller(session: Session) -> Operation:
    return _operation(session, g.caller.actor)


def _operation(session: Session, actor: Actor) -> Operation:
    limit = desk().settings.limits.openings_per_hour
    return replace(open_operation(desk(), session, actor), openings_per_hour=limit)


def fenced_sessions(engine: Engine) -> sessionmaker[Session]:
    """Return sessions that name the caller's organisation first, for row-level security.

    Before sign-in a session names no organisation, and it sees no organisation's rows.
    """
    sessions = session_factory(engine)
    if not is_sqlite(engine):
        event.listen(sessions, "after_begin", _name_caller)
    return sessions


def _name_caller(_session: Session, _transaction: object, connection: Connection) -> None:
    caller = g.get("caller") if has_app_context() else None
    if caller is not None:  # an earlier name ended with its own transaction
        organisation_id, staff_id = caller.actor.organisation_id, caller.actor.id
        set_local(connection, organisation=str(organisation_id or ""), staff=str(staff_id or ""))
