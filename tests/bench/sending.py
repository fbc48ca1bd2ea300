"""Delivering from the outbox by two workers, against a bare loop of two that only sends to the same sink."""

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from notifications.models import Base
from notifications.outbox import enqueue
from signals.clock import SystemClock
from signals.db import make_engine, session_factory
from tests.bench.results import Line
from tests.unit.notifications.building import new_message, subject

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
import os, sys
import psutil
from notifications.channels.email import EmailChannel, Security, SmtpServer
server = SmtpServer(host="127.0.0.1", port=int(sys.argv[1]), security=Security.NONE)
channel = EmailChannel(server=server, sender="meldingen@example.org")
memory = lambda: psutil.Process().memory_info().rss
"""

BARE = (
    COMMON
    + """
from notifications.rendering import render
from tests.unit.notifications.building import new_message, outgoing
told = new_message()
message = outgoing(**vars(render(told.event, told.language, told.values)))
channel.send(message)
print("ready", flush=True); sys.stdin.readline()
for _ in range(int(sys.argv[2])):
    channel.send(message)
print(0, flush=True)
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
print("ready", flush=True); sys.stdin.readline()
after_first = 0
while deliver_due(sessions, clock, {"email": channel}, limit=50).total:
    after_first = after_first or memory()
print(memory() - after_first, flush=True)
"""
)


def measure_sending(group: str, urls: Sequence[str], *, messages: int) -> Iterator[Line]:
    """`urls`: an empty database for each round; `messages`: how many are due in it."""
    ratios, growths, rates = [], [], []
    for url in urls:
        _fill(url, messages)
        with _sink() as port:
            bare, _ = _timed(BARE, port, str(messages // WORKERS))
            seconds, grown = _timed(DELIVERING, port, url)
        ratios.append(bare / seconds)
        rates.append(messages / seconds)
        growths.append(max(grown) / 2**20)
    yield Line(group=group, what=f"{messages:,} messages, {WORKERS} workers", value=median(rates), unit="/s")
    yield Line(group=group, what="of the rate of a bare loop", value=median(ratios), at_least=0.7)
    yield Line(
        group=group, what="memory gained after the first batch", value=max(growths), unit="MiB", at_most=10
    )


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


def _timed(code: str, *arguments: str) -> tuple[float, list[int]]:
    """Seconds until both have finished, once both were ready; and what each printed last."""
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
    return time.perf_counter() - started, [int(words.split()[-1]) for words in said]


def _start(code: str, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=CHECKOUT,
    )
