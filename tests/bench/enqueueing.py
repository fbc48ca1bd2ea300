"""Measure what messages add to the transaction that causes them: arrival with and without messages.

The measure is the CPU of this process and of PostgreSQL: other programs disturb it less than the clock.
"""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from unittest.mock import patch

from signals.app import make_worker
from signals.arrival.batches import ArrivalDesk
from signals.operations.jobs import Worker
from signals.settings import load_settings
from tests.bench.arrival import fill_mailboxes
from tests.bench.house import House, make_house
from tests.bench.processes import children_of, cpu_by_process
from tests.bench.results import Line

WARMING = 200


def measure_enqueueing(
    group: str, folder: Path, urls: Sequence[str], *, rounds: int, reports: int, postmaster: int
) -> Iterator[Line]:
    """Rounds of arrival, in turn with and without messages; two recipients for each organisation."""
    house = make_house(folder, *urls)
    worker = make_worker(load_settings(house.config, {}))
    told: list[float] = []
    silent: list[float] = []
    _arrive(house, worker, WARMING, seed=-1, postmaster=postmaster)
    for number in range(rounds):
        told.append(_arrive(house, worker, reports, seed=2 * number, postmaster=postmaster))
        with patch.object(ArrivalDesk, "_messages", lambda *_args: ()):
            silent.append(_arrive(house, worker, reports, seed=2 * number + 1, postmaster=postmaster))
    worker.close()
    added = median(one / other - 1 for one, other in zip(told, silent, strict=True))
    yield Line(group, "enqueueing two messages adds to arrival", added, at_most=0.10)
    for what, spent in (("with messages", told), ("without", silent)):
        yield Line(group, f"arrival {what}: CPU per report", median(spent) * 1e6, "us")


def _arrive(house: House, worker: Worker, reports: int, *, seed: int, postmaster: int) -> float:
    """CPU seconds for each report."""
    fill_mailboxes(house, reports, seed=seed)
    before = cpu_by_process(children_of(postmaster))
    started = time.process_time()
    if worker.arrive() != reports:
        raise RuntimeError("not every report arrived")
    own = time.process_time() - started
    after = cpu_by_process(children_of(postmaster))
    theirs = sum(now - before.get(number, 0.0) for number, now in after.items())
    return (own + theirs) / reports
