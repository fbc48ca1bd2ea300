"""The nightly purge: signals and rows per second, and what the public side notices of it."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from statistics import median

from signals.app import make_worker
from signals.clock import SystemClock, today
from signals.settings import load_settings
from tests.bench.concluded import ROWS_EACH, seed_concluded
from tests.bench.house import PROJECT, House, clean_environment, make_house
from tests.bench.intake import CONNECTIONS, FULL_PATH
from tests.bench.processes import free_port, running, wait_for_answer
from tests.bench.results import Line, quantile

_AGE = timedelta(days=60)
_WARMING = 200


def measure_purging(
    folder: Path, database_url: str, keystore_url: str, *, rounds: int, signals: int, requests: int
) -> Iterator[Line]:
    """`signals` are purged in each round, whole ones with history, attempts and a key of their own.

    A process of its own purges. Beside it `requests` reports come in over HTTP, before and meanwhile.
    """
    port = free_port()
    house = make_house(folder, database_url=database_url, keystore_url=keystore_url, port=port)
    group = "purge, PostgreSQL"
    rates, cpu = [], []
    for number in range(rounds):
        seconds, spent = _purge(house, signals, seed=number + 1)
        rates.append(signals / seconds)
        cpu.append(spent / signals)
    yield Line(
        group=group,
        what="rows deleted per second",
        value=median(rates) * ROWS_EACH,
        unit="1/s",
        at_least=5000,
    )
    yield Line(
        group=group,
        what=f"signals per second, each of {ROWS_EACH} rows, with record, fact and key",
        value=median(rates),
        unit="1/s",
        at_least=5000,
    )
    yield Line(group=group, what="CPU of the worker per signal", value=median(cpu) * 1e6, unit="us")
    yield from _intake_meanwhile(group, house, port, rounds=rounds, signals=signals, requests=requests)


def _purge(house: House, count: int, *, seed: int) -> tuple[float, float]:
    """(seconds, CPU seconds) of a process that purges what is seeded before."""
    _seed(house, count, seed)
    with running("-m", "tests.bench.purging", str(house.config)) as process:
        return _let_go(process)


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
            with running("-m", "tests.bench.purging", str(house.config)) as process:
                started = time.perf_counter()
                _begin(process)
                beside += _latencies(port, requests, seed=2 * number + 3)
                lasted = time.perf_counter() - started
                covered.append(min(1.0, json.loads(_answer(process))["seconds"] / lasted))
    yield Line(
        group=group,
        what="intake p95 during a purge against that without",
        value=quantile(beside, 0.95) / quantile(alone, 0.95),
        at_most=2,
    )
    yield Line(group=group, what="share of that time in which the purge went on", value=median(covered))
    for label, found in (("without", alone), ("during", beside)):
        yield Line(group=group, what=f"intake p95 {label}", value=quantile(found, 0.95) * 1e3, unit="ms")


def _seed(house: House, count: int, seed: int) -> None:
    worker = make_worker(house.settings)
    seed_concluded(worker, count, received_on=today(SystemClock()) - _AGE, seed=seed)
    worker.close()


def _latencies(port: int, count: int, *, seed: int) -> list[float]:
    arguments = [str(port), FULL_PATH, str(seed), str(count), str(CONNECTIONS)]
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.client", *arguments],
        cwd=PROJECT,
        env=clean_environment(),
        capture_output=True,
        check=True,
    )
    latencies: list[float] = json.loads(done.stdout)["latencies"]
    return latencies


def _let_go(process: "subprocess.Popen[bytes]") -> tuple[float, float]:
    _begin(process)
    said = json.loads(_answer(process))
    return said["seconds"], said["cpu"]


def _begin(process: "subprocess.Popen[bytes]") -> None:
    assert process.stdin is not None
    assert _answer(process) == b"ready\n"
    process.stdin.write(b"\n")
    process.stdin.flush()


def _answer(process: "subprocess.Popen[bytes]") -> bytes:
    assert process.stdout is not None
    return process.stdout.readline()


if __name__ == "__main__":
    from privacy.logs import configure_logging

    configure_logging(level="WARNING")
    _worker = make_worker(load_settings(Path(sys.argv[1]), {}))
    _retention = _worker.retention()
    _retention.preview(_worker.clock)  # connections and mappers
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    _started, _spent = time.perf_counter(), time.process_time()
    _retention.run(_worker.clock)
    _said = {"seconds": time.perf_counter() - _started, "cpu": time.process_time() - _spent}
    sys.stdout.write(json.dumps(_said) + "\n")
    sys.stdout.flush()
