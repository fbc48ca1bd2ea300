"""The ends of everything beside the signals: links, receipts and deletion records."""

from datetime import timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, Delete, delete, or_
from sqlalchemy.orm import Session

from signals.clock import Clock, today
from signals.models import AddressLink, DeletionRecord, Receipt
from signals.repeats import oldest_kept

RECORDS_KEPT_DAYS = 730
RECEIPTS_KEPT_DAYS = 365
LINKS_KEPT_DAYS = 365


def forget_links(session: Session, clock: Clock) -> int:
    """Delete links older than twelve months; returns how many. Their keys go in the same run."""
    on = today(clock)
    too_old = AddressLink.received_on < on - timedelta(days=LINKS_KEPT_DAYS)
    return _count(session, delete(AddressLink).where(or_(AddressLink.quarter < oldest_kept(on), too_old)))


def forget_remains(session: Session, clock: Clock) -> int:
    """Delete what is past its own end besides the links; returns how many rows."""
    on = today(clock)
    over = (
        delete(Receipt).where(Receipt.changed_on < on - timedelta(days=RECEIPTS_KEPT_DAYS)),
        delete(DeletionRecord).where(
            DeletionRecord.deleted_on < on - timedelta(days=RECORDS_KEPT_DAYS),
            DeletionRecord.key_destroyed_on.is_not(None),
        ),
    )
    return sum(_count(session, statement) for statement in over)


def _count(session: Session, statement: Delete) -> int:
    return cast("CursorResult[Any]", session.execute(statement)).rowcount
