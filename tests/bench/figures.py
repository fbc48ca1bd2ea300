"""A quarter's release from a million facts: counting by SQL, protecting and auditing, storing."""

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import Engine

import migrations
from privacy.keystore import Keystore, open_keystore
from privacy.secret_files import load_master_key, write_new_secret_file
from signals.clock import FixedClock
from signals.db import make_engine, session_factory
from signals.demo.facts import add_facts, demo_facts, insert_facts
from signals.models.base import new_id
from signals.statistics.releasing import Releasing
from tests.bench.results import Line

QUARTER = "2026-Q3"
_EARLIER = date(2026, 7, 1)
_NOW = FixedClock(datetime(2026, 11, 24, 9, 30, tzinfo=UTC))
_BATCH = 50_000
_MOST_SECONDS = 60.0


def measure_release(group: str, folder: Path, url: str, *, facts: int) -> Iterator[Line]:
    """One quarter of so many facts after eight released small ones: seconds, and this process' CPU."""
    folder.mkdir(parents=True, exist_ok=True)
    keystore = _keystore(folder)
    engine = make_engine(url)
    try:
        releasing = Releasing(
            sessions=session_factory(engine), keys=keystore, locate=lambda *_: None, chance=Random(1)
        )
        _prepare(engine, releasing, facts)
        began, cpu = time.perf_counter(), time.process_time()
        done = releasing.release(_NOW, period=QUARTER)
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    finally:
        engine.dispose()
        keystore.dispose()
    what = f"a quarter of {facts:,} facts, released with audit"
    yield Line(group=group, what=what, value=round(seconds, 1), unit="s", at_most=_MOST_SECONDS)
    yield Line(group=group, what="of that CPU of the releasing process", value=round(cpu, 1), unit="s")
    yield Line(group=group, what="tables withheld", value=len(done.withheld), at_most=0)


def _prepare(engine: Engine, releasing: Releasing, facts: int) -> None:
    migrations.upgrade(engine)
    with session_factory(engine).begin() as session:
        add_facts(session, on=_EARLIER)
    releasing.release_due(FixedClock(datetime(2026, 7, 2, tzinfo=UTC)), grace_days=0)
    examples = list(demo_facts([QUARTER] * 8))
    for start in range(0, facts, _BATCH):
        _insert(engine, [examples[(start + n) % len(examples)] for n in range(min(_BATCH, facts - start))])


def _insert(engine: Engine, rows: Sequence[dict[str, Any]]) -> None:
    with engine.begin() as connection:
        insert_facts(connection, [{**row, "id": new_id()} for row in rows])


def _keystore(folder: Path) -> Keystore:
    write_new_secret_file(folder / "master.key")
    keystore = open_keystore(f"sqlite:///{folder}/keystore.db", load_master_key(folder / "master.key"))
    keystore.create_schema()
    keystore.ensure_root()
    return keystore
