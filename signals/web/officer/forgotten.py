"""The privacy officer's view of retention: deletions, counts by month, and the periods in force."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import extract, func, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from signals.audit.grounds import Ground
from signals.db import is_sqlite
from signals.models import DeletionRecord, RetentionPeriod
from signals.models.base import new_id
from signals.retention.periods import Period, periods_of, refuse_unfit
from signals.vocabulary import AuditAction, DeletionReason, RetentionRule
from signals.web.staff_kit.context import desk, operation
from signals.web.staff_kit.day_cursor import cursor_after, position_in
from signals.web.staff_kit.opened import organisation_id


@dataclass(frozen=True, kw_only=True)
class PeriodInForce:
    """A period, and whether the organisation set it itself."""

    rule: RetentionRule
    period: Period
    own: bool


@dataclass(frozen=True, kw_only=True)
class Month:
    """The number of signals that were deleted for one reason in a month like `2026-11`."""

    month: str
    reason: DeletionReason
    count: int


@dataclass(frozen=True, kw_only=True)
class Forgotten:
    """A page of deletion records, newest first; `months` counts all of them."""

    periods: list[PeriodInForce]
    months: list[Month]
    records: Sequence[DeletionRecord]
    next_cursor: str | None


def forgotten(*, limit: int, cursor: str | None) -> Forgotten:
    """Return a page of the caller's own organisation; raise `Invalid` for a wrong cursor."""
    before = position_in(cursor)
    query = select(DeletionRecord).where(DeletionRecord.organisation_id == organisation_id())
    query = query.order_by(DeletionRecord.deleted_on.desc(), DeletionRecord.signal_id.desc())
    if before is not None:
        query = query.where(tuple_(DeletionRecord.deleted_on, DeletionRecord.signal_id) < before)
    with desk().reading() as session:
        records = session.scalars(query.limit(limit + 1)).all()
        months = _months(session)
        periods = _in_force(session)
    page = records[:limit]
    return Forgotten(
        periods=periods,
        months=months,
        records=page,
        next_cursor=cursor_after(page[-1].deleted_on, page[-1].signal_id) if len(records) > limit else None,
    )


def periods_in_force() -> list[PeriodInForce]:
    """Return the periods of the caller's organisation; its own period replaces a default."""
    with desk().reading() as session:
        return _in_force(session)


def set_period(*, rule: RetentionRule, days: int, legal_basis: str) -> None:
    """Set one period with its legal basis (Archiefwet, art. 5(1)(e) AVG); it counts from the next night on.

    Raises `Invalid` when the periods would not fit each other.
    """
    own_id, wanted = organisation_id(), Period(days=days, legal_basis=legal_basis)
    with operation() as change:
        refuse_unfit({**periods_of(change.session, own_id), rule: wanted}, rule)
        _store(change.session, own_id, rule, {"days": days, "legal_basis": legal_basis})
        change.record(
            AuditAction.ORGANISATION_CHANGED,
            subject_id=own_id,
            ground=Ground.RETENTION.of(f"{rule.value}:{days}"),
        )


def _store(session: Session, owner: UUID, rule: RetentionRule, values: Mapping[str, Any]) -> None:
    """Set or change the period in one statement: two requests may come at once."""
    insert = (sqlite if is_sqlite(session) else postgresql).insert(RetentionPeriod)
    row = insert.values(id=new_id(), organisation_id=owner, rule=rule, **values)
    session.execute(row.on_conflict_do_update(index_elements=["organisation_id", "rule"], set_=values))


def _in_force(session: Session) -> list[PeriodInForce]:
    own_id = organisation_id()
    own = set(session.scalars(select(RetentionPeriod.rule).where(RetentionPeriod.organisation_id == own_id)))
    periods = periods_of(session, own_id)
    return [PeriodInForce(rule=rule, period=periods[rule], own=rule in own) for rule in RetentionRule]


def _months(session: Session) -> list[Month]:
    """Let the database count: two years have many records."""
    year, month = extract("year", DeletionRecord.deleted_on), extract("month", DeletionRecord.deleted_on)
    query = select(year, month, DeletionRecord.reason, func.count())
    query = query.where(DeletionRecord.organisation_id == organisation_id())
    rows = session.execute(query.group_by(year, month, DeletionRecord.reason))
    counted = [
        Month(month=f"{year}-{month:02}", reason=reason, count=number) for year, month, reason, number in rows
    ]
    return sorted(counted, key=lambda one: (one.month, one.reason), reverse=True)
