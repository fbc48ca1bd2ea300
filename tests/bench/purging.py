"""The nightly purge: signals and rows per second, and what the public side notices of it."""

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from statistics import median

from signals.app import make_worker
from signals.clock import SystemClock, today
from tests.bench.concluded import ROWS_EACH, seed_concluded
from tests.bench.house import House, make_house
from tests.bench.intake import FULL_PATH, send
from tests.bench.processes import free_port, running, taken_by, tell_to_go, wait_for_answer, wait_until_ready
from tests.bench.results import Line, quantile

_AGE = timedelta(days=60)


def measure_purging(
    folder: Path, database_url: str, keystore_url: str, *, rounds: int, signals: int, requests: int
) -> Iterator[Line]:
    """`signals` are purged in each round, whole ones with history, attempts and a key of their own.

    A process of its own purges. Beside it `requests` reports come in over HTTP, before and meanwhile.
    """
    port = free_port()
    house = make_house(folder, database_url, keystore_url, port=port)
    group = "purge, PostgreSQL"
    rates, cpu = [], []
    for number in range(rounds):
        seconds, spent = _purge(house, signals, seed=number + 1)
        rates.append(signals / seconds)
        cpu.append(spent / signals)
    yield Line(group, "rows deleted per second", median(rates) * ROWS_EACH, "1/s", at_least=5000)
    yield Line(
        group,
        f"signals per second, each of {ROWS_EACH} rows, with record, fact and key",
        median(rates),
        "1/s",
        at_least=5000,
    )
    yield Line(group, "CPU of the worker per signal", median(cpu) * 1e6, "us")
    yield from _intake_meanwhile(group, house, port, rounds=rounds, signals=signals, requests=requests)


def _purge(house: House, count: int, *, seed: int) -> tuple[float, float]:
    """(seconds, CPU seconds) of a process that purges what is seeded before."""
    _seed(house, count, seed)
    with running("-m", "tests.bench.working", str(house.config), "purge") as process:
        wait_until_ready(process)
        tell_to_go([process])
        [taken] = taken_by([process])
    return taken["until"] - taken["from"], taken["cpu"]


def _intake_meanwhile(
    group: str, house: House, port: int, *, rounds: int, signals: int, requests: int
) -> Iterator[Line]:
    alone: list[float] = []
    beside: list[float] = []
    covered = []
    with running("-m", "tests.bench.serving", str(house.config)):
        wait_for_answer(port)
        _latencies(port, requests, seed=1)
        for number in range(rounds):
            alone += _latencies(port, requests, seed=2 * number + 2)
            _seed(house, signals, seed=100 + number)
            with running("-m", "tests.bench.working", str(house.config), "purge") as process:
                wait_until_ready(process)
                started = time.perf_counter()
                tell_to_go([process])
                beside += _latencies(port, requests, seed=2 * number + 3)
                lasted = time.perf_counter() - started
                [taken] = taken_by([process])
                covered.append(min(1.0, (taken["until"] - taken["from"]) / lasted))
    yield Line(
        group,
        "intake p95 during a purge against that without",
        quantile(beside, 0.95) / quantile(alone, 0.95),
        at_most=2,
    )
    yield Line(group, "share of that time in which the purge went on", median(covered))
    for label, found in (("without", alone), ("during", beside)):
        yield Line(group, f"intake p95 {label}", quantile(found, 0.95) * 1e3, "ms")


def _seed(house: House, count: int, seed: int) -> None:
    worker = make_worker(house.settings)
    seed_concluded(worker, count, received_on=today(SystemClock()) - _AGE, seed=seed)
    worker.close()


def _latencies(port: int, count: int, *, seed: int) -> list[float]:
    latencies: list[float] = send(port, FULL_PATH, seed, count)["latencies"]
    return latencies
