"""Intake over HTTP, the full path, against a bare INSERT behind the same server (docs/performance.md)."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench import serving
from tests.bench.house import House, make_house
from tests.bench.processes import children_of, cpu_seconds, free_port, running, said_by, wait_for_answer
from tests.bench.results import Line, quantile

FULL_PATH = "/api/v1/signals"
CONNECTIONS = 8


@dataclass
class Side:
    """The measurements of one of the paths, round by round."""

    path: str
    sealed: bool = False
    rates: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)


FULL = "full path"
REQUESTS_PER_SECOND = f"{FULL}: requests per second"


def measure_intake(
    group: str, folder: Path, database_url: str | None, *, at_least: float, rounds: int, requests: int
) -> Iterator[Line]:
    """Interleaved rounds of all three; `requests` per round. The ratio is that of the median rates."""
    port = free_port()
    house = make_house(folder, database_url, port=port)
    _make_yardstick_table(house)
    full, sealed, bare = Side(FULL_PATH), Side(FULL_PATH, sealed=True), Side(serving.YARDSTICK_PATH)
    with running("-m", "tests.bench.serving", str(house.config)) as server:
        wait_for_answer(port)
        workers = children_of(server.pid)
        for number in range(-1, rounds):
            for side in (full, sealed, bare) if number % 2 else (bare, sealed, full):
                _play(side, port, workers, seed=number + 2, count=requests, kept=number >= 0)
    yield Line(
        group,
        "POST /signals against the yardstick, requests per second",
        median(full.rates) / median(bare.rates),
        at_least=at_least,
    )
    yield Line(
        group,
        "the same of reports that the phone sealed",
        median(sealed.rates) / median(bare.rates),
        at_least=0.85,
    )
    pairs = [mine / theirs for mine, theirs in zip(full.rates, bare.rates, strict=True)]
    yield Line(group, "the same, round by round: the median of their ratios", median(pairs))
    yield from _details(group, FULL, full)
    yield from _details(group, "sealed by the phone", sealed)
    yield from _details(group, "yardstick", bare)


def _make_yardstick_table(house: House) -> None:
    engine = house.engine()
    serving.metadata.create_all(engine)
    engine.dispose()


def _play(side: Side, port: int, workers: list[int], *, seed: int, count: int, kept: bool) -> None:
    before = cpu_seconds(workers)
    said = send(port, side.path, seed, count, sealed=side.sealed)
    if not kept:
        return
    side.rates.append(count / said["seconds"])
    side.cpu.append((cpu_seconds(workers) - before) / count)
    side.latencies += said["latencies"]


def send(port: int, path: str, seed: int, count: int, *, sealed: bool = False) -> dict[str, Any]:
    """Send reports from a client in a process of its own; return what `client.talk` says."""
    arguments = [str(port), path, str(seed), str(count), str(CONNECTIONS), *["sealed"] * sealed]
    said: dict[str, Any] = said_by("-m", "tests.bench.client", *arguments)
    if set(said["statuses"]) != {"201"}:
        raise RuntimeError(f"{path} answered {said['statuses']}")
    return said


def _details(group: str, name: str, side: Side) -> Iterator[Line]:
    yield Line(group, f"{name}: requests per second", median(side.rates), "1/s")
    yield Line(
        group,
        f"{name}: CPU of the workers per request{' and its look-up' * side.sealed}",
        median(side.cpu) * 1e6,
        "us",
    )
    for label, share in (("p50", 0.50), ("p95", 0.95), ("p99", 0.99)):
        value = quantile(side.latencies, share) * 1e3
        yield Line(group, f"{name}: {label}", value, "ms")
