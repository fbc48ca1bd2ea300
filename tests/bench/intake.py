"""Intake over HTTP, the full path, against a bare INSERT behind the same server (docs/performance.md)."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from tests.bench import serving
from tests.bench.house import PROJECT, House, clean_environment, make_house
from tests.bench.processes import children_of, cpu_seconds, free_port, running, wait_for_answer
from tests.bench.results import Line, quantile

FULL_PATH = "/api/v1/signals"
CONNECTIONS = 8


@dataclass
class Side:
    """What was seen of one of the two, round by round."""

    path: str
    rates: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)


FULL = "full path"
REQUESTS_PER_SECOND = f"{FULL}: requests per second"


def measure_intake(
    group: str, folder: Path, database_url: str, *, at_least: float, rounds: int, requests: int
) -> Iterator[Line]:
    """Interleaved rounds of both; `requests` per round. The ratio is that of the median rates."""
    port = free_port()
    house = make_house(
        folder, database_url=database_url, keystore_url=f"sqlite:///{folder}/keystore.db", port=port
    )
    _make_yardstick_table(house)
    full, bare = Side(FULL_PATH), Side(serving.YARDSTICK_PATH)
    with running("-m", "tests.bench.serving", str(house.config)) as server:
        wait_for_answer(port)
        workers = children_of(server.pid)
        for number in range(-1, rounds):
            for side in (full, bare) if number % 2 else (bare, full):
                _play(side, port, workers, seed=number + 2, count=requests, kept=number >= 0)
    yield Line(
        group=group,
        what="POST /signals against the yardstick, requests per second",
        value=median(full.rates) / median(bare.rates),
        at_least=at_least,
    )
    pairs = [mine / theirs for mine, theirs in zip(full.rates, bare.rates, strict=True)]
    yield Line(group=group, what="the same, round by round: the median of their ratios", value=median(pairs))
    yield from _details(group, FULL, full)
    yield from _details(group, "yardstick", bare)


def _make_yardstick_table(house: House) -> None:
    engine = house.engine()
    serving.metadata.create_all(engine)
    engine.dispose()


def _play(side: Side, port: int, workers: list[int], *, seed: int, count: int, kept: bool) -> None:
    before = cpu_seconds(workers)
    said = _client(port, side.path, seed, count)
    if not kept:
        return
    side.rates.append(count / said["seconds"])
    side.cpu.append((cpu_seconds(workers) - before) / count)
    side.latencies += said["latencies"]


def _client(port: int, path: str, seed: int, count: int) -> dict:  # type: ignore[type-arg]
    arguments = [str(port), path, str(seed), str(count), str(CONNECTIONS)]
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.client", *arguments],
        cwd=PROJECT,
        env=clean_environment(),
        capture_output=True,
        check=True,
    )
    said: dict = json.loads(done.stdout)  # type: ignore[type-arg]
    if set(said["statuses"]) != {"201"}:
        raise RuntimeError(f"{path} answered {said['statuses']}")
    return said


def _details(group: str, name: str, side: Side) -> Iterator[Line]:
    yield Line(group=group, what=f"{name}: requests per second", value=median(side.rates), unit="1/s")
    yield Line(
        group=group, what=f"{name}: CPU of the workers per request", value=median(side.cpu) * 1e6, unit="us"
    )
    for label, share in (("p50", 0.50), ("p95", 0.95), ("p99", 0.99)):
        value = quantile(side.latencies, share) * 1e3
        yield Line(group=group, what=f"{name}: {label}", value=value, unit="ms")
