"""List an organisation's signals by their next deadline, page by page, and count them by state."""

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

from signals.errors import FieldProblem, Invalid
from signals.models import Signal, StaffMember
from signals.vocabulary import SignalState

MAX_PAGE: Final = 100
COUNT_CAP: Final = 100
# The columns that a list shows, and those that it needs to open the summary.
_LISTED: Final = (
    "id", "organisation_id", "reference", "state", "version", "received_on", "unrouted", "repeat",
    "case_key_id", "schema_version", "summary", "claim_by", "contact_by", "conclude_by", "due_on",
    "claimed_by_id", "first_contact_at", "postponed_until", "restricted_on",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class QueuePage:
    """Hold signals by next deadline.

    The items are rows that read like a `Signal`, with the columns of a list and no others. `claimants` has
    the names by staff id. `next_cursor` is None at the end.
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
    """Return one page of an organisation's signals by (due_on, id), in one query, without counting.

    `state` None gives every open signal. `overdue_on` gives only signals due before that date; no deadline
    runs for a concluded or restricted one (art. 18 AVG). `limit` is 1 to `MAX_PAGE`. The rows have only the
    columns of a list, so that a list can show no address. Raises `Invalid` for "limit" or "cursor".
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


def state_counts(session: Session, *, organisation_id: UUID) -> dict[SignalState, int]:
    """Return how many signals are in each state of the queue; `COUNT_CAP + 1` stands for "more"."""
    shown = [state for state in SignalState if state is not SignalState.SET_ASIDE]
    counts = union_all(*(_capped_count(organisation_id, state) for state in shown))
    return {SignalState(code): count for code, count in session.execute(counts)}


def arrived_since(session: Session, *, organisation_id: UUID, since: date) -> int:
    """Return how many signals the organisation has that were received on `since` or later."""
    query = select(func.count()).where(
        Signal.organisation_id == organisation_id,
        Signal.received_on >= since,
        Signal.state != SignalState.SET_ASIDE,
    )
    return session.scalar(query) or 0


@cache
def _queue_query(
    state: SignalState | None, of_one: bool, overdue: bool, later: bool
) -> Select[*tuple[Any, ...]]:
    """Build the query once for each shape, because building costs more than a page of rows.

    It selects from tables, not classes: 25 objects cost more than the rest of a page.
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
        # Not bound values: only a literal lets both databases use the partial index.
        state_is = Signal.__table__.c.state
        return (state_is != literal_column("'concluded'")) & (state_is != literal_column("'set_aside'"))
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
