"""Signals and facts for the tests of figures: how a signal was followed up, written as plain rows."""

import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from signals import reference
from signals.clock import AMSTERDAM
from signals.models import ContactAttempt, Signal, SignalFact, StatusChange
from signals.models.base import new_id
from signals.routing.postcodes import Address
from signals.vocabulary import Action, AttemptKind, AttemptResult, ConcernType, Outcome, SignalState
from tests.support.world import IN_AMSTERDAM, World

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
    if story.claimed_after is not None:
        session.add(_change(signal_id, start + timedelta(hours=story.claimed_after), staff_id))
    for kind, result, hours in story.attempts:
        session.add(_attempt(signal_id, kind, result, start + timedelta(hours=hours), staff_id))


def facts(session: Session, rows: Iterable[dict[str, Any]]) -> None:
    """Stored facts: the given values over those of a signal that nobody reached."""
    usual = {
        "region_code": "GG3406",
        "municipality_code": "GM0363",
        "received_quarter": "2026-Q3",
        "concluded_quarter": "2026-Q3",
        "concern_types": "",
        "hours_to_claim": 4,
        "hours_to_contact": 8,
        "claimed_in_time": True,
        "contacted_in_time": True,
        "attempts": "visit:1",
        "attempts_count": 1,
        "reached": False,
        "outcome": "not_reached",
        "newly_known": None,
        "repeat": False,
        "intake_counted": None,
        "outcome_counted": None,
    }
    session.execute(insert(SignalFact), [{**usual, "id": new_id(), **row} for row in rows])


def everywhere(
    session: Session, quarters: Sequence[str], number: int, *, besides: Collection[str] = ()
) -> None:
    """So many facts of every municipality but some, each in one of these quarters: too few to be shown."""
    places = [place for code, place in reference.municipalities().items() if code not in besides]
    for turn, place in enumerate(places):
        quarter = quarters[turn % len(quarters)]
        usual = {"received_quarter": quarter, "concluded_quarter": quarter}
        facts(session, [{**usual, "region_code": place.ggd_code, "municipality_code": place.code}] * number)


def fact_rows(world: World) -> list[SignalFact]:
    """All stored facts."""
    with world.sessions() as session:
        return list(session.scalars(select(SignalFact)))


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
    return datetime.combine(day, time(hour), AMSTERDAM).astimezone(UTC)
