"""Read the follow-up of many signals in bulk, without loading them as objects."""

import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import Connection, Table, func, select

from signals.models import ContactAttempt, StatusChange
from signals.statistics.facts import Attempt, Course
from signals.vocabulary import Action

_attempts: Final = cast(Table, ContactAttempt.__table__).c
_changes: Final = cast(Table, StatusChange.__table__).c


def courses_of(connection: Connection, signals: Sequence[Any]) -> Iterator[Course]:
    """Yield the course of each signal, in their order; the rows have the columns of a `Course`."""
    ids = [signal.id for signal in signals]
    claimed, attempts = _first_claims(connection, ids), _attempts_of(connection, ids)
    for signal in signals:
        yield Course(
            received_on=signal.received_on,
            claim_by=signal.claim_by,
            contact_by=signal.contact_by,
            concluded_at=signal.concluded_at,
            claimed_at=claimed.get(signal.id),
            attempts=attempts.get(signal.id, ()),
            outcome=signal.outcome,
            newly_known=signal.newly_known,
            repeat=signal.repeat,
            intake_counted=signal.intake_counted,
            outcome_counted=signal.outcome_counted,
        )


def _first_claims(connection: Connection, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, datetime]:
    query = select(_changes.signal_id, func.min(_changes.changed_at)).where(
        _changes.signal_id.in_(ids),
        _changes.action == Action.CLAIM,
        _changes.changed_at.is_not(None),
    )
    return {row[0]: row[1] for row in connection.execute(query.group_by(_changes.signal_id))}


def _attempts_of(connection: Connection, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[Attempt]]:
    query = select(_attempts.signal_id, _attempts.kind, _attempts.result, _attempts.attempted_at)
    found: dict[uuid.UUID, list[Attempt]] = {}
    for signal_id, *attempt in connection.execute(query.where(_attempts.signal_id.in_(ids))):
        found.setdefault(signal_id, []).append(cast(Attempt, tuple(attempt)))
    return found
