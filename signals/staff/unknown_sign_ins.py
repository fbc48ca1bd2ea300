"""Count refused sign-ins of unknown addresses by hour; the trail gets one entry for an hour."""

from datetime import datetime
from typing import Final

from sqlalchemy import delete
from sqlalchemy.dialects import postgresql, sqlite

from signals.audit.grounds import Ground
from signals.audit.log import Actor
from signals.db import is_sqlite
from signals.models import UnknownSignIns
from signals.operation import Operation
from signals.vocabulary import AuditAction

UNKNOWN: Final = Actor(id=None, role="unknown", organisation_id=None)
"""The actor before somebody has signed in."""


def count_unknown(operation: Operation) -> None:
    """Count one refused sign-in of this hour."""
    insert = (sqlite if is_sqlite(operation.session) else postgresql).insert(UnknownSignIns)
    one = insert.values(hour=_hour(operation.now), number=1)
    more = {"number": UnknownSignIns.number + 1}
    operation.session.execute(one.on_conflict_do_update(index_elements=["hour"], set_=more))


def record_unknown(operation: Operation) -> int:
    """Write an audit entry for each hour that is over, with its number; return how many entries."""
    over = delete(UnknownSignIns).where(UnknownSignIns.hour < _hour(operation.now))
    rows = operation.session.execute(over.returning(UnknownSignIns.hour, UnknownSignIns.number)).all()
    for hour, number in rows:
        operation.audit.record(
            operation.session,
            operation.clock,
            actor=UNKNOWN,
            action=AuditAction.SIGN_IN_FAILED,
            ground=Ground.UNKNOWN_ADDRESSES.of(number),
            outcome="refused",
            at=hour,
        )
    return len(rows)


def _hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)
