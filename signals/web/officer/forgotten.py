"""The privacy officer's view of retention: deletions, counts by month, and the periods in force."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import extract, func, select, tuple_
from sqlalchemy.orm import Session

from signals.clock import today
from signals.models import DeletionOrder, DeletionRecord, Signal
from signals.retention import changing, unreadable
from signals.retention.periods import Period, floor_of, own_periods, periods_of
from signals.retention.unreadable import unreadable_signals
from signals.vocabulary import DeletionReason, RetentionRule
from signals.web.staff_kit.context import act, desk, operation, read
from signals.web.staff_kit.opened import organisation_id
from signals.web.staff_kit.schemas import cursor_after, position_in


@dataclass(frozen=True, kw_only=True)
class PeriodInForce:
    """A period, whether the organisation set it itself, and the shorter one that follows it."""

    rule: RetentionRule
    period: Period
    own: bool
    next_days: int | None
    next_from: date | None


@dataclass(frozen=True, kw_only=True)
class Month:
    """The number of signals that were deleted for one reason in a month like `2026-11`."""

    month: str
    reason: DeletionReason
    count: int


@dataclass(frozen=True, kw_only=True)
class Forgotten:
    """A page of deletion records, newest first; `months` counts all of them; `floor`: the least days.

    `unreadable`: the signals that nobody can read; `ordered`: those whose deletion is ordered.
    """

    floor: int
    periods: list[PeriodInForce]
    months: list[Month]
    records: Sequence[DeletionRecord]
    unreadable: Sequence[Signal]
    ordered: Collection[UUID]
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
        floor = floor_of(session, organisation_id())
        lost = unreadable_signals(session, Signal.organisation_id == organisation_id())
        own = DeletionOrder.organisation_id == organisation_id()
        ordered = session.scalars(select(DeletionOrder.signal_id).where(own)).all()
    page = records[:limit]
    return Forgotten(
        floor=floor,
        periods=periods,
        months=months,
        records=page,
        unreadable=lost,
        ordered=ordered,
        next_cursor=cursor_after(page[-1].deleted_on, page[-1].signal_id) if len(records) > limit else None,
    )


def periods_in_force() -> list[PeriodInForce]:
    """Return the periods of the caller's organisation; its own period replaces a default."""
    return read(_in_force)


def set_period(*, rule: RetentionRule, days: int, legal_basis: str) -> None:
    """Set one period with its legal basis; a shorter one waits (see `signals.retention.changing`).

    Raises `Invalid` when the periods would not fit each other.
    """
    wanted = Period(days=days, legal_basis=legal_basis)
    act(changing.set_period, rule=rule, wanted=wanted)


def keep_period(rule: RetentionRule) -> None:
    """Withdraw a shorter period that waits. Raises `NotFound` when none does."""
    act(changing.keep_period, rule=rule)


def give_up(signal_id: UUID) -> None:
    """Order the deletion of an unreadable signal. Raises `NotFound` and `Conflict`."""
    with operation(signal_id) as begun:
        unreadable.give_up(begun, signal_id=signal_id)


def _in_force(session: Session) -> list[PeriodInForce]:
    own_id, on = organisation_id(), today(desk().clock)
    own = {row.rule: row for row in own_periods(session, own_id)}
    periods = periods_of(session, own_id, on)
    waiting = {rule: row for rule, row in own.items() if row.shorter_from and row.shorter_from > on}
    return [
        PeriodInForce(
            rule=rule,
            period=periods[rule],
            own=rule in own,
            next_days=waiting[rule].days if rule in waiting else None,
            next_from=waiting[rule].shorter_from if rule in waiting else None,
        )
        for rule in RetentionRule
    ]


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
