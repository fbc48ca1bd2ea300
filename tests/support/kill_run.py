"""Front, worker and desk, killed outright at random while reports come in, and what became of these.

Each role runs as under a service manager: it starts again at once after a kill. A kill takes its children
too, and comes after it did something.
"""

import json
import random
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select

from privacy.passwords import PasswordHasherSettings
from signals.clock import SystemClock
from signals.db import reading
from signals.intake.content import open_reports
from signals.models import SealedReport, Signal
from signals.routing.postcodes import Address
from signals.staff.accounts import add_staff, issue_token
from signals.vocabulary import ProcessRole, Role
from tests.support.serving import Served, free_port
from tests.support.world import AMSTERDAM, World, key

PACE_SECONDS = 0.05
MOST_DONE = 4
"""A process is killed after at most so many reports, arrivals or openings."""
_LETTERS = "ABCDEFGHJKLMNPRSTUVWXZ"


@dataclass(frozen=True, kw_only=True)
class KillReport:
    """Counts of a run: kills by role, reports that were acknowledged, and what became of them."""

    kills: Mapping[str, int]
    acknowledged: int
    opened: int
    lost: int
    doubled: int
    unreadable: int
    seconds: int


def kill_run(world: World, *, kills: int, seed: int, within_seconds: float) -> KillReport:
    """Kill processes of a world `kills` times in random order."""
    world.clock.moment = SystemClock().now()
    world.worker().provision_keys()
    run = KillRun(world=world, rng=random.Random(seed), deadline=time.monotonic() + within_seconds)
    began = time.monotonic()
    with ExitStack() as closing:
        closing.callback(run.close)
        run.start()
        run.kill(kills)
        run.come_to_rest()
    return run.report(int(time.monotonic() - began))


class _Part:
    """A process of one role, and whether it did enough since it started to be killed."""

    def __init__(self, run: "KillRun", role: ProcessRole, done: Callable[[], int]) -> None:
        self.run, self.role, self.port, self._done = run, role, free_port(), done
        self.start()

    def has_worked(self) -> bool:
        return self._done() >= self._goal

    def kill(self) -> None:
        self.served.close()
        assert self.served.left_over() == []
        self.start()

    def start(self) -> None:
        self.served = Served(self.run.world, role=self.role, port=self.port)
        self._goal = self._done() + self.run.rng.randint(1, MOST_DONE)


@dataclass(kw_only=True)
class KillRun:
    """The processes, a carrier who sends one report after the other, and a worker who opens signals."""

    world: World
    rng: random.Random
    deadline: float
    kills: Counter[str] = field(default_factory=Counter)
    acknowledged: list[Address] = field(default_factory=list)
    opened: int = 0
    parts: list[_Part] = field(default_factory=list)
    people: list[threading.Thread] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        token = _token_of_a_worker(self.world)
        front = _Part(self, ProcessRole.FRONT, lambda: len(self.acknowledged))
        desk = _Part(self, ProcessRole.DESK, lambda: self.opened)
        self.parts = [front, _Part(self, ProcessRole.WORKER, self._arrived), desk]
        sending = threading.Thread(target=self._send_reports, args=(front.port,))
        opening = threading.Thread(target=self._open_signals, args=(desk.port, token))
        self.people = [sending, opening]
        for person in self.people:
            person.start()

    def kill(self, times: int) -> None:
        for _ in range(times):
            self._wait(lambda: any(part.has_worked() for part in self.parts))
            time.sleep(self.rng.uniform(0, 0.2))
            part = self.rng.choice([part for part in self.parts if part.has_worked()])
            part.kill()
            self.kills[part.role.value] += 1

    def come_to_rest(self) -> None:
        """Let everybody end what they began, and all reports arrive."""
        self.over.set()
        for person in self.people:
            person.join(self._left())
        self._wait(lambda: not self._number(select(func.count()).select_from(SealedReport)))

    def _wait(self, condition: Callable[[], bool]) -> None:
        """Wait until a condition holds; fail with the ends of the logs at the run's deadline."""
        while not condition():
            logs = [part.served.log()[-1_000:] for part in self.parts]
            assert time.monotonic() < self.deadline, logs
            time.sleep(0.05)

    def close(self) -> None:
        self.over.set()
        self.deadline = 0
        for part in self.parts:
            part.served.close()

    def report(self, seconds: int) -> KillReport:
        signals = self.world.signals()
        readable = open_reports(self.world.keystore, signals)
        found = Counter(report.address for report in readable.values())
        return KillReport(
            kills=dict(self.kills),
            acknowledged=len(self.acknowledged),
            opened=self.opened,
            lost=len(set(self.acknowledged) - set(found)),
            doubled=found.total() - len(found),
            unreadable=len(signals) - len(readable),
            seconds=seconds,
        )

    def _send_reports(self, port: int) -> None:
        for number in count(1):
            if self.over.is_set():
                return
            address = _address(number)
            body = json.dumps({"postcode": address.postcode, "house_number": address.number}).encode()
            headers = {"Content-Type": "application/json", "Idempotency-Key": str(key(number))}
            while not _asked(f"http://127.0.0.1:{port}/api/v1/signals", headers, body):
                if time.monotonic() > self.deadline:
                    return
                time.sleep(PACE_SECONDS)
            self.acknowledged.append(address)
            time.sleep(PACE_SECONDS)

    def _open_signals(self, port: int, token: str) -> None:
        while not self.over.is_set():
            time.sleep(PACE_SECONDS)
            newest: UUID | None = self._number(select(Signal.id).order_by(Signal.due_on.desc()).limit(1))
            url = f"http://127.0.0.1:{port}/api/v1/signals/{newest}"
            self.opened += bool(newest and _asked(url, {"Authorization": f"Bearer {token}"}))

    def _arrived(self) -> int:
        return int(self._number(select(func.count()).select_from(Signal)))

    def _number(self, query: Select[Any]) -> Any:
        with reading(self.world.engine).connect() as connection:
            return connection.scalar(query)

    def _left(self) -> float:
        return self.deadline - time.monotonic()


def _asked(url: str, headers: dict[str, str], body: bytes | None = None) -> bool:
    """Return whether the request got an answer of success."""
    with suppress(OSError):
        request = urllib.request.Request(url, data=body, headers=headers)
        with urllib.request.urlopen(request, timeout=20) as answer:
            answer.read()
            return True
    return False


def _address(number: int) -> Address:
    """Return the n-th address, each another one."""
    street, house = divmod(number, 200)
    first, second = divmod(street, len(_LETTERS))
    return Address(postcode=f"1012{_LETTERS[first]}{_LETTERS[second]}", number=house + 1)


def _token_of_a_worker(world: World) -> str:
    with world.begin() as operation:
        new = add_staff(
            operation,
            organisation_id=AMSTERDAM,
            role=Role.WORKER,
            name="Medewerker",
            email="werk@example.org",
            password="zeven groene fietsen",
            hasher=PasswordHasherSettings(memory_kib=1024),
        )
        return issue_token(operation, member=new.member, label="kills", days=1)
