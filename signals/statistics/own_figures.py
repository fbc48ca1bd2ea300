"""Working figures of one organisation for its lead: live and exact, for the team only.

The team has the signals themselves, so the numbers may be exact. Purged signals are missing: the figures
reach back as far as the organisation's own retention.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from statistics import median_low
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, case, func, select
from sqlalchemy.orm import Session

from privacy.pseudonyms import quarter_of
from signals.audit.log import require_role
from signals.clock import AMSTERDAM
from signals.errors import Forbidden
from signals.lifecycle.deadlines import working_hours_between
from signals.models import ContactAttempt, Signal, StatusChange
from signals.operation import Operation
from signals.statistics.old_menu import MIXED, NUMBERS
from signals.vocabulary import OPEN_STATES, Action, AttemptResult, Outcome, Role, SignalState


@dataclass(frozen=True, kw_only=True)
class OpenSignals:
    """The open signals by state, and how many are past their next deadline."""

    by_state: Mapping[SignalState, int]
    overdue: int


@dataclass(frozen=True, kw_only=True)
class QuarterReceived:
    """The signals received in a quarter: number, repeats, and median working hours (None without)."""

    quarter: str
    signals: int
    repeats: int
    hours_to_claim: int | None
    hours_to_contact: int | None


@dataclass(frozen=True, kw_only=True)
class QuarterConcluded:
    """The signals concluded in a quarter: outcomes, and how many of the asked ones were newly known."""

    quarter: str
    outcomes: Mapping[Outcome, int]
    known_asked: int
    newly_known: int

    @property
    def signals(self) -> int:
        return sum(self.outcomes.values())


@dataclass(frozen=True, kw_only=True)
class Tried:
    """The signals with attempts of these `kinds` and `number`, and how many were reached."""

    kinds: str
    number: str
    signals: int
    reached: int


@dataclass(frozen=True, kw_only=True)
class OwnFigures:
    """Everything on the lead's page; the latest quarter comes first."""

    open: OpenSignals
    received: Sequence[QuarterReceived] = field(default=())
    concluded: Sequence[QuarterConcluded] = field(default=())
    tried: Sequence[Tried] = field(default=())


def own_figures(operation: Operation) -> OwnFigures:
    """Return the figures of a lead's own organisation; raise `Forbidden` for other roles."""
    require_role(operation.actor, Role.LEAD)
    if operation.actor.organisation_id is None:
        raise Forbidden
    session, mine = operation.session, operation.actor.organisation_id
    return OwnFigures(
        open=_open(session, mine, operation.today),
        received=_received(session, mine),
        concluded=_concluded(session, mine),
        tried=_tried(session, mine),
    )


def _open(session: Session, organisation_id: UUID, on: date) -> OpenSignals:
    late = func.sum(case((and_(Signal.due_on < on, Signal.restricted_on.is_(None)), 1), else_=0))
    query = _of(organisation_id, Signal.state, func.count(), late).group_by(Signal.state)
    rows = session.execute(query.where(Signal.state.in_(OPEN_STATES))).all()
    return OpenSignals(
        by_state={state: number for state, number, _ in rows}, overdue=sum(late for *_, late in rows)
    )


def _received(session: Session, organisation_id: UUID) -> list[QuarterReceived]:
    claimed = (
        select(func.min(StatusChange.at))
        .where(StatusChange.signal_id == Signal.id, StatusChange.action == Action.CLAIM)
        .scalar_subquery()
    )
    tried = (
        select(func.min(ContactAttempt.attempted_at))
        .where(ContactAttempt.signal_id == Signal.id)
        .scalar_subquery()
    )
    by_quarter = defaultdict(list)
    for row in session.execute(_of(organisation_id, Signal.received_on, Signal.repeat, claimed, tried)):
        by_quarter[quarter_of(row[0])].append(row)
    return [
        QuarterReceived(
            quarter=quarter,
            signals=len(rows),
            repeats=sum(repeat for _, repeat, _, _ in rows),
            hours_to_claim=_median(_working_hours(on, at) for on, _, at, _ in rows),
            hours_to_contact=_median(_working_hours(on, at) for on, _, _, at in rows),
        )
        for quarter, rows in sorted(by_quarter.items(), reverse=True)
    ]


def _concluded(session: Session, organisation_id: UUID) -> list[QuarterConcluded]:
    by_quarter = defaultdict(list)
    query = _of(organisation_id, Signal.concluded_at, Signal.outcome, Signal.newly_known)
    for row in session.execute(query.where(Signal.state == SignalState.CONCLUDED)):
        by_quarter[_quarter(row[0])].append(row)
    return [
        QuarterConcluded(
            quarter=quarter,
            outcomes=Counter(outcome for _, outcome, _ in rows),
            known_asked=sum(known is not None for *_, known in rows),
            newly_known=sum(known is True for *_, known in rows),
        )
        for quarter, rows in sorted(by_quarter.items(), reverse=True)
    ]


def _tried(session: Session, organisation_id: UUID) -> list[Tried]:
    reached = func.max(case((ContactAttempt.result == AttemptResult.CONTACT, 1), else_=0))
    query = _of(organisation_id, Signal.id, ContactAttempt.kind, func.count(), reached)
    query = query.join(ContactAttempt, ContactAttempt.signal_id == Signal.id)
    attempts: dict[UUID, Counter[str]] = defaultdict(Counter)
    was_reached: set[UUID] = set()
    for signal_id, kind, times, contact in session.execute(query.group_by(Signal.id, ContactAttempt.kind)):
        attempts[signal_id][kind.value] += times
        if contact:
            was_reached.add(signal_id)
    places = {signal_id: _kinds_and_number(kinds) for signal_id, kinds in attempts.items()}
    totals = Counter(places.values())
    hits = Counter(place for signal_id, place in places.items() if signal_id in was_reached)
    return [
        Tried(kinds=kinds, number=number, signals=totals[kinds, number], reached=hits[kinds, number])
        for kinds, number in sorted(totals)
    ]


def _of(organisation_id: UUID, *columns: Any) -> Select[Any]:
    """Return a query of the organisation's signals but a flood; row-level security says the same of whose."""
    query = select(*columns).select_from(Signal).where(Signal.organisation_id == organisation_id)
    return query.where(Signal.state != SignalState.SET_ASIDE)


def _median(hours: Iterable[int | None]) -> int | None:
    known = [taken for taken in hours if taken is not None]
    return median_low(known) if known else None


def _quarter(moment: datetime) -> str:
    return quarter_of(moment.astimezone(AMSTERDAM).date())


def _kinds_and_number(tried: Mapping[str, int]) -> tuple[str, str]:
    times, (few, three, many) = sum(tried.values()), NUMBERS
    band = few if times < 3 else three if times == 3 else many
    return (next(iter(tried)) if len(tried) == 1 else MIXED), band


def _working_hours(received_on: date, moment: datetime | None) -> int | None:
    """Return whole working hours from the end of the day of receipt (no finer time is kept) to a moment."""
    if moment is None:
        return None
    start = datetime.combine(received_on, time(17, 0), AMSTERDAM)
    return round(working_hours_between(start, moment)) if moment > start else 0
