"""Orders to delete, written with the decision (art. 17 or 21 AVG): whatever happens, a worker finishes it."""

import uuid
from collections.abc import Sequence

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from signals.clock import Clock, today
from signals.db import is_sqlite
from signals.models import DeletionOrder
from signals.vocabulary import DeletionReason


def order_deletion(
    session: Session,
    clock: Clock,
    *,
    organisation_id: uuid.UUID,
    signal_ids: Sequence[uuid.UUID],
    reason: DeletionReason,
) -> None:
    """Leave the worker the order to delete these signals; one that was given before stays as it is."""
    on = today(clock)
    rows = [
        {"signal_id": signal_id, "organisation_id": organisation_id, "reason": reason, "ordered_on": on}
        for signal_id in dict.fromkeys(signal_ids)
    ]
    if rows:
        dialect = sqlite if is_sqlite(session) else postgresql
        session.execute(dialect.insert(DeletionOrder).on_conflict_do_nothing(), rows)
