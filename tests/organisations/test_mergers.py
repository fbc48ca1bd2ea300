"""Mergers on both databases: the successor keeps seeing repeats, and nobody sees more than before."""

import uuid
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from signals.arrival.repeats import probes_for
from signals.casework.earlier import EarlierSignal, earlier_signals
from signals.clock import today
from signals.errors import Invalid
from signals.intake.content import open_report
from signals.models import AddressLink, AuditEntry, CoverageArea, Organisation, Signal
from signals.organisations.mergers import succeed
from signals.routing.snapshot import routing_changed
from signals.vocabulary import AuditAction, DeletionReason
from tests.factories import CoverageAreaFactory
from tests.support.world import AMSTERDAM, GRONINGEN, IN_GRONINGEN, World

NAMES = {"predecessor": "Voorbeeld Welzijn Groningen", "successor": "Voorbeeld Welzijn Amsterdam"}


def arrived(world: World, number: int) -> uuid.UUID:
    before = {signal.id for signal in world.signals()}
    world.receive(number, IN_GRONINGEN)
    world.worker().arrive()
    (new,) = {signal.id for signal in world.signals()} - before
    return new


def take_over_the_area(world: World) -> None:
    """Let Amsterdam's organisation cover Groningen too, from today."""
    on = today(world.clock)
    with world.sessions.begin() as session:
        ended = update(CoverageArea).where(CoverageArea.organisation_id == GRONINGEN)
        session.execute(ended.values(valid_until=on))
        session.add(CoverageAreaFactory.build(organisation_id=AMSTERDAM, area="GM0014", valid_from=on))
        routing_changed(session)


def merge(world: World) -> int:
    with world.sessions.begin() as session:
        done = succeed(world.operation(session), **NAMES)
    world.keystore.adopt_pseudonym_keys(done.predecessor_id, done.successor_id)
    return done.links


def shown_with(world: World, signal: Signal) -> list[EarlierSignal]:
    """Return the earlier signals that a worker sees when they open this one."""
    place = (signal.organisation_id, open_report(world.keystore, signal).address)
    (probe,) = probes_for(world.keystore, [place], today(world.clock))
    with world.sessions() as session:
        return earlier_signals(session, signal=signal, probe=probe)


def deleted_before_a_merger(world: World) -> None:
    arrived(world, 1)
    world.move(days=28)
    assert world.worker().retention().run(world.clock).purged == {DeletionReason.UNATTENDED: 1}
    take_over_the_area(world)


@pytest.mark.parametrize("is_merged", [True, False])
def test_the_successor_sees_a_repeat_at_an_address_of_the_predecessor(world: World, is_merged: bool) -> None:
    """Keys make the repeat known on arrival; that a worker sees the earlier one takes its link as well."""
    day_before = today(world.clock)
    deleted_before_a_merger(world)
    if is_merged:
        assert merge(world) == 1
    arrived(world, 2)
    (signal,) = world.signals()
    assert (signal.organisation_id, signal.repeat) == (AMSTERDAM, is_merged)
    assert [(earlier.received_on, earlier.same_address) for earlier in shown_with(world, signal)] == (
        [(day_before, True)] if is_merged else []
    )


def test_links_of_a_merger_go_after_twelve_months_with_their_keys(world: World) -> None:
    deleted_before_a_merger(world)
    merge(world)
    pair = (AMSTERDAM, "2026-Q4")
    assert len(world.keystore.matching_keys([pair])[pair]) == 1
    world.move(days=5 * 92)
    world.worker().retention().run(world.clock)
    assert world.count(AddressLink) == 0
    assert world.another_keystore().matching_keys([pair]) == {pair: ()}


def test_a_merger_that_was_killed_before_its_keys_is_finished_by_the_next(world: World) -> None:
    deleted_before_a_merger(world)
    with world.sessions.begin() as session:
        succeed(world.operation(session), **NAMES)
    assert merge(world) == 0
    arrived(world, 2)
    assert world.signals()[0].repeat


def test_the_links_are_the_successors_to_find_and_to_erase(world: World) -> None:
    deleted_before_a_merger(world)
    merge(world)
    assert world.rows(select(AddressLink.organisation_id)) == [AMSTERDAM]


def test_a_merger_is_in_the_trail_of_both(world: World) -> None:
    deleted_before_a_merger(world)
    merge(world)
    with world.sessions() as session:
        changed = AuditEntry.action == AuditAction.ORGANISATION_CHANGED
        entries = session.scalars(select(AuditEntry).where(changed, AuditEntry.ground == "merged")).all()
    assert {entry.organisation_id for entry in entries} == {AMSTERDAM, GRONINGEN}


def test_an_organisation_that_receives_has_no_successor_yet(world: World) -> None:
    assert codes(world) == {"still_receives"}


def test_signals_and_reports_that_wait_come_first(world: World) -> None:
    arrived(world, 1)
    world.receive(2, replace(IN_GRONINGEN, number=2))
    take_over_the_area(world)
    assert codes(world) == {"has_signals", "reports_wait"}


def test_a_successor_must_receive(world: World) -> None:
    take_over_the_area(world)
    with world.sessions.begin() as session:
        ended = update(CoverageArea).where(CoverageArea.organisation_id == AMSTERDAM)
        session.execute(ended.values(valid_until=today(world.clock) + timedelta(days=1)))
    world.move(days=1)
    assert codes(world) == {"does_not_receive"}


@pytest.mark.parametrize("lacking", [{"agreement_on": None}, {"legal_basis": ""}])
def test_a_successor_that_covers_an_area_must_be_onboarded(world: World, lacking: dict[str, object]) -> None:
    take_over_the_area(world)
    with world.sessions.begin() as session:
        session.execute(update(Organisation).where(Organisation.id == AMSTERDAM).values(**lacking))
    assert codes(world) == {"does_not_receive"}


def codes(world: World) -> set[str]:
    with pytest.raises(Invalid) as refused, world.sessions.begin() as session:
        succeed(world.operation(session), **NAMES)
    return {problem.code for problem in refused.value.problems}
