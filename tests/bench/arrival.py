"""Arrival with one worker and with two, against bare opening and HMAC on one core."""

import base64
import contextlib
import hashlib
import hmac
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy import delete, func, insert, select

from privacy.sealing import MailboxPrivateKey, seal_to_mailbox
from signals.clock import SystemClock, today
from signals.intake.content import Report, Summary, context_of
from signals.models import IdempotencyKey, SealedReport, Signal
from signals.models.base import new_id
from signals.routing.snapshot import Router
from signals.vocabulary import ConcernType
from tests.bench.addresses import addresses
from tests.bench.house import House, make_house, settle
from tests.bench.processes import children_of, cpu_by_process, running, taken_by, tell_to_go, wait_until_ready
from tests.bench.results import Line

BARE_COUNT = 2000
WARMING_COUNT = 3000
"""A worker lives for weeks: these arrive before it is measured, so that its statements are prepared."""


@dataclass(frozen=True, kw_only=True)
class Effort:
    """The speed of arrival or of opening: reports per second of the clock, and CPU seconds for each.

    `database`: the CPU of PostgreSQL's processes for each, its own work of that time included.
    """

    rate: float
    cpu: float
    database: float = 0.0


def measure_arrival(
    group: str,
    folder: Path,
    database_url: str | None = None,
    keystore_url: str | None = None,
    *,
    rounds: int,
    reports: int,
    postmaster: int | None = None,
    taken_in: float | None = None,
) -> Iterator[Line]:
    """Measure rounds of bare opening, one worker, and two workers with `reports` in each.

    `postmaster` is PostgreSQL's first process. `taken_in` is the number of reports a second that two front
    processes take in; with it there is a target.
    """
    house = make_house(folder, database_url, keystore_url)
    bare: list[Effort] = []
    one: list[Effort] = []
    two: list[Effort] = []
    for number in range(rounds):
        bare.append(_bare(house, seed=3 * number))
        one.append(_arrive(house, 1, reports, seed=3 * number + 1, postmaster=postmaster))
        two.append(_arrive(house, 2, reports, seed=3 * number + 2, postmaster=postmaster))
    single, double, opening = (median(effort.rate for effort in efforts) for efforts in (one, two, bare))
    if taken_in:
        what = "one worker against two front processes, reports per second"
        yield Line(group, what, single / taken_in, at_least=2.5)
    for label, value in (("bare opening", opening), ("one worker", single), ("two workers", double)):
        yield Line(group, f"{label}: reports per second", value, "1/s")
    opened, arrived = median(e.cpu for e in bare), median(e.cpu for e in one)
    yield Line(group, "bare opening: CPU per report", opened * 1e6, "us")
    yield Line(group, "one worker: its CPU per report", arrived * 1e6, "us")
    if postmaster:
        spent = median(e.database for e in one)
        yield Line(group, "one worker: PostgreSQL's CPU per report", spent * 1e6, "us")
    yield Line(group, "bare opening's CPU against one worker's", opened / arrived)


def fill_mailboxes(house: House, count: int, *, seed: int) -> None:
    """Seal `count` reports from all over the country, as intake does."""
    engine = house.engine()
    on = today(SystemClock())
    rows = [
        _sealed_row(report, place, on) for report, place in islice(_placed(house, engine, seed, on), count)
    ]
    with engine.begin() as connection:
        for model in (IdempotencyKey, SealedReport):
            names = model.__table__.c.keys() & rows[0].keys()
            connection.execute(insert(model), [{name: row[name] for name in names} for row in rows])
    engine.dispose()


def _placed(house: House, engine: Any, seed: int, on: date) -> Iterator[tuple[Report, Any]]:
    root = base64.b64decode(house.settings.front.root_public_key)
    snapshot = Router(engine, root_public_key=root).snapshot()
    for address in addresses(seed):
        receiver = snapshot.table.route(address.postcode, address.number, on).organisation_id
        summary = Summary(concern_types=(ConcernType.SEEMS_LONELY, ConcernType.MAIL_PILING_UP))
        yield Report(address=address, summary=summary), snapshot.sealing_key(receiver, on)


def _sealed_row(report: Report, key: Any, on: date) -> dict[str, Any]:
    signal_id = new_id()
    context = context_of(signal_id, key.organisation_id, key.key_id)
    return {
        "idempotency_hash": secrets.token_bytes(32),
        "body_mac": secrets.token_bytes(32),
        "receipt_hash": secrets.token_bytes(32),
        "signal_id": signal_id,
        "organisation_id": key.organisation_id,
        "mailbox_key_id": key.key_id,
        "schema_version": 1,
        "received_on": on,
        "unrouted": False,
        "redactions": "[]",
        "envelope": seal_to_mailbox(report.to_plain(), key.public_key, context),
    }


def _arrive(house: House, workers: int, reports: int, *, seed: int, postmaster: int | None) -> Effort:
    with contextlib.ExitStack() as stack:
        started = []
        for number in range(workers):
            fill_mailboxes(house, WARMING_COUNT, seed=-seed - number)
            process = running("-m", "tests.bench.working", str(house.config), "arrive")
            started.append(stack.enter_context(process))
            wait_until_ready(started[-1])
        before = _signals(house)
        fill_mailboxes(house, reports, seed=seed)
        settle(house.engine())
        so_far = _of_database(postmaster)
        tell_to_go(started)
        said = taken_by(started)
        spent = sum(now - so_far.get(number, 0.0) for number, now in _of_database(postmaster).items())
    if _signals(house) - before != reports:
        raise RuntimeError("not every report arrived")
    seconds = max(entry["until"] for entry in said) - min(entry["from"] for entry in said)
    cpu = sum(entry["cpu"] for entry in said)
    return Effort(rate=reports / seconds, cpu=cpu / reports, database=spent / reports)


def _of_database(postmaster: int | None) -> dict[int, float]:
    """The CPU of each of its processes; those of the workers stay while it is measured."""
    return cpu_by_process(children_of(postmaster)) if postmaster else {}


def _signals(house: House) -> int:
    engine = house.engine()
    with engine.connect() as connection:
        number = connection.scalar(select(func.count()).select_from(Signal)) or 0
    engine.dispose()
    return number


def _bare(house: House, *, seed: int) -> Effort:
    """Envelopes: HPKE opening with a parsed key and two HMACs; nothing else."""
    fill_mailboxes(house, BARE_COUNT, seed=seed)
    engine = house.engine()
    with engine.begin() as connection:
        rows = connection.execute(select(SealedReport.__table__)).all()
        connection.execute(delete(SealedReport))
    engine.dispose()
    keystore = house.keystore()
    raw = keystore.mailbox_private_keys({row.mailbox_key_id for row in rows})
    keystore.dispose()
    keys = {key_id: MailboxPrivateKey.from_bytes(key) for key_id, key in raw.items()}
    infos = [context_of(row.signal_id, row.organisation_id, row.mailbox_key_id).info() for row in rows]
    key = secrets.token_bytes(32)
    started, spent = time.perf_counter(), time.process_time()
    for row, info in zip(rows, infos, strict=True):
        keys[row.mailbox_key_id].decrypt(row.envelope, info)
        hmac.digest(key, b"addr/v1|1012AB|12|", hashlib.sha256)
        hmac.digest(key, b"house/v1|1012AB|12", hashlib.sha256)
    seconds, cpu = time.perf_counter() - started, time.process_time() - spent
    return Effort(rate=len(rows) / seconds, cpu=cpu / len(rows))
