"""Decide how long a signal is kept under each rule, and which signals are due."""

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from signals.clock import AMSTERDAM, Clock, today
from signals.errors import FieldProblem, Invalid
from signals.models import Organisation, RetentionPeriod, Signal
from signals.vocabulary import OPEN_STATES, DeletionReason, RetentionRule, SignalState


@dataclass(frozen=True, kw_only=True)
class Period:
    """Hold the number of days and the legal ground."""

    days: int
    legal_basis: str


DEFAULT_PERIODS: Mapping[RetentionRule, Period] = {
    RetentionRule.CONCLUDED: Period(
        days=28, legal_basis="Art. 5 lid 1 onder e AVG: na afronding alleen nog nodig voor navragen."
    ),
    RetentionRule.UNATTENDED: Period(
        days=28,
        legal_basis="Art. 14 lid 3 AVG: zonder opvolging of bericht binnen een maand vervalt het doel.",
    ),
    RetentionRule.HARD_LIMIT: Period(
        days=365, legal_basis="Art. 5 lid 1 onder e AVG: uiterste termijn, wat ook de stand is."
    ),
}
"""The periods of an organisation that set none of its own."""
MOST_UNATTENDED: Final = 28
"""Days: within a month the resident is notified, or there is nothing left to tell (art. 14(3) AVG)."""
KEPT_BEYOND_NORM: Final = 16
"""A floor in days: 14 after the norm for the first attempt, which counts working days, and a weekend."""
WARNED_BEFORE: Final = 7
"""Days before the deletion of an unattended signal on which the team hears of it.

A late report or a handover begins its deadlines anew: its team has as many days after the day to claim it.
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Due:
    """Name a signal whose period is over, and the reason."""

    signal_id: uuid.UUID
    organisation_id: uuid.UUID
    reason: DeletionReason


def periods_of(session: Session, organisation_id: uuid.UUID, on: date) -> dict[RetentionRule, Period]:
    """Return the periods of one organisation that hold on a day, its own before the defaults."""
    floor = floor_of(session, organisation_id)
    chosen = {
        row.rule: Period(days=max(row.in_force(on), floor), legal_basis=row.legal_basis)
        for row in own_periods(session, organisation_id)
    }
    return {**DEFAULT_PERIODS, **chosen}


def own_periods(session: Session, organisation_id: uuid.UUID) -> Sequence[RetentionPeriod]:
    """Return the rows of an organisation, those included that do not hold yet."""
    mine = RetentionPeriod.organisation_id == organisation_id
    return session.scalars(select(RetentionPeriod).where(mine)).all()


def floor_of(session: Session, organisation_id: uuid.UUID) -> int:
    """Return the least days of every period: the team gets its time to reach the resident, and 14 days."""
    norm = select(Organisation.contact_working_days).where(Organisation.id == organisation_id)
    return session.scalars(norm).one() + KEPT_BEYOND_NORM


def unattended_days(session: Session, on: date) -> dict[uuid.UUID, int]:
    """Return after how many days each organisation deletes an unattended signal, by its id."""
    return {
        organisation_id: days[RetentionRule.UNATTENDED]
        for organisation_ids, days in _days_in_force(session, on)
        for organisation_id in organisation_ids
    }


def refuse_unfit(days: Mapping[RetentionRule, int], changed: RetentionRule, floor: int) -> None:
    """Raise `Invalid` for periods that do not fit together. `changed` is the rule that is set now.

    No period is below `floor`. An unattended signal is kept `MOST_UNATTENDED` days at most, and the limit is
    not below any other period. An older period that breaks a bound does not block a change of another rule.
    """
    if days[changed] < floor:
        raise Invalid(FieldProblem(field="days", code="period_too_short"))
    if changed is RetentionRule.UNATTENDED and days[changed] > MOST_UNATTENDED:
        raise Invalid(FieldProblem(field="days", code="unattended_too_long"))
    if days[RetentionRule.HARD_LIMIT] < max(days.values()):
        raise Invalid(FieldProblem(field="days", code="limit_too_short"))


def due_signals(session: Session, clock: Clock) -> Iterator[Due]:
    """Yield every signal whose period is over; a restricted one (art. 18 AVG) waits."""
    for over, is_due in _conditions(session, today(clock)):
        reasons = (rule.label(reason) for reason, rule in over.items())
        for row in session.execute(select(Signal.id, Signal.organisation_id, *reasons).where(is_due)):
            reason = next(reason for reason in over if getattr(row, reason))
            yield Due(signal_id=row.id, organisation_id=row.organisation_id, reason=reason)


def count_due(session: Session, clock: Clock) -> int:
    """Return the number of signals whose period is over."""
    counts = (
        select(func.count()).select_from(Signal).where(is_due)
        for _over, is_due in _conditions(session, today(clock))
    )
    return sum(session.scalar(count) or 0 for count in counts)


def _conditions(
    session: Session, on: date
) -> Iterator[tuple[dict[DeletionReason, ColumnElement[bool]], ColumnElement[bool]]]:
    """Yield, for organisations with the same periods, each reason and whether any of them holds."""
    for organisation_ids, days in _days_in_force(session, on):
        over = _over(days, on)
        mine = Signal.organisation_id.in_(organisation_ids)
        yield over, and_(mine, or_(*over.values()), Signal.restricted_on.is_(None))


def still_due(session: Session, clock: Clock) -> Callable[[Any], bool]:
    """Return the same check for a locked row, which may have changed since it was listed.

    A signal of an organisation that is younger than this list waits for the next night.
    """
    on = today(clock)
    days = {owner: days for owners, days in _days_in_force(session, on) for owner in owners}

    def is_due(signal: Any) -> bool:
        theirs = days.get(signal.organisation_id)
        return theirs is not None and signal.restricted_on is None and _is_over(signal, theirs, on)

    return is_due


_Days = Mapping[RetentionRule, int]


def _days_in_force(session: Session, on: date) -> Iterator[tuple[list[uuid.UUID], _Days]]:
    """Group organisations by equal periods: nearly always one group with the defaults."""
    own: dict[uuid.UUID, dict[RetentionRule, int]] = {}
    for row in session.scalars(select(RetentionPeriod)):
        own.setdefault(row.organisation_id, {})[row.rule] = row.in_force(on)
    default = {rule: period.days for rule, period in DEFAULT_PERIODS.items()}
    groups: dict[tuple[int, ...], list[uuid.UUID]] = {}
    for organisation_id, norm in session.execute(select(Organisation.id, Organisation.contact_working_days)):
        days = default | own.get(organisation_id, {})
        kept = tuple(max(days[rule], norm + KEPT_BEYOND_NORM) for rule in RetentionRule)
        groups.setdefault(kept, []).append(organisation_id)
    for days_of_rules, organisation_ids in groups.items():
        yield organisation_ids, dict(zip(RetentionRule, days_of_rules, strict=True))


def _over(days: _Days, on: date) -> dict[DeletionReason, ColumnElement[bool]]:
    """Return for each reason the condition that its period is over on a date."""
    concluded = _midnight(on - timedelta(days=days[RetentionRule.CONCLUDED] - 1))
    return {
        DeletionReason.CONCLUDED: and_(
            Signal.state == SignalState.CONCLUDED, Signal.concluded_at < concluded
        ),
        DeletionReason.UNATTENDED: and_(
            Signal.state.in_(OPEN_STATES),
            Signal.state != SignalState.CONCLUDED,
            Signal.claimed_by_id.is_(None),
            Signal.received_on <= on - timedelta(days=days[RetentionRule.UNATTENDED]),
            Signal.due_on <= on - timedelta(days=WARNED_BEFORE),  # nobody has it: the claim's last day
            Signal.notified_on.is_(None),
            Signal.deferred_because.is_(None),
        ),
        DeletionReason.FLOOD: and_(Signal.state == SignalState.SET_ASIDE, Signal.due_on <= on),
        DeletionReason.HARD_LIMIT: Signal.received_on <= on - timedelta(days=days[RetentionRule.HARD_LIMIT]),
    }


def _is_over(signal: Any, days: _Days, on: date) -> bool:
    age = (on - signal.received_on).days
    if age >= days[RetentionRule.HARD_LIMIT]:
        return True
    if signal.state is SignalState.CONCLUDED and signal.concluded_at is not None:
        since = (on - signal.concluded_at.astimezone(AMSTERDAM).date()).days
        return bool(since >= days[RetentionRule.CONCLUDED])
    if signal.state is SignalState.SET_ASIDE:
        return bool(signal.due_on <= on)
    had_time = signal.claim_by <= on - timedelta(days=WARNED_BEFORE)
    return age >= days[RetentionRule.UNATTENDED] and had_time and is_unattended(signal)


def is_unattended(signal: Any) -> bool:
    """Return whether nobody has this open signal, and nobody notified the resident or deferred it.

    `signal` is a row or an object with the columns of a signal's state.
    """
    informed = signal.notified_on is not None or signal.deferred_because is not None
    return signal.state in OPEN_STATES and signal.claimed_by_id is None and not informed


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), AMSTERDAM).astimezone(UTC)
