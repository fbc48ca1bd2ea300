"""Dead letters go to an address that is still somebody's, or to nobody."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest
from sqlalchemy import delete, select

from notifications.dead_letters import GONE, SAME, Wish, choose
from notifications.events import Event
from notifications.models import MessageState, OutboxMessage, PostedLetter
from notifications.outbox import NewMessage, enqueue
from signals.audit.log import Actor
from signals.models import Organisation, Recipient, StaffMember
from signals.organisations.administration import change_organisation
from signals.organisations.team_settings import RecipientWish, change_settings
from signals.vocabulary import Role
from tests.factories import DeliveryAttemptFactory, RecipientFactory
from tests.notifications.building import LINK, subject
from tests.support.fences import FencedWorld
from tests.support.world import AMSTERDAM, World

ON = date(2026, 11, 24)
PHONE = "+31612345678"


def recipients(world: World) -> list[Recipient]:
    with world.sessions() as session:
        return list(session.get_one(Organisation, AMSTERDAM).recipients)


def given_up(world: World, to: str, number: int = 1, **changes: Any) -> None:
    """Add a dead letter to a team."""
    values: dict[str, Any] = {
        "event": Event.NEW_SIGNAL,
        "subject_id": subject(number),
        "organisation_id": AMSTERDAM,
        "channel": "email",
        "recipient": to,
        "language": "nl",
        "values": {"link": LINK, "claim_by": "2026-11-25"},
        "not_before": world.clock.now(),
        "expires_at": None,
    }
    with world.sessions.begin() as session:
        enqueue(session, [NewMessage(**values | changes)])
        for message in session.scalars(select(OutboxMessage).where(OutboxMessage.recipient == to)):
            message.state, message.settled_at = MessageState.FAILED, world.clock.now()
            session.add(DeliveryAttemptFactory.build(message_id=message.id, at=world.clock.now()))


def rearrange(world: World, lead: Actor, addresses: Sequence[str], **changes: Any) -> None:
    """Save the lead's settings page; `changes` of the first recipient."""
    wishes = [RecipientWish(address=address) for address in addresses]
    wishes[0] = RecipientWish(**{"address": addresses[0], **changes})
    world.do(lead, change_settings, organisation_id=AMSTERDAM, changes={"recipients": wishes})


def change_first(world: World, **columns: Any) -> None:
    with world.sessions.begin() as session:
        for name, value in columns.items():
            setattr(session.get_one(Organisation, AMSTERDAM).recipients[0], name, value)


def addresses(world: World) -> list[str]:
    """Let a worker post the dead letters; return the state of their addresses."""
    world.worker().count_messages()
    return list(world.rows(select(PostedLetter.standing)))


def choose_again(world: World) -> list[MessageState]:
    """Choose "again" for every letter, and let a worker do it; return the states of these messages."""
    with world.sessions.begin() as session:
        for letter in session.scalars(select(PostedLetter.message_id)).all():
            choose(session, letter, Wish.AGAIN)
    world.worker().count_messages()
    with world.sessions() as session:
        letters = OutboxMessage.event != Event.ORGANISATION_CHANGED
        return list(session.scalars(select(OutboxMessage.state).where(letters)))


@pytest.fixture
def lead(world: World) -> Actor:
    with world.sessions.begin() as session:
        session.execute(delete(OutboxMessage))
    return world.staff(role=Role.LEAD)


def correct(world: World, lead: Actor, address: str) -> str:
    """Let an administrator put another address in the first place, and verify it; return the old one."""
    first, *others = recipients(world)
    with world.sessions.begin() as session:  # so that two stay verified
        third = {"position": 3, "address": "derde@example.org", "verified_on": ON}
        team = session.get_one(Organisation, AMSTERDAM)
        team.recipients.append(Recipient(**third))
    staying = [*(one.address for one in others), "derde@example.org"]
    world.do(
        world.staff(role=Role.ADMINISTRATOR),
        change_organisation,
        organisation_id=AMSTERDAM,
        changes={"recipients": [address, *staying]},
    )
    change_first(world, verified_on=ON)
    return first.address


def phone_of_first(world: World) -> tuple[str | None, str | None, date | None]:
    first = recipients(world)[0]
    return first.channel, first.phone, first.phone_verified_on


def test_a_letter_to_a_recipient_is_sent_again(world: World, lead: Actor) -> None:
    given_up(world, recipients(world)[0].address)
    assert addresses(world) == [SAME]
    assert choose_again(world) == [MessageState.QUEUED]


