"""Working figures of one organisation for its lead: live, of what is still kept, and never handed on.

Exact numbers, for the team has the signals themselves; nothing of it is released or leaves the organisation.
What was purged is not in them, so they reach back as far as the organisation's own retention.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from statistics import median_low
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, case, func, select
from sqlalchemy.orm import Session

from privacy.pseudonyms import quarter_of
from signals.audit.log import Actor, require_role
from signals.clock import AMSTERDAM, Clock, today
from signals.errors import Forbidden
from signals.models import ContactAttempt, Signal, StatusChange
from signals.statistics.facts import working_hours
from signals.statistics.ledger import kinds_and_number
from signals.vocabulary import Action, AttemptResult, Outcome, Role, SignalState


@dataclass(frozen=True, kw_only=True)
class OpenSignals:
    """What is open now, by state, and how many of them are past their next deadline."""

    by_state: Mapping[SignalState, int]
    overdue: int


@dataclass(frozen=True, kw_only=True)
class QuarterReceived:
    """Of the signals received in a quarter: how many, repeats, and median working hours (None without)."""

    quarter: str
    signals: int
    repeats: int
    hours_to_claim: int | None
    hours_to_contact: int | None


@dataclass(frozen=True, kw_only=True)
class QuarterConcluded:
    """Of the signals concluded in a quarter: outcomes, and of how many asked how many were newly known."""

    quarter: str
    outcomes: Mapping[Outcome, int]
    known_asked: int
    newly_known: int

    @property
    def signals(self) -> int:
        return sum(self.outcomes.values())


@dataclass(frozen=True, kw_only=True)
class Tried:
    """Signals tried in these `kinds` (one of them, or mixed) so many times, and how many were reached."""

    kinds: str
    number: str
    signals: int
    reached: int


@dataclass(frozen=True, kw_only=True)
class OwnFigures:
    """Everything on the lead's page; quarters with the latest first."""

    open: OpenSignals
    received: Sequence[QuarterReceived] = field(default=())
    concluded: Sequence[QuarterConcluded] = field(default=())
    tried: Sequence[Tried] = field(default=())


def own_figures(session: Session, clock: Clock, *, actor: Actor) -> OwnFigures:
    """The figures of a lead's own organisation, one query for each part. Raises `Forbidden` for others."""
    require_role(actor, Role.LEAD)
    if actor.organisation_id is None:
        raise Forbidden
    mine = actor.organisation_id
    return OwnFigures(
        open=_open(session, mine, today(clock)),
        received=_received(session, mine),
        concluded=_concluded(session, mine),
        tried=_tried(session, mine),
    )


def _open(session: Session, organisation_id: UUID, on: date) -> OpenSignals:
    late = func.sum(case((and_(Signal.due_on < on, Signal.restricted_on.is_(None)), 1), else_=0))
    query = _of(organisation_id, Signal.state, func.count(), late).group_by(Signal.state)
    rows = session.execute(query.where(Signal.state != SignalState.CONCLUDED)).all()
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
            hours_to_claim=_median(working_hours(on, at) for on, _, at, _ in rows),
            hours_to_contact=_median(working_hours(on, at) for on, _, _, at in rows),
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
    places = {signal_id: kinds_and_number(kinds) for signal_id, kinds in attempts.items()}
    totals = Counter(places.values())
    hits = Counter(place for signal_id, place in places.items() if signal_id in was_reached)
    return [
        Tried(kinds=kinds, number=number, signals=totals[kinds, number], reached=hits[kinds, number])
        for kinds, number in sorted(totals)
    ]


def _of(organisation_id: UUID, *columns: Any) -> Select[Any]:
    """These columns of the organisation's real signals; row-level security says the same on PostgreSQL."""
    mine = Signal.organisation_id == organisation_id, Signal.is_drill.is_(False)
    return select(*columns).select_from(Signal).where(*mine)


def _median(hours: Iterable[int | None]) -> int | None:
    known = [taken for taken in hours if taken is not None]
    return median_low(known) if known else None


def _quarter(moment: datetime) -> str:
    return quarter_of(moment.astimezone(AMSTERDAM).date())
