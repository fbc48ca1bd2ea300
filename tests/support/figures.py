"""Signals and facts for the tests of figures: how a signal was followed up, written as plain rows."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from typing import Any, Final

from sqlalchemy import update
from sqlalchemy.orm import Session

from signals.clock import AMSTERDAM as ZONE
from signals.models import ContactAttempt, Publication, Signal, StatusChange
from signals.operations.making import make_releasing
from signals.routing.postcodes import Address
from signals.statistics.facts import Fact
from signals.statistics.publications import ReleasedTable, read_table
from signals.statistics.releasing import Releasing
from signals.statistics.sealed_facts import store_facts, stored_facts
from signals.vocabulary import Action, AttemptKind, AttemptResult, ConcernType, Outcome, SignalState
from tests.support.world import AMSTERDAM, IN_AMSTERDAM, World

_houses = count(1)


@dataclass(frozen=True, kw_only=True)
class Story:
    """A signal: when it came, what was tried how many hours later, and how it ended on which day."""

    received_on: date
    address: Address = IN_AMSTERDAM
    concern_types: tuple[ConcernType, ...] = ()
    claimed_after: int | None = None
    attempts: tuple[tuple[AttemptKind, AttemptResult, int], ...] = ()
    concluded_on: date | None = None
    outcome: Outcome | None = None
    newly_known: bool | None = None
    repeat: bool = False


def live(world: World, stories: Sequence[Story]) -> list[uuid.UUID]:
    """Let these signals arrive, each at a house of its own, and lay their stories over them; their ids."""
    staff_id = world.staff().id
    numbers = [next(_houses) for _ in stories]
    for number, story in zip(numbers, stories, strict=True):
        place = Address(postcode=story.address.postcode, number=number)
        world.receive(number, place, concern_types=story.concern_types)
    world.worker().arrive()
    places = {address.number: signal.id for address, signal in world.addresses().items()}
    with world.sessions.begin() as session:
        for number, story in zip(numbers, stories, strict=True):
            tell(session, places[number], story, staff_id)
    return [places[number] for number in numbers]


def tell(session: Session, signal_id: uuid.UUID, story: Story, staff_id: uuid.UUID | None) -> None:
    """Make a signal one that went as the story says."""
    session.execute(update(Signal).where(Signal.id == signal_id).values(_columns(story)))
    start = _at(story.received_on, 9)
    if story.concluded_on is not None:
        session.add(conclusion(signal_id, story.concluded_on, staff_id))
    if story.claimed_after is not None:
        session.add(_change(signal_id, start + timedelta(hours=story.claimed_after), staff_id))
    for kind, result, hours in story.attempts:
        session.add(_attempt(signal_id, kind, result, start + timedelta(hours=hours), staff_id))


USUAL: Final = Fact(
    organisation=str(AMSTERDAM),
    received="2026-Q3",
    concluded="2026",
    region="GG3406",
    outcome="not_reached_tried_enough",
    kinds="frail",
    attempts="visit:no card:no visit:no",
    reached="no",
    in_time="yes",
    newly_known="",
    repeat="no",
)
"""A signal that nobody reached."""


def add(world: World, number: int = 1, **changes: str) -> None:
    """Store so many equal facts: the given values over the usual ones."""
    with world.sessions.begin() as session:
        store_facts(session.connection(), world.keystore, [USUAL._replace(**changes)] * number)


def stored(world: World) -> list[Fact]:
    with world.sessions() as session:
        return list(stored_facts(session.connection(), world.keystore, since=""))


def releasing(world: World, **changes: Any) -> Releasing:
    """Return the releases of a world, with its ledger."""
    usual = make_releasing(world, sessions=world.sessions, router=world.router())
    return replace(usual, **changes)


def released(world: World, period: str, code: str) -> ReleasedTable:
    with world.sessions() as session:
        return read_table(session.get_one(Publication, (period, code)))


def _columns(story: Story) -> dict[str, Any]:
    concluded = story.concluded_on is not None
    state = SignalState.CONCLUDED if concluded else SignalState.CLAIMED if story.attempts else SignalState.NEW
    return {
        "received_on": story.received_on,
        "claim_by": story.received_on + timedelta(days=1),
        "contact_by": story.received_on + timedelta(days=2),
        "state": state,
        "concluded_at": _at(story.concluded_on, 16) if story.concluded_on else None,
        "outcome": story.outcome,
        "newly_known": story.newly_known,
        "repeat": story.repeat,
    }


def _change(signal_id: uuid.UUID, at: datetime, staff_id: uuid.UUID | None) -> StatusChange:
    return StatusChange(
        signal_id=signal_id,
        sequence=2,
        action=Action.CLAIM,
        before=SignalState.NEW,
        after=SignalState.CLAIMED,
        actor_id=staff_id,
        on=at.date(),
        at=at,
    )


def conclusion(
    signal_id: uuid.UUID,
    on: date,
    staff_id: uuid.UUID | None,
    *,
    sequence: int = 9,
    reason: str | None = None,
) -> StatusChange:
    """Return the change by which a worker concluded a signal."""
    return StatusChange(
        signal_id=signal_id,
        sequence=sequence,
        action=Action.CONCLUDE,
        before=SignalState.IN_FOLLOW_UP,
        after=SignalState.CONCLUDED,
        actor_id=staff_id,
        on=on,
        at=_at(on, 16),
        reason=reason,
    )


def _attempt(
    signal_id: uuid.UUID, kind: AttemptKind, result: AttemptResult, at: datetime, staff_id: uuid.UUID | None
) -> ContactAttempt:
    assert staff_id is not None
    return ContactAttempt(
        signal_id=signal_id,
        kind=kind,
        result=result,
        attempted_at=at,
        recorded_by_id=staff_id,
        recorded_at=at,
    )


def _at(day: date, hour: int) -> datetime:
    return datetime.combine(day, time(hour), ZONE).astimezone(UTC)
