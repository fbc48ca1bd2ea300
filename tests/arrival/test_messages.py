"""Test that arrival sends a team one message for all new signals, without a word about a resident."""

import json
from datetime import date

from sqlalchemy import select, update

from notifications.models import OutboxMessage
from signals.models import Recipient, Signal
from signals.routing.postcodes import Address
from signals.vocabulary import SignalState
from tests.factories import RecipientFactory
from tests.support.arriving import in_batches
from tests.support.world import AMSTERDAM, GRONINGEN, IN_GRONINGEN, World

TODAY = date(2026, 11, 24)


def test_each_verified_recipient_gets_one_message_that_tells_no_address(world: World) -> None:
    with world.sessions.begin() as session:
        second = update(Recipient).where(Recipient.organisation_id == AMSTERDAM, Recipient.position == 2)
        session.execute(second.values(verified_on=None))
        session.add(
            RecipientFactory.build(
                organisation_id=AMSTERDAM, position=3, address="c@example.org", verified_on=TODAY
            )
        )
    world.receive(1)
    world.worker().arrive()
    messages = world.rows(select(OutboxMessage))
    assert {message.recipient for message in messages} == {"een@gm0363.example.org", "c@example.org"}
    assert {json.dumps(message.values, sort_keys=True) for message in messages} == {
        json.dumps({"claim_by": "2026-11-25", "link": "http://127.0.0.1:8000/desk"})
    }


def test_a_message_waits_between_five_and_thirty_minutes_at_random(sqlite_world: World) -> None:
    world = sqlite_world
    for number in range(20):
        world.receive(number, Address(postcode="1012AB", number=number + 1))
    in_batches(world, 1).arrive()
    waits = {
        message.subject_id: (message.not_before - world.clock.now()).total_seconds()
        for message in world.rows(select(OutboxMessage))
    }
    assert len(set(waits.values())) == 20
    assert min(waits.values()) >= 5 * 60
    assert max(waits.values()) <= 30 * 60


def test_a_team_is_told_once_of_what_arrives_together_by_the_earliest_deadline(world: World) -> None:
    for number in range(3):
        world.receive(number, Address(postcode="1012AB", number=number + 1))
        world.move(days=1)
    world.receive(9, IN_GRONINGEN)
    world.worker().arrive()
    with world.sessions() as session:
        told = session.execute(select(OutboxMessage.organisation_id, OutboxMessage.values)).all()
    assert sorted((o, values["claim_by"]) for o, values in told) == sorted(
        [(AMSTERDAM, "2026-11-25")] * 2 + [(GRONINGEN, "2026-11-30")] * 2
    )


def test_arrival_notifies_nobody_for_a_team_without_a_verified_recipient(world: World) -> None:
    world.receive(1)
    with world.sessions.begin() as session:
        theirs = update(Recipient).where(Recipient.organisation_id == AMSTERDAM)
        session.execute(theirs.values(verified_on=None))
    world.worker().arrive()
    [signal] = world.signals()
    assert (signal.team_notified, world.count(OutboxMessage)) == (False, 0)


def test_the_worker_sends_no_message_of_arrivals_after_somebody_claimed_all_of_them(world: World) -> None:
    for number in range(2):
        world.receive(number, Address(postcode="1012AB", number=number + 1))
    worker = world.worker()
    worker.arrive()
    world.move(minutes=31)
    with world.sessions.begin() as session:
        session.execute(update(Signal).values(state=SignalState.CLAIMED))
    assert (worker.deliver().delivered, worker.deliver().total) == (0, 0)


def test_reminders_do_not_tell_anew_what_was_told_on_arrival(world: World) -> None:
    world.receive(1)
    worker = world.worker()
    worker.arrive()
    worker.remind()
    assert world.count(OutboxMessage) == 2
