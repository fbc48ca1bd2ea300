"""List an organisation's signals by their next deadline, page by page, and count them by state."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import IntEnum
from functools import cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Date,
    Integer,
    Select,
    Uuid,
    and_,
    bindparam,
    func,
    literal_column,
    or_,
    outerjoin,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.orm import Session

from signals.errors import FieldProblem, Invalid
from signals.models import Signal, StaffMember
from signals.vocabulary import OPEN_STATES, SignalState

MAX_PAGE: Final = 100
COUNT_CAP: Final = 100
# The columns that a list shows, and those that it needs to open the summary.
_LISTED: Final = (
    "id", "organisation_id", "reference", "state", "version", "received_on", "unrouted", "repeat",
    "case_key_id", "schema_version", "summary", "claim_by", "contact_by", "conclude_by",
    "due_on", "claimed_by_id", "first_contact_at", "postponed_until", "restricted_on",
)  # fmt: skip


class Section(IntEnum):
    """A part of the queue's page, in the order in which people work: signals that nobody has come first."""

    LATE_UNCLAIMED = 0
    LATE = 1
    TODAY_UNCLAIMED = 2
    TODAY = 3
    YOURS = 4
    LATER = 5

    @property
    def heading(self) -> str:
        """Return the part under whose name it stands."""
        return self.name.lower().removesuffix("_unclaimed")


@dataclass(frozen=True, kw_only=True)
class QueuePage:
    """Hold signals by next deadline.

    The items are rows that read like a `Signal`, with the columns of a list and no others. `claimants` has
    the names by staff id. `next_cursor` is None at the end. `continues` is the section in which the page
    before ended.
    """

    items: list[Any]
    next_cursor: str | None
    claimants: Mapping[UUID, str] = field(default_factory=dict)
    continues: Section | None = None


def queue_page(
    session: Session,
    *,
    organisation_id: UUID,
    state: SignalState | None = None,
    claimed_by_id: UUID | None = None,
    limit: int = 25,
    cursor: str | None = None,
) -> QueuePage:
    """Return one page of an organisation's signals by (due_on, id), in one query, without counting.

    `state` None gives every open signal. `limit` is 1 to `MAX_PAGE`. The rows have only the columns of a
    list, so that a list can show no address. Raises `Invalid` for "limit" or "cursor".
    """
    _require_limit(limit)
    wanted = {"organisation_id": organisation_id, "claimed_by_id": claimed_by_id, "limit": limit + 1}
    query = _queue_query(state, claimed_by_id is not None, None, cursor is not None)
    return _page_of(session.execute(query, wanted | _after(cursor)).all(), limit)


def sectioned_page(
    session: Session,
    *,
    organisation_id: UUID,
    on: date,
    reader_id: UUID,
    state: SignalState | None = None,
    claimed_by_id: UUID | None = None,
    limit: int = 25,
    cursor: str | None = None,
) -> QueuePage:
    """Return one page of open signals by section, then by deadline; each row has its `section`.

    `on` is today. `reader_id` is the staff member of "yours". The other values and errors are those of
    `queue_page`.
    """
    _require_limit(limit)
    section, cursor = _section_from(cursor)
    wanted: dict[str, Any] = {
        "organisation_id": organisation_id, "claimed_by_id": claimed_by_id, "on": on, "reader_id": reader_id,
        "limit": limit + 1,
    }  # fmt: skip
    query = _sectioned_query(state, claimed_by_id is not None, section)
    return _page_of(session.execute(query, wanted | _after(cursor)).all(), limit, section)


def next_for(session: Session, *, organisation_id: UUID, staff_id: UUID) -> UUID | None:
    """Return the open signal with the nearest deadline that this person has, or that nobody has."""
    query = select(Signal.id).where(
        Signal.organisation_id == organisation_id,
        Signal.state.in_(OPEN_STATES),
        Signal.restricted_on.is_(None),
        or_(Signal.claimed_by_id == staff_id, Signal.claimed_by_id.is_(None)),
    )
    return session.scalar(query.order_by(Signal.due_on, Signal.id).limit(1))


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


def _require_limit(limit: int) -> None:
    if not 1 <= limit <= MAX_PAGE:
        raise Invalid(FieldProblem(field="limit", code="out_of_range"))


def _page_of(rows: Sequence[Any], limit: int, continues: Section | None = None) -> QueuePage:
    items = list(rows[:limit])
    return QueuePage(
        items=items,
        next_cursor=_cursor_after(items[-1]) if len(rows) > limit else None,
        claimants={row.claimed_by_id: row.claimant for row in items if row.claimed_by_id},
        continues=continues,
    )


@cache
def _queue_query(
    state: SignalState | None, of_one: bool, section: Section | None, later: bool
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
    if section is not None:
        query = query.add_columns(literal_column(str(section), Integer).label("section"))
        query = query.where(_in_section(section))
    if later:
        position = tuple_(bindparam("after_day", type_=Date), bindparam("after_id", type_=Uuid))
        query = query.where(tuple_(signals.due_on, signals.id) > position)
    return query


@cache
def _sectioned_query(
    state: SignalState | None, of_one: bool, continues: Section | None
) -> CompoundSelect[*tuple[Any, ...]]:
    """Build the query of the sections from `continues` on; an index gives the order within each."""
    parts = (
        _queue_query(state, of_one, section, section is continues).subquery()
        for section in Section
        if section >= (continues or 0)
    )
    rows = union_all(*(select(part) for part in parts))
    return rows.order_by("section", "due_on", "id").limit(bindparam("limit", type_=Integer))


def _in_section(section: Section) -> ColumnElement[bool]:
    """Return the condition of a section; no deadline runs for a restricted signal (art. 18 AVG).

    Somebody must claim a signal today, whenever it is due.
    """
    signals = Signal.__table__.c
    due, runs, claimant = signals.due_on, signals.restricted_on.is_(None), signals.claimed_by_id
    on, reader = bindparam("on", type_=Date), bindparam("reader_id", type_=Uuid)
    free, claimed = and_(runs, claimant.is_(None)), and_(runs, claimant.is_not(None))
    return {
        Section.LATE_UNCLAIMED: and_(free, due < on),
        Section.LATE: and_(claimed, due < on),
        Section.TODAY_UNCLAIMED: and_(free, due >= on),
        Section.TODAY: and_(claimed, due == on),
        Section.YOURS: and_(runs, due > on, claimant == reader),
        Section.LATER: or_(~runs, and_(claimed, due > on, claimant != reader)),
    }[section]


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


def _cursor_after(row: Any) -> str:
    position = row.due_on.toordinal().to_bytes(4, "big") + row.id.bytes
    section = getattr(row, "section", "")  # only a page with sections has it
    return str(section) + base64.urlsafe_b64encode(position).rstrip(b"=").decode()


def _section_from(cursor: str | None) -> tuple[Section | None, str | None]:
    """Split the cursor of a page with sections into its section and its position there."""
    if cursor is None:
        return None, None
    try:
        return Section("012345".index(cursor[0])), cursor[1:]
    except (ValueError, IndexError):
        raise Invalid(FieldProblem(field="cursor", code="invalid")) from None


def _after(cursor: str | None) -> dict[str, Any]:
    if cursor is None:
        return {}
    try:
        position = base64.b64decode(cursor.encode("ascii") + b"=", altchars=b"-_", validate=True)
        day = date.fromordinal(int.from_bytes(position[:4], "big"))
        return {"after_day": day, "after_id": UUID(bytes=position[4:])}
    except (ValueError, OverflowError):
        raise Invalid(FieldProblem(field="cursor", code="invalid")) from None
