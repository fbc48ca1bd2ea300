"""Opening a signal over HTTP: eight people at once against one, each answer after its audit entry."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy.orm import Session

from privacy.passwords import PasswordHasherSettings
from signals.audit.log import AuditLog
from signals.casework.queue import queue_page
from signals.clock import SystemClock
from signals.db import session_factory
from signals.staff.accounts import add_staff, issue_token
from signals.vocabulary import Role
from tests.bench.house import House, make_house
from tests.bench.processes import children_of, cpu_seconds, free_port, running, said_by, wait_for_answer
from tests.bench.results import Line, quantile
from tests.bench.seeding import Crowd, seal_for_real, seed_signals
from tests.support.operations import operation
from tests.support.talking import talk

PEOPLE = 8
_SIGNALS = 2000
_SEALED = 25


def measure_opening(
    group: str, folder: Path, database_url: str, *, rounds: int, requests: int
) -> Iterator[Line]:
    """`requests` openings a round by `GET /api/v1/signals/{id}`, of 25 signals, each person with a token."""
    port = free_port()
    house = make_house(folder, database_url, port=port)
    crowd = seed_signals(house.engine(), _SIGNALS)
    work = _prepared(house, crowd)
    desk = folder / "desk.toml"
    desk.write_text(house.config.read_text().replace('role = "front"', 'role = "desk"').replace(
        "threads = 1", "threads = 4"
    ))  # fmt: skip
    one: list[float] = []
    all_at_once: list[float] = []
    latencies: list[float] = []
    cpu: list[float] = []
    with running("-m", "tests.bench.serving", str(desk)) as server:
        wait_for_answer(port)
        _open(port, work, PEOPLE, requests // 4)
        workers = children_of(server.pid)
        for _ in range(rounds):
            one.append(_open(port, work, 1, requests // 4)["rate"])
            spent = cpu_seconds(workers)
            said = _open(port, work, PEOPLE, requests)
            cpu.append((cpu_seconds(workers) - spent) / requests)
            all_at_once.append(said["rate"])
            latencies += said["latencies"]
    yield Line(
        group,
        f"{PEOPLE} people at once against one, openings per second",
        median(all_at_once) / median(one),
        at_least=1.7,
    )
    for label, rates in (("one", one), (f"{PEOPLE} people", all_at_once)):
        yield Line(group, f"{label}: openings per second", median(rates), "1/s")
    yield Line(group, "CPU of the server per opening", median(cpu) * 1e3, "ms")
    yield Line(group, f"{PEOPLE} people: p95", quantile(latencies, 0.95) * 1e3, "ms")


def _prepared(house: House, crowd: Crowd) -> dict[str, list[str]]:
    keystore = house.keystore()
    with Session(crowd.engine) as session:
        page = queue_page(session, organisation_id=crowd.organisation_id, limit=_SEALED)
        ids = [signal.id for signal in page.items]
    seal_for_real(crowd, keystore, ids)
    audit, clock = AuditLog(keystore.secret("audit")), SystemClock()
    tokens = []
    with session_factory(crowd.engine).begin() as session:
        for number in range(PEOPLE):
            new = add_staff(
                operation(session, clock, audit=audit, keystore=keystore),
                organisation_id=crowd.organisation_id,
                role=Role.WORKER,
                name="Bench",
                email=f"bench{number}@example.org",
                password="a long sentence as a password",
                hasher=PasswordHasherSettings(memory_kib=1024),
            )
            tokens.append(
                issue_token(operation(session, clock, audit=audit), member=new.member, label="bench", days=1)
            )
    keystore.dispose()
    return {"tokens": tokens, "ids": [str(found) for found in ids]}


def _open(port: int, work: dict[str, list[str]], people: int, count: int) -> dict[str, Any]:
    arguments = [str(port), str(people), str(count)]
    said: dict[str, Any] = said_by("-m", "tests.bench.opening", *arguments, given=json.dumps(work))
    if set(said["statuses"]) != {"200"}:
        raise RuntimeError(f"opening answered {said['statuses']}")
    return said | {"rate": count / said["seconds"]}


def _requests(work: dict[str, list[str]], people: int, count: int) -> list[bytes]:
    return [
        (
            f"GET /api/v1/signals/{work['ids'][number % len(work['ids'])]} HTTP/1.1\r\n"
            f"Host: 127.0.0.1\r\n"
            f"Authorization: Bearer {work['tokens'][number % people]}\r\n\r\n"
        ).encode()
        for number in range(count)
    ]


if __name__ == "__main__":
    _port, _people, _count = map(int, sys.argv[1:])
    _work = json.load(sys.stdin)
    sys.stdout.write(json.dumps(talk(_port, _requests(_work, _people, _count), _people)))
