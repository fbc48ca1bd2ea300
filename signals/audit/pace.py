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

    `more`: how many it is about to open. Openings before somebody let it go on do not count. Requests
    of one account at once may pass the limit together, each by one.
    """
    wanted = {"staff_id": staff_id, "since": now - HOUR, "most": limit + 1}
    waits, opened = session.execute(_PACE, wanted).one()
    if waits or opened + more > limit:
        raise OpeningsStopped


def _pace() -> Select[Any]:
    """Tell whether an account waits, and count its openings by their index, no further than the limit."""
    staff_id = bindparam("staff_id", type_=AuditEntry.actor_id.type)
    since = bindparam("since", type_=AuditEntry.at.type)
    stop = select(StoppedAccount.released_at).where(StoppedAccount.staff_member_id == staff_id)
    waits = stop.where(StoppedAccount.released_at.is_(None)).exists()
    some = select(true()).where(
        AuditEntry.actor_id == staff_id,
        AuditEntry.at > since,
        AuditEntry.at > func.coalesce(stop.scalar_subquery(), since),
        literal_column(OPENINGS),
    )
    opened = select(func.count()).select_from(some.limit(bindparam("most")).subquery())
    return select(waits, opened.scalar_subquery())


# Built once: building it costs as much as running it, and every opening runs it.
_PACE: Final = _pace()
