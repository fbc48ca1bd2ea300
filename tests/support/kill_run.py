"""Front, worker and desk, killed outright at random while reports come in, and what became of these.

Each role runs as under a service manager: it starts again at once when its main process ended, and loses what
is left of it first. A kill ends one process, of a server its main process or a child, and comes after it did
something. Faults come between the kills.
"""

import json
import random
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from itertools import count
from typing import Any
from uuid import UUID

import psutil  # type: ignore[import-untyped]
from sqlalchemy import Select, func, select
from sqlalchemy.exc import SQLAlchemyError

from privacy.passwords import PasswordHasherSettings
from signals.clock import SystemClock
from signals.db import reading
from signals.intake.content import open_reports
from signals.models import SealedReport, Signal
from signals.routing.postcodes import Address
from signals.staff.accounts import add_staff, issue_token
from signals.vocabulary import ProcessRole, Role
from tests.support.kill_report import KillReport
from tests.support.serving import Served, free_port
from tests.support.world import AMSTERDAM, World, key

PACE_SECONDS = 0.1
STALL_SECONDS = 240.0
"""Longer than the longest timeout of the product, on a busy machine."""
MOST_DONE = 4
"""A process is killed after at most so many reports, arrivals or openings."""
_LETTERS = "ABCDEFGHJKLMNPRSTUVWXZ"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Something that happens to everybody, once this part of the run is over."""

    name: str
    after: float
    strike: Callable[["KillRun"], None]


@dataclass(frozen=True, kw_only=True)
class KillPlan:
    """How many kills, within how many seconds (then the run stops), of how many processes of each role."""

    kills: int
    seconds: float
    crew: int = 1
    faults: Sequence[Fault] = ()


def kill_run(world: World, plan: KillPlan, *, seed: int) -> KillReport:
    """Kill processes of a world in random order, and check every report afterwards."""
    world.clock.moment = SystemClock().now()
    world.worker().provision_keys()
    run = KillRun(world=world, plan=plan, rng=random.Random(seed))
    with ExitStack() as closing:
        closing.callback(run.close)
        run.start()
        run.kill()
        run.come_to_rest()
    return run.report()


class _Part:
    """A process of one role, and whether it did enough since its last kill to be killed."""

    def __init__(self, run: "KillRun", role: ProcessRole, done: Callable[[int], int]) -> None:
        self.run, self.role, self.port = run, role, free_port()
        self.done: Callable[[], int] = lambda: done(self.port)
        self.start()

    def has_worked(self) -> bool:
        """Whether it did; a worker among several runs jobs, on threads, when it has begun at all."""
        with suppress(psutil.NoSuchProcess):
            return self.done() >= self._goal and psutil.Process(self.served.process.pid).num_threads() > 1
        return False

    def processes(self) -> list[psutil.Process]:
        """Return the main process and its children."""
        main = psutil.Process(self.served.process.pid)
        return [main, *main.children()]

    def kill(self, process: psutil.Process) -> str:
        """Kill one of its processes, and return whose it was."""
        process.kill()
        self._aim()
        if process.pid != self.served.process.pid:
            return f"{self.role.value}'s child"
        self.served.process.wait()
        self.mind()
        return self.role.value

    def mind(self) -> None:
        """Start it again when it ended."""
        if self.served.process.poll() is not None:
            self.served.close()
            assert self.served.left_over() == []
            self.start()

    def start(self) -> None:
        self.served = Served(self.run.world, role=self.role, port=self.port)
        self._aim()

    def _aim(self) -> None:
        self._goal = self.done() + self.run.rng.randint(1, MOST_DONE)


@dataclass(kw_only=True)
class KillRun:
    """The processes, a carrier who sends one report after the other, and a worker who opens signals."""

    world: World
    plan: KillPlan
    rng: random.Random
    began: float = field(default_factory=time.monotonic)
    kills: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    acknowledged: list[Address] = field(default_factory=list)
    asked: Counter[int] = field(default_factory=Counter)
    opened: int = 0
    parts: list[_Part] = field(default_factory=list)
    people: list[threading.Thread] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    given_up: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        token = _token_of_a_worker(self.world)
        for _ in range(self.plan.crew):
            for role in (ProcessRole.FRONT, ProcessRole.DESK):
                self.parts.append(_Part(self, role, lambda port: self.asked[port]))
            self.parts.append(_Part(self, ProcessRole.WORKER, lambda _port: self.arrived()))
        sending = threading.Thread(target=self._send_reports)
        opening = threading.Thread(target=self._open_signals, args=(token,))
        self.people = [sending, opening]
        for person in self.people:
            person.start()

    def kill(self) -> None:
        """Kill one process after the other; let each fault strike when its turn comes."""
        faults = sorted(self.plan.faults, key=lambda fault: fault.after)
        while self._progress() < 1:
            if faults and self._progress() >= faults[0].after:
                fault = faults.pop(0)
                fault.strike(self)
                self.faults[fault.name] += 1
            self.wait(lambda: any(part.has_worked() for part in self.parts))
            time.sleep(self.rng.uniform(0, 0.2))
            with suppress(psutil.NoSuchProcess, IndexError):  # it ended by itself meanwhile
                part, process = self.rng.choice([*self._ready()])
                self.kills[part.kill(process)] += 1

    def _ready(self) -> Iterator[tuple[_Part, psutil.Process]]:
        for part in self.parts:
            if part.has_worked():
                yield from ((part, process) for process in part.processes())

    def come_back(self) -> None:
        """Wait until each front and desk, and each worker without the others, does something again."""
        servers = {part: part.done() for part in self.parts if part.role is not ProcessRole.WORKER}
        self.wait(lambda: all(part.done() > before for part, before in servers.items()))
        workers = [part for part in self.parts if part not in servers]
        for one in workers:
            for other in workers:
                if other is not one:
                    other.served.close()
            before = self.arrived()
            self.wait(lambda before=before: self.arrived() > before, minded=[*servers, one])  # type: ignore[misc]

    def come_to_rest(self) -> None:
        """Let everybody end what they began, and all reports arrive."""
        self.over.set()
        self.wait(lambda: not any(person.is_alive() for person in self.people))
        self.wait(lambda: not self._number(select(func.count()).select_from(SealedReport)))

    def wait(self, condition: Callable[[], bool], minded: Sequence[_Part] | None = None) -> None:
        """Wait until a condition holds; after too long, fail with the ends of the logs."""
        deadline = time.monotonic() + STALL_SECONDS
        while not condition():
            for part in self.parts if minded is None else minded:
                part.mind()
            assert time.monotonic() < deadline, [part.served.log()[-2_000:] for part in self.parts]
            time.sleep(0.05)

    def close(self) -> None:
        self.over.set()
        self.given_up.set()
        for part in self.parts:
            part.served.close()
        for person in self.people:
            person.join()

    def arrived(self) -> int:
        return int(self._number(select(func.count()).select_from(Signal)) or 0)

    def report(self) -> KillReport:
        signals = self.world.signals()
        readable = open_reports(self.world.keystore, signals)
        found = Counter(report.address for report in readable.values())
        return KillReport(
            kills=self.kills,
            faults=self.faults,
            acknowledged=len(self.acknowledged),
            opened=self.opened,
            lost=len(set(self.acknowledged) - set(found)),
            doubled=found.total() - len(found),
            unreadable=len(signals) - len(readable),
            minutes=round((time.monotonic() - self.began) / 60),
        )

    def _progress(self) -> float:
        """Return which part of the run is over, by kills or by time."""
        lasted = time.monotonic() - self.began
        return max(self.kills.total() / self.plan.kills, lasted / self.plan.seconds)

    def _send_reports(self) -> None:
        """Send each report until a front takes it, each time to the next one, as behind a proxy."""
        tries = count()
        for number in count(1):
            address = _address(number)
            body = json.dumps({"postcode": address.postcode, "house_number": address.number}).encode()
            headers = {"Content-Type": "application/json", "Idempotency-Key": str(key(number))}
            while not self._ask(ProcessRole.FRONT, next(tries), "", headers, body):
                if self.given_up.wait(PACE_SECONDS):
                    return
            self.acknowledged.append(address)
            if self.over.wait(PACE_SECONDS):
                return

    def _open_signals(self, token: str) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        for turn in count():
            newest: UUID | None = self._number(select(Signal.id).order_by(Signal.due_on.desc()).limit(1))
            self.opened += bool(newest) and self._ask(ProcessRole.DESK, turn, f"/{newest}", headers)
            if self.over.wait(PACE_SECONDS):
                return

    def _ask(
        self, role: ProcessRole, turn: int, path: str, headers: dict[str, str], body: bytes | None = None
    ) -> bool:
        """Return whether the process of a role whose turn it is gives an answer of success."""
        ports = [part.port for part in self.parts if part.role is role]
        port = ports[turn % len(ports)]
        url = f"http://127.0.0.1:{port}/api/v1/signals{path}"
        with suppress(OSError, HTTPException):
            request = urllib.request.Request(url, data=body, headers=headers)
            with urllib.request.urlopen(request, timeout=20) as answer:
                answer.read()
                self.asked[port] += 1
                return True
        return False

    def _number(self, query: Select[Any]) -> Any:
        """Return the number that a query finds; None while the database is away."""
        with suppress(SQLAlchemyError), reading(self.world.engine).connect() as connection:
            return connection.scalar(query)
        return None


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
