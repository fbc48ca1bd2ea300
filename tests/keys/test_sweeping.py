"""The sweep of keys beside many signals: only what nothing needs goes, in one look."""

from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, event
from sqlalchemy.orm import Session, sessionmaker
from structlog.testing import capture_logs

import migrations
from signals.clock import today
from signals.db import make_engine, session_factory
from signals.intake.content import open_reports
from signals.keys import sweeping as key_care
from signals.keys.sweeping import SweepRefused, most_are_orphans, sweep_keys
from tests.support.world import World

LONG_AGO = date(2026, 1, 1)
SIGNALS = 5


@pytest.fixture
def living(world: World, monkeypatch: pytest.MonkeyPatch) -> set[UUID]:
    """Case keys of signals that are a few days old; the sweep turns its page after two."""
    monkeypatch.setattr(key_care, "_PAGE", 2)
    for number in range(SIGNALS):
        world.receive(number)
    world.worker().arrive()
    world.move(days=3)
    return set(world.keystore.case_key_ids())


def _orphans(world: World, how_many: int) -> set[UUID]:
    made = {uuid4() for _ in range(how_many)}
    world.keystore.store_case_keys(dict.fromkeys(made, bytes(32)), created_on=LONG_AGO)
    return made


def _sweep(world: World, *, even_most: bool = False) -> int:
    return sweep_keys(
        world.sessions, world.clock, keystore=world.keystore, audit=world.audit, even_most=even_most
    ).case_keys


@pytest.mark.parametrize("how_many", [0, 1, 5])
def test_orphans_go_and_each_signal_keeps_its_key(world: World, living: set[UUID], how_many: int) -> None:
    _orphans(world, how_many)
    assert _sweep(world) == how_many
    assert set(world.keystore.case_key_ids()) == living


def test_all_signals_are_looked_through_once_however_many_keys_there_are(
    world: World, living: set[UUID]
) -> None:
    looks: list[str] = []

    def heard(_connection: Connection, _cursor: object, statement: str, *_rest: object) -> None:
        if "FROM signals" in statement:
            looks.append(statement)

    event.listen(world.engine, "before_cursor_execute", heard)
    assert _sweep(world) == 0
    assert len(looks) == 1


def test_a_database_that_sorts_otherwise_costs_no_signal_its_key(
    world: World, living: set[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    in_order = key_care._used_case_keys

    def backwards(session: Session) -> Iterator[UUID]:
        yield from list(in_order(session))[::-1]

    monkeypatch.setattr(key_care, "_used_case_keys", backwards)
    _orphans(world, 3)
    assert _sweep(world) == 3
    assert set(world.keystore.case_key_ids()) == living


def test_while_it_sweeps_a_report_is_taken(
    world: World, living: set[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On SQLite a look that began as a writer would keep the door shut until it ends."""
    in_order = key_care._used_case_keys

    def and_meanwhile(session: Session) -> Iterator[UUID]:
        with closing(in_order(session)) as used:
            yield next(iter(used))
            world.receive(77)
            yield from used

    monkeypatch.setattr(key_care, "_used_case_keys", and_meanwhile)
    _orphans(world, 1)
    assert _sweep(world) == 1
    assert world.worker().arrive() == 1


@pytest.fixture
def empty(world: World, tmp_path: Path) -> Iterator[sessionmaker[Session]]:
    """A database beside the keystore that is new, as before its rows are restored."""
    engine = make_engine(f"sqlite:///{tmp_path}/new.db")
    migrations.upgrade(engine)
    yield session_factory(engine)
    engine.dispose()


def test_beside_a_new_database_no_key_is_destroyed_and_all_open_once_it_is_restored(
    world: World, living: set[UUID], empty: sessionmaker[Session]
) -> None:
    mailboxes = {half.key_id for half in world.keystore.list_mailbox_keys()}
    world.move(days=21)
    with capture_logs() as said, pytest.raises(SweepRefused):
        sweep_keys(empty, world.clock, keystore=world.keystore, audit=world.audit)
    assert [line for line in said if line["log_level"] == "error"] == [
        {"event": "key_sweep.refused", "log_level": "error", "case_keys": SIGNALS}
    ]
    assert mailboxes == {half.key_id for half in world.keystore.list_mailbox_keys()}
    assert _sweep(world) == 0
    assert len(open_reports(world.keystore, world.signals())) == SIGNALS


def test_most_keys_go_only_when_somebody_says_so(world: World, living: set[UUID]) -> None:
    orphans = _orphans(world, SIGNALS + 1)
    assert most_are_orphans(world.sessions, world.clock, keystore=world.keystore)
    with pytest.raises(SweepRefused):
        _sweep(world)
    assert set(world.keystore.case_key_ids()) == living | orphans
    assert _sweep(world, even_most=True) == SIGNALS + 1
    assert set(world.keystore.case_key_ids()) == living
    assert not most_are_orphans(world.sessions, world.clock, keystore=world.keystore)


def test_keys_of_yesterday_and_today_do_not_count(world: World, living: set[UUID]) -> None:
    """What has just arrived says nothing of the database, and its keys are not swept."""
    world.keystore.store_case_keys({uuid4(): bytes(32) for _ in range(9)}, created_on=today(world.clock))
    _orphans(world, SIGNALS + 1)
    with pytest.raises(SweepRefused):
        _sweep(world)


@given(st.sets(st.uuids()), st.sets(st.uuids()), st.sets(st.uuids()))
def test_missing_is_what_one_set_has_and_the_other_lacks(
    both: set[UUID], only_used: set[UUID], only_kept: set[UUID]
) -> None:
    used, kept = both | only_used, both | only_kept
    assert list(key_care._missing_from(iter(sorted(used)), sorted(kept))) == sorted(kept - used)
