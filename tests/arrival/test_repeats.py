"""Repeats: a second report of an address is seen, also in one batch and by two workers at once."""

import random
import uuid
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import delete, event, select, update

from notifications.models import OutboxMessage
from signals.arrival.repeats import earlier_links, probes_for
from signals.intake.content import open_report
from signals.models import AddressLink, Organisation, Signal
from signals.operations.jobs import Worker
from signals.routing.postcodes import Address
from signals.routing.snapshot import routing_changed
from tests.support.arriving import by_day, in_batches
from tests.support.at_once import run_at_once
from tests.support.world import AMSTERDAM, IN_AMSTERDAM, World

TODAY = date(2026, 11, 24)


def test_a_second_report_of_an_address_is_a_repeat(world: World) -> None:
    _arrive_apart(world, IN_AMSTERDAM, IN_AMSTERDAM)
    assert sorted(signal.repeat for signal in world.signals()) == [False, True]


def test_a_report_of_an_address_whose_signal_was_deleted_is_a_repeat(world: World) -> None:
    """Its link outlives it, and names no signal any more."""
    world.receive(1)
    world.worker().arrive()
    with world.sessions.begin() as session:
        session.execute(update(AddressLink).values(signal_id=None))
        session.execute(delete(Signal))
    world.receive(2)
    world.worker().arrive()
    assert [signal.repeat for signal in world.signals()] == [True]


@pytest.mark.parametrize(("remembered", "asked"), [(1, 2), (10, 1)])
def test_arrival_asks_for_the_recipients_again_after_some_batches(
    sqlite_world: World, monkeypatch: pytest.MonkeyPatch, remembered: int, asked: int
) -> None:
    monkeypatch.setattr("signals.arrival.batches.BATCHES_REMEMBERED", remembered)
    for number in range(2):
        sqlite_world.receive(number)
    statements: list[str] = []
    event.listen(sqlite_world.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    assert in_batches(sqlite_world, 1).arrive() == 2
    assert len([statement for statement in statements if "FROM recipients" in statement]) == asked


def test_the_same_house_with_another_addition_is_no_repeat_but_is_found(world: World) -> None:
    with_addition = Address(postcode="1012AB", number=12, addition="A")
    _arrive_apart(world, IN_AMSTERDAM, with_addition)
    assert not any(signal.repeat for signal in world.signals())
    [probe] = probes_for(world.keystore, [(AMSTERDAM, with_addition)], TODAY)
    with world.sessions() as session:
        links = earlier_links(session, probe, besides=uuid.uuid4())
    assert sorted(probe.is_same_address(link) for link in links) == [False, True]


def test_a_repeat_is_seen_across_quarters_for_a_year(world: World) -> None:
    world.receive(1)
    world.worker().arrive()
    world.clock.moment = datetime(2027, 11, 23, 9, tzinfo=UTC)
    _provision_and_arrive(world, 2)
    assert [signal.repeat for signal in by_day(world)] == [False, True]


def test_a_year_and_two_quarters_later_nothing_is_found_any_more(world: World) -> None:
    world.receive(1)
    world.worker().arrive()
    world.clock.moment = datetime(2028, 1, 3, 9, tzinfo=UTC)
    _provision_and_arrive(world, 2)
    assert not any(signal.repeat for signal in world.signals())


def test_links_of_two_quarters_are_made_under_different_keys(world: World) -> None:
    world.receive(1)
    world.worker().arrive()
    world.clock.moment = datetime(2027, 1, 4, 9, tzinfo=UTC)
    _provision_and_arrive(world, 2)
    links = world.rows(select(AddressLink))
    assert {link.quarter for link in links} == {"2026-Q4", "2027-Q1"}
    assert len({link.pseudonym for link in links} | {link.house_pseudonym for link in links}) == 4


def test_another_organisation_sees_no_repeat_of_the_same_address(world: World) -> None:
    _arrive_apart(world, IN_AMSTERDAM)
    with world.sessions.begin() as session:
        gone = update(Organisation).where(Organisation.id == AMSTERDAM)
        session.execute(gone.values(suspended_from=TODAY))
    _bump(world)
    _arrive_apart(world, IN_AMSTERDAM, start=50)
    assert len({signal.organisation_id for signal in world.signals()}) == 2
    assert not any(signal.repeat for signal in world.signals())


@pytest.mark.postgres
def test_two_workers_at_once_mark_one_of_two_reports_of_an_address(postgres_world: World) -> None:
    world = postgres_world
    for pair in range(6):
        home = Address(postcode="1012AB", number=pair + 1)
        world.receive(2 * pair, home)
        world.receive(2 * pair + 1, home)
    workers = [_worker_apart(world, batch_size=1) for _ in range(2)]
    assert sum(run_at_once(*[worker.arrive for worker in workers])) == 12
    repeats: dict[Address, list[bool]] = {}
    for signal in world.signals():
        repeats.setdefault(open_report(world.keystore, signal).address, []).append(signal.repeat)
    assert [sorted(marks) for marks in repeats.values()] == [[False, True]] * 6


def test_workers_at_once_share_the_reports_and_none_arrives_twice(world: World) -> None:
    for number in range(24):
        world.receive(number, Address(postcode="1012AB", number=number + 1))
    workers = [_worker_apart(world, batch_size=4) for _ in range(3)]
    assert sum(run_at_once(*[worker.arrive for worker in workers])) == 24
    assert len(world.addresses()) == 24
    assert all(signal.team_notified for signal in world.signals())
    assert 2 * 6 <= world.count(OutboxMessage) <= 2 * 24


def _worker_apart(world: World, *, batch_size: int) -> Worker:
    """A worker with connections and a keystore of its own, as another process has."""
    worker = in_batches(world, batch_size)
    return Worker(**{**vars(worker), "keystore": world.another_keystore(), "rng": random.Random(1)})


def _arrive_apart(world: World, *addresses: Address, start: int = 0) -> None:
    for number, address in enumerate(addresses, start=start):
        world.receive(number, address)
        world.worker().arrive()


def _provision_and_arrive(world: World, number: int) -> None:
    world.worker().provision_keys()
    world.receive(number)
    world.worker().arrive()


def _bump(world: World) -> None:
    with world.sessions.begin() as session:
        routing_changed(session)
