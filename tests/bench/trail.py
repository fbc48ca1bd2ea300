"""`signals audit verify` against the bare HMACs that it is made of."""

import gc
import hashlib
import hmac
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from uuid import UUID, uuid4

from signals.app import make_worker
from signals.audit.grounds import Ground
from signals.audit.log import Actor, AuditEvent
from signals.audit.trail import KEPT, TrailKeys, link_entries, verify_trail
from signals.clock import FixedClock
from signals.operations.jobs import Worker
from signals.vocabulary import AuditAction
from tests.bench.house import make_house, settle
from tests.bench.results import Line

_AT_ONCE = 1000
_ENTRY_BYTES, _LINK_BYTES = 183, 94
"""What the two HMACs of an entry are made over."""


def measure_trail(
    group: str, folder: Path, database_url: str | None, *, entries: int, rounds: int
) -> Iterator[Line]:
    """Link and sign `entries` entries, then verify them in turns with two HMACs for each entry."""
    house = make_house(folder, database_url)
    worker = make_worker(house.settings)
    keys = TrailKeys(mac_key=worker.keystore.secret("audit"), root=worker.keystore.root_signing_key())
    count = _fill(worker, entries, keys)
    bare, whole = [], []
    for _ in range(rounds):
        bare.append(_timed(lambda: _bare(keys.mac_key, count)))
        whole.append(_timed(lambda: _verify(worker, keys)))
    what = f"verifying {count:,} entries against bare HMAC"
    yield Line(group, what, _ratio(whole, bare, 0), at_most=3)
    yield Line(group, f"{what}, by CPU of the process", _ratio(whole, bare, 1))
    for label, rounds_of in (("verifying", whole), ("bare HMAC", bare)):
        each = median(seconds for seconds, _cpu in rounds_of) / count
        yield Line(group, f"{label}, for each entry", each * 1e6, "us")
    worker.close()


def _fill(worker: Worker, entries: int, keys: TrailKeys) -> int:
    """A thousand at a time, each linked soon after as in production, over the time that entries are kept."""
    actor = Actor(id=uuid4(), role="worker", organisation_id=UUID(int=1))
    span, linked = KEPT - timedelta(days=2), 0
    for start in range(0, entries, _AT_ONCE):
        clock = FixedClock(worker.clock.now() - span + span * start / entries)
        events = [_opened(actor, clock.now() + timedelta(milliseconds=number)) for number in range(_AT_ONCE)]
        with worker.sessions.begin() as session:
            worker.audit.record_many(session, clock, events)
        with worker.sessions.begin() as session:
            linked += link_entries(session, clock, keys=keys)
    settle(worker.engine)
    return linked


def _opened(actor: Actor, at: datetime) -> AuditEvent:
    return AuditEvent(
        actor=actor, action=AuditAction.SIGNAL_OPENED, subject_id=uuid4(), ground=Ground.FOLLOW_UP, at=at
    )


def _verify(worker: Worker, keys: TrailKeys) -> None:
    with worker.sessions() as session:
        if found := verify_trail(session, worker.clock, keys=keys):
            raise RuntimeError(f"the trail is not whole: {found}")


def _bare(key: bytes, count: int) -> None:
    entry, link = bytes(_ENTRY_BYTES), bytes(_LINK_BYTES)
    for _ in range(count):
        hmac.digest(key, entry, hashlib.sha256)
        hmac.digest(key, link, hashlib.sha256)


def _timed(work: Callable[[], None]) -> tuple[float, float]:
    """(seconds by the clock, CPU seconds of this process): beside other work the second is steadier."""
    gc.collect()
    started, spent = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - started, time.process_time() - spent


def _ratio(these: Sequence[tuple[float, float]], those: Sequence[tuple[float, float]], which: int) -> float:
    return median(entry[which] for entry in these) / median(entry[which] for entry in those)
