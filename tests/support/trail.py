"""Entries of an audit trail for tests."""

import uuid

from signals.audit.log import Actor
from signals.audit.trail import TrailKeys, link_entries
from signals.vocabulary import AuditAction
from tests.support.world import AMSTERDAM, World

WORKER = Actor(id=uuid.UUID(int=5), role="worker", organisation_id=AMSTERDAM)


def keys_of(world: World) -> TrailKeys:
    return TrailKeys(mac_key=world.keystore.secret("audit"), root=world.keystore.root_signing_key())


def opened(world: World, times: int = 1, actor: Actor = WORKER) -> None:
    """A worker opens signals, a second apart, each entry in a transaction of its own."""
    for number in range(times):
        world.move(seconds=1)
        with world.sessions.begin() as session:
            world.audit.record(
                session,
                world.clock,
                actor=actor,
                action=AuditAction.SIGNAL_OPENED,
                subject_id=uuid.UUID(int=100 + number),
            )


def link(world: World) -> int:
    with world.sessions.begin() as session:
        return link_entries(session, world.clock, keys=keys_of(world))
