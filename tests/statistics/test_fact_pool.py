"""Facts wait sealed until there are enough, so that none lies beside the record of its signal."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select, text

from privacy.sealing import EnvelopeRefused
from signals.clock import today
from signals.db import is_sqlite
from signals.models import DeletionRecord, PooledFact, SignalFact
from signals.statistics.pool import forget_pool_keys, move_facts
from signals.vocabulary import ConcernType, DeletionReason
from tests.support.world import IN_AMSTERDAM, World, run_at_once


def purged(world: World, count: int, *, facts_together: int = 20) -> None:
    """Let signals come in, and purge them by a run after 28 days."""
    for number in range(1, count + 1):
        world.receive(number, replace(IN_AMSTERDAM, number=number), concern_types=[ConcernType.FRAIL])
    world.worker().arrive()
    world.move(days=28)
    replace(world.worker().retention(), facts_together=facts_together).run(world.clock)


def test_a_few_facts_wait_and_say_nothing_without_the_keystore(world: World) -> None:
    purged(world, 2)
    assert (world.count(PooledFact), world.count(SignalFact)) == (2, 0)
    with world.sessions() as session:
        sealed = session.scalars(select(PooledFact.sealed)).all()
    assert {len(each) for each in sealed} == {12 + 1024 + 16}
    assert not any(b"frail" in each or b"GM0363" in each for each in sealed)


def test_enough_facts_are_written_at_once(world: World) -> None:
    purged(world, 5, facts_together=5)
    assert (world.count(PooledFact), world.count(SignalFact)) == (0, 5)
    with world.sessions() as session:
        facts = session.scalars(select(SignalFact)).all()
    assert {(fact.municipality_code, fact.concern_types) for fact in facts} == {("GM0363", "frail")}


def test_no_transaction_writes_a_record_and_its_fact(world: World) -> None:
    """PostgreSQL keeps the transaction that wrote each row; SQLite keeps none."""
    purged(world, 5, facts_together=5)
    if is_sqlite(world.engine):
        assert world.count(SignalFact) == 5
        return
    with world.engine.connect() as connection:
        written = [
            set(connection.scalars(text(f"SELECT xmin::text FROM {table}")).all())
            for table in ("deletion_records", "signal_facts")
        ]
    assert written[0].isdisjoint(written[1])
    assert len(written[1]) == 1


def test_an_erasure_of_one_leaves_no_readable_fact_beside_its_record(world: World) -> None:
    world.receive(1)
    world.worker().arrive()
    (signal,) = world.signals()
    world.worker().retention().purge_now(world.clock, [signal.id], DeletionReason.ERASURE)
    assert (world.count(DeletionRecord), world.count(PooledFact), world.count(SignalFact)) == (1, 1, 0)


def test_a_row_of_the_pool_exchanged_for_another_is_refused(world: World) -> None:
    purged(world, 2)
    with world.sessions.begin() as session:
        first, second = session.scalars(select(PooledFact)).all()
        first.sealed, second.sealed = second.sealed, first.sealed
    with pytest.raises(EnvelopeRefused), world.sessions.begin() as session:
        move_facts(session, keys=world.keystore)
    assert world.count(PooledFact) == 2


def test_two_workers_at_once_write_each_fact_once(world: World) -> None:
    purged(world, 4)

    def move() -> int:
        with world.sessions.begin() as session:
            return move_facts(session, keys=world.keystore)

    assert sum(run_at_once(move, move)) == 4
    assert (world.count(PooledFact), world.count(SignalFact)) == (0, 4)


def test_the_key_of_a_quarter_goes_when_it_is_over_and_no_fact_waits(world: World) -> None:
    purged(world, 2)
    world.move(days=93)
    with world.sessions() as session:
        assert forget_pool_keys(session, keys=world.keystore, on=today(world.clock)) == 0
    with world.sessions.begin() as session:
        assert move_facts(session, keys=world.keystore) == 2
    with world.sessions() as session:
        assert forget_pool_keys(session, keys=world.keystore, on=today(world.clock)) == 1


def test_the_key_of_a_quarter_outlives_a_purge_that_began_just_before_midnight(world: World) -> None:
    purged(world, 2)
    with world.sessions() as session:
        first = date(2027, 1, 1)
        assert forget_pool_keys(session, keys=world.keystore, on=first) == 0
    with world.sessions.begin() as session:
        assert move_facts(session, keys=world.keystore) == 2
    with world.sessions() as session:
        assert forget_pool_keys(session, keys=world.keystore, on=first) == 0
        assert forget_pool_keys(session, keys=world.keystore, on=first + timedelta(days=1)) == 1
