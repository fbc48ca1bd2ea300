"""Count the signals that an account opens: many in one hour are no follow-up, but somebody who reads on."""

import uuid
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Select, bindparam, func, literal_column, select
from sqlalchemy.orm import Session

from signals.errors import OpeningsStopped
from signals.models import AuditEntry, StoppedAccount
from signals.models.audit import OPENINGS

HOUR: Final = timedelta(hours=1)


def require_pace(
    session: Session, *, staff_id: uuid.UUID, now: datetime, limit: int, opens: Collection[uuid.UUID]
) -> None:
    """Raise `OpeningsStopped` for an account that waits, or that opens more than `limit` signals in an hour.

    `opens`: those that it is about to open. The same signal counts once, because a round and its doors show
    it again and again. Openings before somebody let the account go on do not count. Requests of one account
    at once may pass the limit together, each by its own.
    """
    wanted = {"staff_id": staff_id, "since": now - HOUR, "most": limit + 1, "opens": list(opens)}
    waits, opened = session.execute(_PACE, wanted).one()
    if waits or opened + len(opens) > limit:
        raise OpeningsStopped


def _pace() -> Select[Any]:
    """Tell whether an account waits, and count the other signals that it opened, up to the limit."""
    staff_id = bindparam("staff_id", type_=AuditEntry.actor_id.type)
    since = bindparam("since", type_=AuditEntry.at.type)
    stop = select(StoppedAccount.released_at).where(StoppedAccount.staff_member_id == staff_id)
    waits = stop.where(StoppedAccount.released_at.is_(None)).exists()
    others = select(AuditEntry.subject_id).where(
        AuditEntry.actor_id == staff_id,
        AuditEntry.at > since,
        AuditEntry.at > func.coalesce(stop.scalar_subquery(), since),
        AuditEntry.subject_id.not_in(bindparam("opens", expanding=True)),
        literal_column(OPENINGS),
    )
    opened = select(func.count()).select_from(others.distinct().limit(bindparam("most")).subquery())
    return select(waits, opened.scalar_subquery())


# Built once: building it costs as much as running it, and every opening runs it.
_PACE: Final = _pace()