def test_a_letter_to_an_address_that_was_replaced_goes_nowhere(world: World, lead: Actor) -> None:
    given_up(world, correct(world, lead, "nieuw@example.org"))
    assert addresses(world) == [GONE]
    assert choose_again(world) == [MessageState.FAILED]
    assert world.rows(select(PostedLetter.wanted)) == [None]


@pytest.mark.parametrize("columns", [{"verified_on": None}, {"phone": PHONE}])
def test_an_address_or_phone_that_is_not_verified_gets_nothing(
    world: World, lead: Actor, columns: dict[str, Any]
) -> None:
    change_first(world, **columns)
    given_up(world, columns.get("phone", recipients(world)[0].address))
    assert addresses(world) == [GONE]


def test_the_recipient_of_another_organisation_gets_nothing(world: World, lead: Actor) -> None:
    with world.sessions.begin() as session:
        other = session.scalars(select(Recipient).where(Recipient.organisation_id != AMSTERDAM)).first()
        assert other is not None
        other.address = "ander@example.org"
    given_up(world, "ander@example.org")
    assert addresses(world) == [GONE]


def test_staff_and_deputies_get_their_letters_until_they_leave(world: World, lead: Actor) -> None:
    with world.sessions.begin() as session:
        member = session.get_one(StaffMember, lead.id)
        session.get_one(Organisation, AMSTERDAM).deputy_email = "lies@example.org"
    for number, to in enumerate((member.email, "lies@example.org"), start=1):
        due = {"link": LINK, "due_on": "2026-11-24"}
        given_up(world, to, number, event=Event.MISSED_DEADLINE, values=due)
    assert addresses(world) == [SAME, SAME]
    with world.sessions.begin() as session:
        session.get_one(StaffMember, lead.id).disabled_at = world.clock.now()
        session.get_one(Organisation, AMSTERDAM).deputy_email = "ander@example.org"
    assert addresses(world) == [GONE, GONE]


def test_a_coordinator_on_the_list_of_a_team_gets_nothing_of_it(world: World, lead: Actor) -> None:
    with world.sessions() as session:
        coordinator = session.get_one(StaffMember, world.staff(role=Role.COORDINATOR).id)
    change_first(world, address=coordinator.email, phone=PHONE, phone_verified_on=ON)
    given_up(world, coordinator.email)
    given_up(world, PHONE, 2, channel="sms")
    assert addresses(world) == [GONE, GONE]
    values = {"link": LINK, "valid_until": "2026-11-30"}
    given_up(world, coordinator.email, 3, event=Event.ACCOUNT_LINK, values=values)
    assert sorted(addresses(world)) == [GONE, GONE, SAME]


def test_an_address_that_stays_keeps_its_recipient_at_another_place(world: World, lead: Actor) -> None:
    first, second, *_ = recipients(world)
    rearrange(world, lead, [second.address, first.address, "vierde@example.org"])
    assert [one.id for one in recipients(world)][:2] == [second.id, first.id]


def test_a_new_address_does_not_inherit_the_phone_of_the_one_before(world: World, lead: Actor) -> None:
    change_first(world, channel="sms", phone=PHONE, phone_verified_on=ON)
    correct(world, lead, "opvolger@example.org")
    assert phone_of_first(world) == (None, None, None)


def test_a_phone_beside_a_new_address_must_be_verified(world: World, lead: Actor) -> None:
    change_first(world, channel="sms", phone=PHONE, phone_verified_on=ON)
    with world.sessions.begin() as session:  # so that two stay verified
        third = {"position": 3, "address": "derde@example.org", "verified_on": ON}
        session.add(RecipientFactory.build(organisation_id=AMSTERDAM, **third))
    others = [one.address for one in recipients(world)][1:]
    rearrange(world, lead, ["nieuw@example.org", *others], channel="sms", phone=PHONE)
    assert phone_of_first(world) == ("sms", PHONE, None)


def test_behind_the_fences_the_desk_chooses_and_a_worker_sends(fenced_world: FencedWorld) -> None:
    given_up(fenced_world.all_seeing, recipients(fenced_world.all_seeing)[0].address)
    assert addresses(fenced_world.worker) == [SAME]
    with fenced_world.desk.sessions.begin() as session:
        [letter] = session.scalars(select(PostedLetter.message_id))
        choose(session, letter, Wish.AGAIN)
    addresses(fenced_world.worker)
    with fenced_world.all_seeing.sessions() as session:
        assert session.scalars(select(OutboxMessage.state)).all() == [MessageState.QUEUED]
