"""Let reports arrive, and return the signals."""

from signals.models import Signal
from signals.operations.jobs import Worker
from signals.settings import ArrivalSettings
from tests.support.world import World


def in_batches(world: World, size: int) -> Worker:
    return world.worker(arrival=ArrivalSettings(batch_size=size))


def by_day(world: World) -> list[Signal]:
    return sorted(world.signals(), key=lambda signal: signal.received_on)
