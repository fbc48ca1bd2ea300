"""Workers that are killed at random while they deliver: what was sent, how often, and what the outbox says.

Each worker is a process of its own that sends to a file, one line for each message in one write, so that the
file tells the truth whatever happens to the process.
"""

import random
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from notifications.models import DeliveryAttempt, MessageState, OutboxMessage
from notifications.outbox import enqueue
from notifications.retry import DOUBTFUL
from signals.clock import SystemClock
from signals.db import make_engine, reading, session_factory
from tests.notifications.building import new_message, subject

LEASE_SECONDS = 8  # longer than a busy machine lets a live worker wait
LONGEST_SECONDS = 300.0

WORKER = """
import os, sys, time
from notifications.channels import Sent
from notifications.delivery import deliver_due
from signals.clock import SystemClock
from signals.db import make_engine, session_factory

class Sink:
    def __init__(self, path):
        self.file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    def send(self, message):
        os.write(self.file, f"{message.id}\\n".encode())
        return Sent(provider_message_id=str(message.id))

sessions, sink, clock = session_factory(make_engine(sys.argv[1])), Sink(sys.argv[2]), SystemClock()
while True:
    if not deliver_due(sessions, clock, {"memory": sink}, limit=20, lease_seconds=int(sys.argv[3])).total:
        time.sleep(0.05)
"""


@dataclass(frozen=True, kw_only=True)
class FaultReport:
    """Counts of a run. `lost`: neither sent nor with a person. `unexplained`: repeated without a doubt."""

    messages: int
    kills: int
    sent_once: int
    duplicates: int
    most_often: int
    lost: int
    unexplained: int
    dead_letters: int


@dataclass(kw_only=True)
class _Crew:
    """Two workers at any time, each killed after as many messages as the dice say."""

    url: str
    sink: Path
    rng: random.Random
    kills: int
    stride: int
    workers: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def run(self, engine: Engine) -> None:
        deadline = time.monotonic() + LONGEST_SECONDS
        try:
            self._fill_up()
            left, next_kill = self.kills, self.rng.randint(1, self.stride)
            while _unsettled(engine) and time.monotonic() < deadline:
                if left and _lines(self.sink) >= next_kill:
                    self._kill_one()
                    left, next_kill = left - 1, _lines(self.sink) + self.rng.randint(1, self.stride)
                time.sleep(self.rng.uniform(0.002, 0.02))
            assert not left, f"{left} kills were left: the messages were delivered too quickly"
        finally:
            for worker in self.workers:
                worker.kill()
                worker.wait()

    def _fill_up(self) -> None:
        while len(self.workers) < 2:
            command = [sys.executable, "-c", WORKER, self.url, str(self.sink), str(LEASE_SECONDS)]
            self.workers.append(subprocess.Popen(command, cwd=Path(__file__).parents[2]))

    def _kill_one(self) -> None:
        worker = self.workers.pop(self.rng.randrange(len(self.workers)))
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        self._fill_up()


def fault_run(url: str, folder: Path, *, messages: int, kills: int, seed: int) -> FaultReport:
    """Deliver `messages` by two workers of which one is killed `kills` times. The outbox must be empty."""
    engine = make_engine(url)
    try:
        with session_factory(engine).begin() as session:
            now = SystemClock().now()
            enqueue(
                session, [new_message(subject_id=subject(n), not_before=now) for n in range(1, messages + 1)]
            )
        crew = _Crew(
            url=url,
            sink=folder / "sent",
            rng=random.Random(seed),
            kills=kills,
            stride=max(
                1, messages // (2 * kills)
            ),  # on average the kills end after a quarter of the messages
        )
        crew.run(engine)
        with session_factory(engine)() as session:
            return _report(session, crew, messages)
    finally:
        engine.dispose()


def _report(session: Session, crew: _Crew, messages: int) -> FaultReport:
    sent = Counter(crew.sink.read_text().split())
    doubted = {
        str(found)
        for found in session.scalars(
            select(DeliveryAttempt.message_id).where(DeliveryAttempt.problem.in_(DOUBTFUL))
        )
    }
    states = {
        str(row.id): row.state for row in session.execute(select(OutboxMessage.id, OutboxMessage.state))
    }
    given_up = {found for found, state in states.items() if state is MessageState.FAILED}
    twice = {found for found, times in sent.items() if times > 1}
    return FaultReport(
        messages=messages,
        kills=crew.kills,
        sent_once=sum(times == 1 for times in sent.values()),
        duplicates=len(twice),
        most_often=max(sent.values()),
        lost=len(set(states) - set(sent) - given_up),
        unexplained=len(twice - doubted),
        dead_letters=len(given_up),
    )


def _unsettled(engine: Engine) -> int:
    waiting = OutboxMessage.state.in_([MessageState.QUEUED, MessageState.SENDING])
    with reading(engine).connect() as connection:
        return connection.scalar(select(func.count()).select_from(OutboxMessage).where(waiting)) or 0


def _lines(file: Path) -> int:
    return file.read_bytes().count(b"\n") if file.exists() else 0
