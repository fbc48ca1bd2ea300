"""Tell the connected systems of an organisation of a signal, by a message in the same transaction."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from notifications.events import DATES, Event
from notifications.outbox import NewMessage, enqueue, withdraw
from signals.clock import AMSTERDAM
from signals.models import Connection, Signal
from signals.models.connection import SystemKind
from signals.operation import Operation
from signals.vocabulary import MAY_LEAVE, SignalState

HANDOVER_WAITS: Final = timedelta(minutes=15)
"""A conclusion can be undone or corrected for so long before anything leaves."""
EVENT_EXPIRES: Final = timedelta(days=14)


def connections_of(session: Session, organisation_ids: Iterable[UUID]) -> dict[UUID, list[Connection]]:
    """Return the connections of these organisations, by organisation."""
    query = select(Connection).where(Connection.organisation_id.in_(organisation_ids))
    found: dict[UUID, list[Connection]] = {}
    for one in session.scalars(query.order_by(Connection.kind)):
        found.setdefault(one.organisation_id, []).append(one)
    return found


def tell_systems(operation: Operation, signal: Signal) -> None:
    """Write an event of a changed state, and the hand-over of a signal that goes on in the case system.

    A signal that does not stay concluded loses a hand-over that waits, so that a later one goes out.
    """
    session = operation.session
    for connection in connections_of(session, [signal.organisation_id]).get(signal.organisation_id, ()):
        if connection.kind is SystemKind.WEBHOOK:
            enqueue(session, [_event(operation, connection, signal)])
        elif signal.state is not SignalState.CONCLUDED:
            withdraw(session, subject_id=signal.id, events=[Event.CASE_HANDOVER])
        elif signal.outcome in MAY_LEAVE:
            enqueue(session, [_handover(operation, connection, signal)])


def event_of(
    connection: Connection, signal_id: UUID, version: int, state: SignalState, site: str, at: datetime
) -> NewMessage:
    """Return the message of a state; `at`: when it may go, and it tells the day of that."""
    return NewMessage(
        event=Event.STATE_CHANGED,
        subject_id=signal_id,
        organisation_id=connection.organisation_id,
        channel=SystemKind.WEBHOOK,
        recipient=f"{connection.id}/{version}",  # a signal may be in one state twice
        language="nl",
        values={
            "link": site,
            DATES[Event.STATE_CHANGED]: at.astimezone(AMSTERDAM).date().isoformat(),
            "state": state,
        },
        not_before=at,
        expires_at=at + EVENT_EXPIRES,
    )


def _event(operation: Operation, connection: Connection, signal: Signal) -> NewMessage:
    state, at = signal.state, operation.now
    return event_of(connection, signal.id, signal.version, state, operation.site, at)


def _handover(operation: Operation, connection: Connection, signal: Signal) -> NewMessage:
    return NewMessage(
        event=Event.CASE_HANDOVER,
        subject_id=signal.id,
        organisation_id=signal.organisation_id,
        channel=SystemKind.ZGW,
        recipient=str(connection.id),
        language="nl",
        values={"link": operation.site, DATES[Event.CASE_HANDOVER]: operation.today.isoformat()},
        not_before=operation.now + HANDOVER_WAITS,
        expires_at=None,
    )
