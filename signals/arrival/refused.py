"""Reports that did not open: list them, and give them up when a person says so."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, or_, select
from sqlalchemy.orm import Session

from signals.audit.grounds import Ground
from signals.models import IdempotencyKey, Organisation, SealedReport, Signal
from signals.operation import Operation
from signals.vocabulary import AuditAction

_HAS_KEY = select(IdempotencyKey.receipt_hash).where(IdempotencyKey.receipt_hash == SealedReport.receipt_hash)


def refused_reports(session: Session) -> Sequence[Any]:
    """Return each refused report, oldest first: signal id, received_on, refused_on, name of the team."""
    columns = SealedReport.signal_id, SealedReport.received_on, SealedReport.refused_on, Organisation.name
    theirs = SealedReport.organisation_id == Organisation.id
    query = select(*columns).outerjoin(Organisation, theirs).where(SealedReport.refused_on.is_not(None))
    return session.execute(query.order_by(SealedReport.refused_on, SealedReport.signal_id)).all()


def unacknowledged(*, before: date) -> ColumnElement[bool]:
    """Return the condition of envelopes that intake never acknowledged.

    They lack its key and were refused before a day; or they came under the receipt of a report that arrived.
    """
    arrived = select(Signal.id).where(Signal.receipt_hash == SealedReport.receipt_hash).exists()
    return or_(and_(SealedReport.refused_on < before, ~_HAS_KEY.exists()), arrived)


def discard(operation: Operation, which: ColumnElement[bool]) -> int:
    """Delete refused reports unread, with an audit entry each; return how many."""
    gone = delete(SealedReport).where(SealedReport.refused_on.is_not(None), which)
    ids = operation.session.scalars(gone.returning(SealedReport.signal_id)).all()
    for signal_id in ids:
        operation.record(AuditAction.SIGNAL_PURGED, subject_id=signal_id, ground=Ground.REFUSED)
    return len(ids)
