"""The share of reports that phones sealed, of the whole country: the number of an area would say too much."""

from datetime import date, timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from signals.models import IdempotencyKey

DAYS: Final = 7
LEAST: Final = 10
"""Fewer reports give no share: it would tell of single ones."""


def sealed_percent(session: Session, on: date) -> int | None:
    """Return the percentage of the last 7 days' reports that came sealed; None of fewer than `LEAST`."""
    recent = IdempotencyKey.received_on > on - timedelta(days=DAYS)
    counted = select(IdempotencyKey.from_phone, func.count().label("number")).where(recent)
    rows = session.execute(counted.group_by(IdempotencyKey.from_phone))
    numbers: dict[bool, int] = {row.from_phone: row.number for row in rows}
    whole = sum(numbers.values())
    return round(100 * numbers.get(True, 0) / whole) if whole >= LEAST else None
