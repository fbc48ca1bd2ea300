"""A quarter's and a year's release from a million facts, and the same a year later: neither may grow."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import migrations
from privacy.keystore import Keystore, open_keystore
from privacy.secret_files import load_master_key, write_new_secret_file
from signals.clock import FixedClock
from signals.db import make_engine, session_factory
from signals.demo.facts import demo_facts
from signals.statistics.ledger import LedgerFile
from signals.statistics.releasing import Releasing
from signals.statistics.sealed_facts import store_facts
from tests.bench.results import Line

_YEARS = (2025, 2026)
_BATCH = 50_000
_MOST_SECONDS = 20.0


def measure_release(group: str, folder: Path, url: str, *, facts: int) -> Iterator[Line]:
    """Two years of so many facts, each in its last quarter: seconds of a quarter and of a year."""
    folder.mkdir(parents=True, exist_ok=True)
    keystore = _keystore(folder)
    engine = make_engine(url)
    releasing = Releasing(
        sessions=session_factory(engine),
        keys=keystore,
        locate=lambda *_: None,
        ledger=LedgerFile(folder / "figures.ledger"),
    )
    try:
        migrations.upgrade(engine)
        for year in _YEARS:
            _store(releasing, f"{year}-Q4", facts)
            clock = FixedClock(datetime(year + 1, 2, 10, tzinfo=UTC))
            releasing.release_due(clock, grace_days=60)  # the quarters before
            for period in (f"{year}-Q4", str(year)):
                began = time.perf_counter()
                assert releasing.release(clock, period=period).is_new
                seconds = round(time.perf_counter() - began, 1)
                what = f"{period} of {facts:,} facts, released"
                yield Line(group=group, what=what, value=seconds, unit="s", at_most=_MOST_SECONDS)
    finally:
        engine.dispose()
        keystore.dispose()


def _store(releasing: Releasing, quarter: str, number: int) -> None:
    examples = [fact._replace(concluded=quarter[:4]) for fact in demo_facts([quarter] * 20)]
    for start in range(0, number, _BATCH):
        some = [examples[(start + n) % len(examples)] for n in range(min(_BATCH, number - start))]
        with releasing.sessions.begin() as session:
            store_facts(session.connection(), releasing.keys, some)


def _keystore(folder: Path) -> Keystore:
    write_new_secret_file(folder / "master.key")
    keystore = open_keystore(f"sqlite:///{folder}/keystore.db", load_master_key(folder / "master.key"))
    keystore.create_schema()
    keystore.ensure_root()
    return keystore
