"""The queue of an organisation, page by page, and the way to one signal of it."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Date,
    Integer,
    Select,
    Uuid,
    bindparam,
    func,
    literal_column,
    outerjoin,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.orm import Session

from signals.db import set_local
from signals.errors import FieldProblem, Invalid, NotFound
from signals.models import Signal, StaffMember
from signals.vocabulary import SignalState

MAX_PAGE: Final = 100
COUNT_CAP: Final = 100
# What a list shows, and what it needs to open the summary.
_LISTED: Final = (
    "id", "organisation_id", "reference", "state", "version", "received_on", "unrouted", "repeat", "is_drill",
    "case_key_id", "schema_version", "summary", "claim_by", "contact_by", "conclude_by", "due_on",
    "claimed_by_id", "first_contact_at", "postponed_until", "restricted_on",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class QueuePage:
    """Signals by next deadline. `claimants` has the names by staff id; `next_cursor` is None at the end.

    The items are rows that read like a `Signal`, with the columns of a list and no others.
    """

    items: list[Any]
    next_cursor: str | None
    claimants: Mapping[UUID, str] = field(default_factory=dict)


def queue_page(
    session: Session,
    *,
    organisation_id: UUID,
    state: SignalState | None = None,
    claimed_by_id: UUID | None = None,
    overdue_on: date | None = None,
    limit: int = 25,
    cursor: str | None = None,
) -> QueuePage:
    """One page of an organisation's signals by (due_on, id), in one query, without counting.

    `state` None: every open signal (not concluded). `overdue_on`: only those due before that date, and
    nothing that is concluded or restricted (art. 18 AVG), for which no deadline runs. `limit` is 1 to 100.
    Only the columns of a list are loaded, and reading another from these rows raises: a list shows no
    address. Raises `Invalid` for "limit" or "cursor".
    """
    if not 1 <= limit <= MAX_PAGE:
        raise Invalid(FieldProblem(field="limit", code="out_of_range"))
    wanted: dict[str, Any] = {
        "organisation_id": organisation_id,
        "claimed_by_id": claimed_by_id,
        "overdue_on": overdue_on,
        "limit": limit + 1,
    }
    if cursor is not None:
        wanted["after_day"], wanted["after_id"] = _position_from(cursor)
    query = _queue_query(state, claimed_by_id is not None, overdue_on is not None, cursor is not None)
    rows = session.execute(query, wanted).all()
    items = list(rows[:limit])
    return QueuePage(
        items=items,
        next_cursor=_cursor_after(items[-1]) if len(rows) > limit else None,
        claimants={row.claimed_by_id: row.claimant for row in items if row.claimed_by_id},
    )


def find_signal(
    session: Session, *, organisation_id: UUID, signal_id: UUID, for_update: bool = False
) -> Signal:
    """The signal, when it is this organisation's; raises `NotFound` alike for another's and for none.

    `for_update` locks the row and reads it afresh. `exists_elsewhere` tells the two apart for the audit.
    """
    query = select(Signal).where(Signal.id == signal_id, Signal.organisation_id == organisation_id)
    if for_update:
        query = query.with_for_update().execution_options(populate_existing=True)
    signal = session.scalar(query)
    if signal is None:
        raise NotFound
    return signal


def exists_elsewhere(session: Session, *, organisation_id: UUID, signal_id: UUID) -> bool:
    """Whether another organisation has it: the caller records FOREIGN_SIGNAL_REFUSED and still says 404."""
    set_local(session, subject=str(signal_id))
    query = select(Signal.id).where(Signal.id == signal_id, Signal.organisation_id != organisation_id)
    return session.scalar(query) is not None


def state_counts(session: Session, *, organisation_id: UUID) -> dict[SignalState, int]:
    """How many signals are in each state, for badges; 101 stands for "more than 100"."""
    counts = union_all(*(_capped_count(organisation_id, state) for state in SignalState))
    return {SignalState(code): count for code, count in session.execute(counts)}


def arrived_since(session: Session, *, organisation_id: UUID, since: date) -> int:
    """How many signals that were received on `since` or later the organisation has, whatever their state."""
    query = select(func.count()).where(Signal.organisation_id == organisation_id, Signal.received_on >= since)
    return session.scalar(query) or 0


def claimant_name(session: Session, signal: Signal) -> str | None:
    """The name of who has claimed it."""
    if signal.claimed_by_id is None:
        return None
    return session.scalar(select(StaffMember.name).where(StaffMember.id == signal.claimed_by_id))


@cache
def _queue_query(
    state: SignalState | None, of_one: bool, overdue: bool, later: bool
) -> Select[*tuple[Any, ...]]:
    """Built once for each shape: to build it costs more than a page of rows.

    Of the tables and not of the classes: 25 objects cost more than all else of a page.
    """
    signals, staff = Signal.__table__.c, StaffMember.__table__.c
    query = (
        select(*(signals[name] for name in _LISTED), staff.name.label("claimant"))
        .select_from(outerjoin(Signal.__table__, StaffMember.__table__, staff.id == signals.claimed_by_id))
        .where(signals.organisation_id == bindparam("organisation_id"), _in_state(state))
        .order_by(signals.due_on, signals.id)
        .limit(bindparam("limit", type_=Integer))
    )
    if of_one:
        query = query.where(signals.claimed_by_id == bindparam("claimed_by_id"))
    if overdue:
        runs = _in_state(None), signals.restricted_on.is_(None)
        query = query.where(signals.due_on < bindparam("overdue_on"), *runs)
    if later:
        position = tuple_(bindparam("after_day", type_=Date), bindparam("after_id", type_=Uuid))
        query = query.where(tuple_(signals.due_on, signals.id) > position)
    return query


def _in_state(state: SignalState | None) -> ColumnElement[bool]:
    if state is None:
        # Written out and not bound: only so do both databases see that the partial index fits.
        return Signal.__table__.c.state != literal_column("'concluded'")
    return Signal.__table__.c.state == state


def _capped_count(organisation_id: UUID, state: SignalState) -> Select[Any, int]:
    some = (
        select(Signal.id)
        .where(Signal.organisation_id == organisation_id, Signal.state == state)
        .limit(COUNT_CAP + 1)
        .subquery()
    )
    return select(literal_column(f"'{state.value}'"), func.count()).select_from(some)


def _cursor_after(signal: Any) -> str:
    position = signal.due_on.toordinal().to_bytes(4, "big") + signal.id.bytes
    return base64.urlsafe_b64encode(position).rstrip(b"=").decode()


def _position_from(cursor: str) -> tuple[date, UUID]:
    try:
        position = base64.b64decode(cursor.encode("ascii") + b"=", altchars=b"-_", validate=True)
        return date.fromordinal(int.from_bytes(position[:4], "big")), UUID(bytes=position[4:])
    except (ValueError, OverflowError):
        raise Invalid(FieldProblem(field="cursor", code="invalid")) from None
