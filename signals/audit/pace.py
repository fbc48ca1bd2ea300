"""Count the openings of an account: many in one hour are no follow-up, but somebody who reads on."""

import uuid
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Select, bindparam, func, literal_column, select, true
from sqlalchemy.orm import Session

from signals.errors import OpeningsStopped
from signals.models import AuditEntry, StoppedAccount
from signals.models.audit import OPENINGS

HOUR: Final = timedelta(hours=1)


def require_pace(session: Session, *, staff_id: uuid.UUID, now: datetime, limit: int, more: int) -> None:
    """Raise `OpeningsStopped` for an account that waits, or that opens more than `limit` in an hour.

    `more`: how many it is about to open. What it opened before somebody let it go on does not count. Requests
    of one account at once may pass the limit together, each by one.
    """
    wanted = {"staff_id": staff_id, "since": now - HOUR, "most": limit + 1}
    stop = session.execute(_STOP, wanted).one_or_none()
    if stop is not None and stop.released_at is None:
        raise OpeningsStopped
    if stop is not None:
        wanted["since"] = max(wanted["since"], stop.released_at)
    if (session.scalar(_OPENED, wanted) or 0) + more > limit:
        raise OpeningsStopped


def _opened() -> Select[Any]:
    """Count by the index of openings, and no further than the limit."""
    some = select(true()).where(
        AuditEntry.actor_id == bindparam("staff_id", type_=AuditEntry.actor_id.type),
        AuditEntry.at > bindparam("since", type_=AuditEntry.at.type),
        literal_column(OPENINGS),
    )
    return select(func.count()).select_from(some.limit(bindparam("most")).subquery())


# Built once: building them costs as much as running them, and every opening runs them.
_STOP: Final = select(StoppedAccount.released_at).where(
    StoppedAccount.staff_member_id == bindparam("staff_id", type_=StoppedAccount.staff_member_id.type)
)
_OPENED: Final = _opened()
