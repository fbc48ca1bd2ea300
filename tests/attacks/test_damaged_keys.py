"""Change one byte of one key: its signal becomes unreadable, and everything else goes on."""

import uuid
from dataclasses import replace

import pytest

from privacy.keystore import WrongMasterKey
from privacy.keystore_schema import mailbox_keys, pseudonym_keys, secrets_table
from signals.intake.content import open_report, open_reports, open_summaries
from signals.models import Signal, SignalFact
from tests.support.comparisons import begin
from tests.support.damage import damage, damage_case_key
from tests.support.retention import arrived, concluded, retention_of
from tests.support.world import AMSTERDAM, GRONINGEN, IN_AMSTERDAM, IN_GRONINGEN, World


def damage_case(world: World, signal_id: uuid.UUID) -> None:
    (key_id,) = [signal.case_key_id for signal in world.signals() if signal.id == signal_id]
    damage_case_key(world.settings, key_id)


def test_a_damaged_case_key_stops_no_other_purge_and_goes_itself(world: World) -> None:
    damaged = concluded(world)
    concluded(world, 2)
    damage_case(world, damaged)
    world.move(days=28)
    assert retention_of(world).run(world.clock).total == 2
    assert world.count(Signal) == world.keystore.counts()["case_keys"] == 0


def test_lists_jobs_and_figures_read_all_signals_but_the_damaged_one(world: World) -> None:
    damaged, other = arrived(world), arrived(world, 2)
    damage_case(world, damaged)
    for opened in (open_reports, open_summaries):
        assert list(opened(world.keystore, world.signals())) == [other]  # type: ignore[operator]


def test_a_damaged_mailbox_key_holds_up_only_the_reports_sealed_to_it(world: World) -> None:
    world.receive(1, IN_AMSTERDAM)
    world.receive(2, IN_GRONINGEN)
    damage(world.settings, mailbox_keys.c.wrapped, of={mailbox_keys.c.organisation_id: AMSTERDAM})
    assert world.worker().arrive() == 1
    assert list(world.addresses()) == [IN_GRONINGEN]
    assert [report.refused_on is None for report in world.sealed()] == [False]


def test_a_damaged_pseudonym_key_holds_up_only_its_organisation(world: World) -> None:
    world.another_keystore().pseudonym_key(AMSTERDAM, "2026-Q4")
    damage(world.settings, pseudonym_keys.c.wrapped, of={pseudonym_keys.c.organisation_id: AMSTERDAM})
    world.receive(1, IN_AMSTERDAM)
    world.receive(2, IN_GRONINGEN)
    assert world.worker().arrive() == 1
    assert [signal.organisation_id for signal in world.signals()] == [GRONINGEN]


def test_damaged_secrets_of_figures_and_comparisons_stop_neither_purge_nor_arrival(world: World) -> None:
    begin(world)
    concluded(world)
    for name in ("facts-2026", "comparison-c001"):
        world.keystore.secret(name)
        damage(world.settings, secrets_table.c.wrapped, of={secrets_table.c.name: name})
    afresh = replace(world.worker(), keystore=world.another_keystore())
    world.receive(2)
    assert afresh.arrive() == 1
    world.move(days=28)
    assert afresh.retain().total == 2
    assert world.count(SignalFact) == 0


def test_a_rotated_master_key_makes_no_signal_look_damaged(world: World) -> None:
    concluded(world)
    world.another_keystore().rewrap(b"\x01" * 32)
    with pytest.raises(WrongMasterKey):
        open_report(world.keystore, world.signals()[0])
    world.move(days=28)
    with pytest.raises(WrongMasterKey):
        retention_of(world).run(world.clock)
    assert world.count(Signal) == 1
