"""All measurements, one after the other, each in folders and databases that are gone afterwards."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench.arrival import measure_arrival
from tests.bench.desk import measure_desk
from tests.bench.enqueueing import measure_enqueueing
from tests.bench.figure_pages import measure_pages
from tests.bench.figures import measure_release
from tests.bench.growth import measure_growth
from tests.bench.intake import REQUESTS_PER_SECOND, measure_intake
from tests.bench.opening import measure_opening
from tests.bench.purging import measure_purging
from tests.bench.queue import measure_queue
from tests.bench.results import Line
from tests.bench.routing import measure_routing
from tests.bench.sending import measure_sending
from tests.bench.slow_bodies import measure_slow_bodies
from tests.bench.start import measure_start
from tests.bench.tokens import measure_tokens
from tests.bench.trail import measure_trail
from tests.support.postgres import PostgresServer

# Seeding writes gigabytes: no checkpoint interrupts it. Commits stay durable.
SETTINGS = {"max_wal_size": "8GB"}
SLOW_DISK = {"commit_siblings": "0", "commit_delay": "20000"}
"""Each flush of the write-ahead log waits 20 ms, as on a disk that turns: waiting for others then shows."""

ALONE = SETTINGS | {
    "fsync": "off", "synchronous_commit": "off", "autovacuum": "off", "max_parallel_workers_per_gather": "0",
    "maintenance_work_mem": "512MB", "shared_buffers": "512MB",
}  # fmt: skip
"""Each process of PostgreSQL works for one query: its CPU is counted."""


@dataclass(frozen=True, kw_only=True)
class Size:
    """Amounts of rounds, requests and reports in a round, signals in the larger queue, facts in a quarter."""

    rounds: int
    requests: int
    reports: int
    signals: int
    far_page: int
    reads: int
    messages: int
    facts: int
    years: int


WHOLE = Size(
    rounds=9, requests=2000, reports=3000, signals=1_000_000, far_page=100, reads=300, messages=10_000,
    facts=1_000_000, years=10,
)  # fmt: skip
QUICK = Size(
    rounds=3, requests=500, reports=1000, signals=100_000, far_page=10, reads=100, messages=1_000,
    facts=100_000, years=2,
)  # fmt: skip


def run_bench(parts: tuple[str, ...], size: Size, tell: Callable[[str], None]) -> Iterator[Line]:
    """Yield the lines of the chosen parts; `tell` hears what is measured now."""
    with tempfile.TemporaryDirectory(prefix="signals-bench-") as name:
        for part in parts:
            tell(part)
            folder = Path(name) / part
            folder.mkdir()
            yield from _MEASURE[part](folder, size)


@contextmanager
def _postgres(*names: str, settings: dict[str, str] = SETTINGS) -> Iterator[tuple[PostgresServer, list[str]]]:
    """Yield a durable server and the urls of new databases on it."""
    with PostgresServer(durable=True, settings=settings) as server:
        yield server, [server.create_database(name) for name in names]


def _routing(folder: Path, size: Size) -> Iterator[Line]:
    yield from measure_routing(folder, rounds=size.rounds)


def _intake(folder: Path, size: Size) -> Iterator[Line]:
    much = {"rounds": size.rounds, "requests": size.requests}
    with _postgres("bench") as (_server, [url]):
        yield from measure_intake("intake, PostgreSQL", folder / "postgresql", url, at_least=0.70, **much)
    yield from measure_intake("intake, SQLite", folder / "sqlite", None, at_least=0.60, **much)


def _arrival(folder: Path, size: Size) -> Iterator[Line]:
    reports = 2 * size.reports  # twelve batches, which two workers can share evenly
    with _postgres("front", "bench", "keystore") as (server, [front, *urls]):
        much = {"rounds": size.rounds, "requests": size.requests}
        lines = measure_intake("front", folder / "front", front, at_least=0.70, **much)
        [taken_in] = [line.value for line in lines if line.what == REQUESTS_PER_SECOND]
        group = "arrival, PostgreSQL (keystore: a database of its own there)"
        yield from measure_arrival(
            group,
            folder / "postgresql",
            *urls,
            rounds=size.rounds // 2 + 1,
            reports=reports,
            postmaster=server.process_id,
            taken_in=taken_in,
        )
    group = "arrival, SQLite (keystore: a file of its own)"
    yield from measure_arrival(group, folder / "sqlite", rounds=size.rounds // 3, reports=reports)


def _queue(folder: Path, size: Size) -> Iterator[Line]:
    counts = (size.signals // 10, size.signals)
    much = {"far_page": size.far_page, "rounds": size.reads}
    with _postgres("few", "many") as (_server, urls):
        yield from measure_queue("queue, PostgreSQL", folder / "postgresql", urls, counts=counts, **much)
    yield from measure_queue("queue, SQLite", folder / "sqlite", [None, None], counts=counts, **much)


def _desk(folder: Path, size: Size) -> Iterator[Line]:
    yield from measure_desk(folder, rounds=size.reads // 3)


def _opening(folder: Path, size: Size) -> Iterator[Line]:
    disks = {"as it is": SETTINGS, "20 ms for each flush": SETTINGS | SLOW_DISK}
    for disk, settings in disks.items():
        group = f"opening a signal, PostgreSQL (2 processes of 4 threads), disk: {disk}"
        with _postgres("bench", settings=settings) as (_server, [url]):
            yield from measure_opening(group, folder / disk, url, rounds=size.rounds, requests=size.requests)


def _retention(folder: Path, size: Size) -> Iterator[Line]:
    much = {"rounds": min(size.rounds, 5), "signals": 3 * size.reports, "requests": size.requests}
    with _postgres("bench", "keystore") as (_server, urls):
        yield from measure_purging(folder, *urls, **much)


def _audit(folder: Path, size: Size) -> Iterator[Line]:
    much = {"entries": size.signals, "rounds": 3}
    with _postgres("bench") as (_server, [url]):
        yield from measure_trail("audit, PostgreSQL", folder / "postgresql", url, **much)
    yield from measure_trail("audit, SQLite", folder / "sqlite", None, **much)


def _sending(folder: Path, size: Size) -> Iterator[Line]:
    much = {"rounds": size.rounds, "reports": size.reports}
    with _postgres("bench", "keystore") as (server, house):
        urls = [server.create_database(f"round_{number}") for number in range(min(size.rounds, 3))]
        yield from measure_sending("sending, PostgreSQL", urls, messages=size.messages)
        group, postmaster = "enqueueing, PostgreSQL", server.process_id
        yield from measure_enqueueing(group, folder, house, postmaster=postmaster, **much)


def _statistics(folder: Path, size: Size) -> Iterator[Line]:
    with _postgres("bench") as (_server, [url]):
        yield from measure_release("statistics, PostgreSQL", folder / "postgresql", url, facts=size.facts)
    url = f"sqlite:///{folder}/signals.db"
    yield from measure_release("statistics, SQLite", folder / "sqlite", url, facts=size.facts)
    yield from measure_pages(folder / "pages", rounds=size.reads)


def _growth(folder: Path, size: Size) -> Iterator[Line]:
    counts = size.signals // 10, size.signals
    with _postgres("few", "many", settings=ALONE) as (_server, urls):
        yield from measure_growth(folder, urls, counts=counts)


def _bodies(folder: Path, size: Size) -> Iterator[Line]:
    yield from measure_slow_bodies(folder, requests=size.requests)


def _tokens(folder: Path, size: Size) -> Iterator[Line]:
    yield from measure_tokens(folder, rounds=size.rounds, requests=size.requests)


def _start(folder: Path, size: Size) -> Iterator[Line]:
    yield from measure_start(folder, rounds=min(size.rounds, 5))


_MEASURE: dict[str, Callable[[Path, Size], Iterator[Line]]] = {
    "routing": _routing, "intake": _intake, "arrival": _arrival, "queue": _queue, "desk": _desk,
    "opening": _opening, "retention": _retention, "audit": _audit, "sending": _sending,
    "statistics": _statistics, "growth": _growth, "bodies": _bodies, "tokens": _tokens, "start": _start,
}  # fmt: skip

PARTS = tuple(_MEASURE)
