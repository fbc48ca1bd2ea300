"""Order deletions together with the decision (art. 17 or 21 AVG), so that a worker always finishes them."""

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
    """Order the worker to delete these signals; an earlier order stays as it is."""
    on = today(clock)
    rows = [
        {"signal_id": signal_id, "organisation_id": organisation_id, "reason": reason, "ordered_on": on}
        for signal_id in dict.fromkeys(signal_ids)
    ]
    if rows:
        dialect = sqlite if is_sqlite(session) else postgresql
        session.execute(dialect.insert(DeletionOrder).on_conflict_do_nothing(), rows)
