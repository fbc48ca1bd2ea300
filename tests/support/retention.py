"""Make signals that are due to be purged."""

import uuid

from signals.audit.log import Actor
from signals.casework import claim, conclude, record_attempt
from signals.retention.nightly import Retention
from signals.vocabulary import AttemptKind, AttemptResult, ConcernType, Outcome
from tests.support.answers import TOLD
from tests.support.world import IN_AMSTERDAM, World


def retention_of(world: World) -> Retention:
    return world.worker().retention()


def arrived(world: World, number: int = 1, **values: object) -> uuid.UUID:
    """Return a signal in Amsterdam that has just arrived."""
    before = {signal.id for signal in world.signals()}
    world.receive(number, IN_AMSTERDAM, **values)
    world.worker().arrive()
    (new,) = {signal.id for signal in world.signals()} - before
    return new


def concluded(world: World, number: int = 1, outcome: Outcome = Outcome.TALK_SUFFICED) -> uuid.UUID:
    """Return a signal that was claimed, attempted once and concluded on the same day."""
    signal_id, actor = arrived(world, number, concern_types=[ConcernType.FRAIL]), world.staff()
    follow_up(world, actor, signal_id, outcome)
    return signal_id


def follow_up(world: World, actor: Actor, signal_id: uuid.UUID, outcome: Outcome) -> None:
    with world.sessions.begin() as session:
        claim(world.operation(session, actor), signal_id=signal_id)
        record_attempt(
            world.operation(session, actor),
            signal_id=signal_id,
            kind=AttemptKind.VISIT,
            result=AttemptResult.CONTACT,
            attempted_at=world.clock.now(),
            workers=1,
        )
        conclude(
            world.operation(session, actor), signal_id=signal_id, outcome=outcome, newly_known=True, **TOLD
        )
