"""The worker notes signals that nobody can read; the privacy officer gives one up."""

import random

import pytest
from sqlalchemy import select, update

from signals.clock import today
from signals.errors import Conflict, Forbidden, NotFound
from signals.models import DeletionRecord, Signal
from signals.retention import unreadable
from signals.retention.unreadable import give_up, unreadable_signals
from signals.vocabulary import DeletionReason, Role
from tests.support.damage import damage_case_key
from tests.support.retention import arrived
from tests.support.world import GRONINGEN, World


def listed(world: World) -> dict[object, object]:
    with world.sessions() as session:
        return {signal.id: signal.unreadable_on for signal in unreadable_signals(session)}


@pytest.mark.parametrize("lost", ["key", "content"])
def test_a_damaged_signal_is_listed_until_the_officer_gives_it_up(world: World, lost: str) -> None:
    damaged, other = arrived(world), arrived(world, 2)
    key_ids = {signal.id: signal.case_key_id for signal in world.signals()}
    if lost == "key":
        damage_case_key(world.settings, key_ids[damaged])
    else:
        with world.sessions.begin() as session:
            session.execute(update(Signal).where(Signal.id == damaged).values(content=bytes(2096)))
    worker, officer = world.worker(), world.staff(role=Role.PRIVACY_OFFICER)
    with pytest.raises(Conflict):
        world.do(officer, give_up, signal_id=damaged)
    assert (worker.try_signals(), worker.try_signals()) == (1, 0)
    assert listed(world) == {damaged: today(world.clock)}
    for actor, refusal in (
        (world.staff(), Forbidden),
        (world.staff(GRONINGEN, Role.PRIVACY_OFFICER), NotFound),
    ):
        with pytest.raises(refusal):
            world.do(actor, give_up, signal_id=damaged)
    world.do(officer, give_up, signal_id=damaged)
    worker.destroy_keys()
    assert [signal.id for signal in world.signals()] == [other]
    assert world.rows(select(DeletionRecord.reason)) == [DeletionReason.UNREADABLE]
    assert key_ids[damaged] not in set(world.keystore.case_key_ids())


def test_the_mark_goes_once_the_signal_opens_again(world: World) -> None:
    signal_id = arrived(world)
    with world.sessions.begin() as session:
        session.execute(update(Signal).values(unreadable_on=today(world.clock)))
    assert list(listed(world)) == [signal_id]
    world.worker().try_signals()
    assert listed(world) == {}


def test_one_night_tries_so_many_signals_and_another_night_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(1, 7):
        arrived(world, number)
    with world.sessions.begin() as session:
        session.execute(update(Signal).values(content=bytes(2096)))
    monkeypatch.setattr(unreadable, "PAGE", 2)
    monkeypatch.setattr(unreadable, "_READ", unreadable._READ.limit(2))
    monkeypatch.setattr(unreadable, "TRIED_AT_ONCE", 4)
    nights = [world.worker().try_signals()]
    assert 4 <= nights[0] <= 5
    rng = random.Random(1)
    for _ in range(20):
        unreadable.try_signals(world.sessions, world.clock, keystore=world.keystore, rng=rng)
    assert len(listed(world)) == 6
