"""Test that a sweep destroys only unused keys, in one pass over many signals."""

from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy.orm import Session, sessionmaker
from structlog.testing import capture_logs

import migrations
from signals.clock import today
from signals.db import make_engine, session_factory
from signals.intake.content import open_reports
from signals.keys import sweeping as key_care
from signals.keys.sweeping import SweepRefused, most_are_orphans, sweep_keys
from tests.support.outsiders import overheard
from tests.support.world import World

LONG_AGO = date(2026, 1, 1)
SIGNALS = 5


@pytest.fixture
def living(world: World, monkeypatch: pytest.MonkeyPatch) -> set[UUID]:
    """Make case keys of signals that are a few days old; the sweep reads pages of two."""
    monkeypatch.setattr(key_care, "_PAGE", 2)
    for number in range(SIGNALS):
        world.receive(number)
    world.worker().arrive()
    world.move(days=3)
    return set(world.keystore.case_key_ids())


def _orphans(world: World, how_many: int, *, made_on: date = LONG_AGO) -> set[UUID]:
    made = {uuid4() for _ in range(how_many)}
    world.keystore.store_case_keys(dict.fromkeys(made, bytes(32)), created_on=made_on)
    return made


def _sweep(world: World, *, even_most: bool = False) -> int:
    return sweep_keys(world.sessions, world, even_most=even_most).case_keys


@pytest.mark.parametrize("how_many", [0, 1, 5])
def test_a_sweep_destroys_orphans_and_keeps_the_keys_of_signals(
    world: World, living: set[UUID], how_many: int
) -> None:
    _orphans(world, how_many)
    assert _sweep(world) == how_many
    assert set(world.keystore.case_key_ids()) == living


def test_a_sweep_reads_all_signals_once(world: World, living: set[UUID]) -> None:
    with overheard() as said:
        assert _sweep(world) == 0
    assert sum("FROM signals" in sql for sql, _values in said) == 1


def test_another_sort_order_destroys_no_key_of_a_signal(
    world: World, living: set[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    in_order = key_care._used_case_keys

    def backwards(session: Session) -> Iterator[UUID]:
        yield from list(in_order(session))[::-1]

    monkeypatch.setattr(key_care, "_used_case_keys", backwards)
    _orphans(world, 3)
    assert _sweep(world) == 3
    assert set(world.keystore.case_key_ids()) == living


def test_a_report_is_received_during_a_sweep(
    world: World, living: set[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A read that begins as a write blocks every writer on SQLite until its end."""
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
    """Make a new database beside the keystore, as before a restore."""
    engine = make_engine(f"sqlite:///{tmp_path}/new.db")
    migrations.upgrade(engine)
    yield session_factory(engine)
    engine.dispose()


def test_a_sweep_beside_a_new_database_destroys_no_key(
    world: World, living: set[UUID], empty: sessionmaker[Session]
) -> None:
    mailboxes = {half.key_id for half in world.keystore.list_mailbox_keys()}
    world.move(days=21)
    with capture_logs() as said, pytest.raises(SweepRefused):
        sweep_keys(empty, world)
    assert [line for line in said if line["log_level"] == "error"] == [
        {"event": "key_sweep.refused", "log_level": "error", "case_keys": SIGNALS}
    ]
    assert mailboxes == {half.key_id for half in world.keystore.list_mailbox_keys()}
    assert _sweep(world) == 0
    assert len(open_reports(world.keystore, world.signals())) == SIGNALS


def test_a_sweep_destroys_most_keys_only_on_demand(world: World, living: set[UUID]) -> None:
    orphans = _orphans(world, SIGNALS + 1)
    assert most_are_orphans(world.sessions, world.clock, keystore=world.keystore)
    with pytest.raises(SweepRefused):
        _sweep(world)
    assert set(world.keystore.case_key_ids()) == living | orphans
    assert _sweep(world, even_most=True) == SIGNALS + 1
    assert set(world.keystore.case_key_ids()) == living
    assert not most_are_orphans(world.sessions, world.clock, keystore=world.keystore)


def test_a_sweep_ignores_keys_of_yesterday_and_today(world: World, living: set[UUID]) -> None:
    """Fresh arrivals tell nothing about the database, and their keys are not swept."""
    world.keystore.store_case_keys({uuid4(): bytes(32) for _ in range(9)}, created_on=today(world.clock))
    _orphans(world, SIGNALS + 1)
    with pytest.raises(SweepRefused):
        _sweep(world)


def test_on_sundays_all_keys_are_swept_and_in_other_nights_those_of_two_weeks(
    world: World, living: set[UUID]
) -> None:
    """The work of a night follows what came lately, however many keys there are."""
    old = _orphans(world, 1)
    first = today(world.clock) - timedelta(days=15)
    _orphans(world, 1, made_on=first)
    _orphans(world, 1, made_on=today(world.clock) - timedelta(days=2))
    fresh = _orphans(world, 1, made_on=today(world.clock) - timedelta(days=1))
    assert today(world.clock).strftime("%A") == "Friday"
    assert world.worker().sweep_keys() == 2
    assert set(world.keystore.case_key_ids()) == living | old | fresh
    world.move(days=2)
    assert world.worker().sweep_keys() == 2
    assert set(world.keystore.case_key_ids()) == living


def test_a_night_beside_a_new_database_destroys_no_young_key(
    world: World, living: set[UUID], empty: sessionmaker[Session]
) -> None:
    with pytest.raises(SweepRefused):
        sweep_keys(empty, world, young=True)
    assert set(world.keystore.case_key_ids()) == living
