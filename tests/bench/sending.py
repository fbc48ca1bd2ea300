"""Delivering from the outbox by two workers, against a bare loop of two that only sends to the same sink."""

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from notifications.models import Base
from notifications.outbox import enqueue
from signals.clock import SystemClock
from signals.db import make_engine, session_factory
from tests.bench.results import Line
from tests.notifications.building import new_message, subject

WORKERS = 2
CHECKOUT = Path(__file__).resolve().parents[2]

SINK = """
import asyncio, socket, sys
from aiosmtpd.smtp import SMTP

class Taken:
    async def handle_DATA(self, server, session, envelope):
        return "250 OK"

async def serve():
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(Taken(), hostname="sink.example.org"), sock=listener
    )
    print(listener.getsockname()[1], flush=True)
    await server.serve_forever()

asyncio.run(serve())
"""

COMMON = """
import sys, time
import psutil
from notifications.channels.email import EmailChannel, Security, SmtpServer
server = SmtpServer(host="127.0.0.1", port=int(sys.argv[1]), security=Security.NONE)
channel = EmailChannel(server=server, sender="meldingen@example.org")
from notifications.rendering import render
from tests.notifications.building import new_message, outgoing
told = new_message()
message = outgoing(**vars(render(told.event, told.language, told.values)))
channel.send(message)  # templates are compiled and modules loaded before the time runs
memory = lambda: psutil.Process().memory_info().rss
def ready():
    print("ready", flush=True)
    sys.stdin.readline()
    return time.process_time()
"""

BARE = (
    COMMON
    + """
started = ready()
for _ in range(int(sys.argv[2])):
    channel.send(message)
print(0, time.process_time() - started, flush=True)
"""
)

DELIVERING = (
    COMMON
    + """
from notifications.delivery import deliver_due
from signals.clock import SystemClock
from signals.db import make_engine, session_factory
sessions, clock = session_factory(make_engine(sys.argv[2])), SystemClock()
sessions().connection()
started, after_first = ready(), 0
while deliver_due(sessions, clock, {"email": channel}, limit=500).total:
    after_first = after_first or memory()
print(memory() - after_first, time.process_time() - started, flush=True)
"""
)


@dataclass(frozen=True, kw_only=True)
class _Timing:
    """Time of both workers together, from the moment that both were ready; `grown`: bytes of the larger."""

    seconds: float
    cpu: float
    grown: int = 0

    def plus(self, other: "_Timing") -> "_Timing":
        return _Timing(seconds=self.seconds + other.seconds, cpu=self.cpu + other.cpu)


def measure_sending(group: str, urls: Sequence[str], *, messages: int) -> Iterator[Line]:
    """`urls`: an empty database for each round; `messages`: how many are due in it."""
    rounds = [_round(url, messages) for url in urls]
    rate = median(messages / delivering.seconds for _, delivering in rounds)
    yield Line(group, f"{messages:,} messages, {WORKERS} workers", rate, "/s")
    by_clock = median(bare.seconds / delivering.seconds for bare, delivering in rounds)
    yield Line(group, "of the rate of a bare loop", by_clock, at_least=0.4)
    by_cpu = median(bare.cpu / delivering.cpu for bare, delivering in rounds)
    yield Line(group, "the same by CPU of the workers", by_cpu)
    for name, cpu in zip(("bare", "delivering"), zip(*_cpu_of(rounds), strict=True), strict=True):
        value = median(cpu) / messages * 1e6
        yield Line(group, f"CPU of a worker for each mail, {name}", value, "us")
    grown = max(delivering.grown for _, delivering in rounds) / 2**20
    yield Line(group, "memory gained after the first batch", grown, "MiB", at_most=10)


def _round(url: str, messages: int) -> tuple[_Timing, _Timing]:
    """The bare loop and delivery; one half of the loop before, one after, for machines have moods."""
    _fill(url, messages)
    half = str(messages // WORKERS // 2)
    with _sink() as port:
        before = _timed(BARE, port, half)
        delivering = _timed(DELIVERING, port, url)
        return before.plus(_timed(BARE, port, half)), delivering


def _cpu_of(rounds: Sequence[tuple[_Timing, _Timing]]) -> Iterator[tuple[float, float]]:
    for bare, delivering in rounds:
        yield bare.cpu, delivering.cpu


def _fill(url: str, messages: int) -> None:
    engine = make_engine(url)
    Base.metadata.create_all(engine)
    now = SystemClock().now()
    with session_factory(engine).begin() as session:
        rows = [
            new_message(
                subject_id=subject(n), organisation_id=subject(n % 300), channel="email", not_before=now
            )
            for n in range(1, messages + 1)
        ]
        enqueue(session, rows)
    engine.dispose()


@contextmanager
def _sink() -> Iterator[str]:
    """A mail server in a process of its own that takes everything and keeps nothing."""
    process = _start(SINK)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.communicate()


def _timed(code: str, *arguments: str) -> _Timing:
    """Measure from the moment that both workers are ready until both have finished."""
    workers = [_start(code, *arguments) for _ in range(WORKERS)]
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline().strip() == "ready"
    started = time.perf_counter()
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    said = [worker.communicate(timeout=900)[0] for worker in workers]
    seconds = time.perf_counter() - started
    grown, cpu = zip(*(words.split()[-2:] for words in said), strict=True)
    return _Timing(seconds=seconds, cpu=sum(map(float, cpu)), grown=max(map(int, grown)))


def _start(code: str, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=CHECKOUT,
    )
