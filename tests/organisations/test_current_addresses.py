"""Messages that were given up go to where their recipient is by now, or to nobody."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pytest
from sqlalchemy import delete, select

from notifications.dead_letters import Standing, Wish, choose, send_again
from notifications.events import Event
from notifications.models import DeliveryAttempt, MessageState, OutboxMessage, PostedLetter
from notifications.outbox import NewMessage, enqueue
from signals.audit.log import Actor
from signals.models import Organisation, Recipient, StaffMember
from signals.organisations.administration import RecipientEntry, change_organisation
from signals.organisations.team_settings import RecipientWish, change_settings
from signals.vocabulary import Role
from tests.notifications.building import LINK, subject
from tests.support.fences import FencedWorld
from tests.support.world import AMSTERDAM, World

ON = date(2026, 11, 24)
PHONE, OTHER_PHONE = "+31612345678", "+31687654321"
WAY_BY_PHONE = {"channel": "sms", "phone": PHONE}


def recipients(world: World) -> list[Recipient]:
    with world.sessions() as session:
        return list(session.get_one(Organisation, AMSTERDAM).recipients)


def given_up(world: World, to: str, number: int = 1, **changes: Any) -> None:
    """A message to a team that came to nothing, as the only one there is about that subject."""
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
            session.add(
                DeliveryAttempt(
                    message_id=message.id, at=world.clock.now(), delivered=False, problem="smtp_550"
                )
            )


def rearrange(world: World, lead: Actor, addresses: Sequence[str], **changes: Any) -> None:
    """What a lead does on the page of settings; `changes` of the first of them."""
    wishes = [RecipientWish(address=address) for address in addresses]
    wishes[0] = RecipientWish(**{"address": addresses[0], **changes})
    with world.sessions.begin() as session:
        change_settings(
            session,
            world.clock,
            actor=lead,
            audit=world.audit,
            organisation_id=AMSTERDAM,
            changes={"recipients": wishes},
        )


def confirm(world: World, **columns: Any) -> None:
    """The first recipient, as if the button of the mail was pressed."""
    with world.sessions.begin() as session:
        for name, value in columns.items():
            setattr(session.get_one(Organisation, AMSTERDAM).recipients[0], name, value)


def standings(world: World) -> list[str]:
    """As put up by a worker for the staff side."""
    world.worker().count_messages()
    with world.sessions() as session:
        return list(session.scalars(select(PostedLetter.standing)))


def ask_again(world: World) -> list[tuple[str, MessageState]]:
    """An administrator chooses it of everything, and a worker does it; gives recipients and states."""
    with world.sessions.begin() as session:
        for letter in session.scalars(select(PostedLetter.message_id)).all():
            choose(session, letter, Wish.AGAIN)
    world.worker().count_messages()
    return messages(world)


def messages(world: World) -> list[tuple[str, MessageState]]:
    with world.sessions() as session:
        found = select(OutboxMessage.recipient, OutboxMessage.state).order_by(OutboxMessage.recipient)
        return [(row.recipient, row.state) for row in session.execute(found)]


@pytest.fixture
def lead(world: World) -> Actor:
    with world.sessions.begin() as session:
        session.execute(delete(OutboxMessage))
    confirmed = world.staff(role=Role.LEAD)
    assert all(recipient.verified_on for recipient in recipients(world))
    return confirmed


def test_what_an_address_missed_goes_to_the_one_that_corrects_it_once_that_is_confirmed(
    world: World, lead: Actor
) -> None:
    old, *others = [recipient.address for recipient in recipients(world)]
    restored = {"link": LINK, "restored_on": "2026-11-24"}
    given_up(world, old, event=Event.ROUTING_RESTORED, values=restored)
    assert standings(world) == [Standing.SAME]
    rearrange(world, lead, [old, *others, "derde@example.org"])
    confirm(world, verified_on=ON)
    with world.sessions.begin() as session:  # so that two stay confirmed
        session.get_one(Organisation, AMSTERDAM).recipients[-1].verified_on = ON
    rearrange(world, lead, ["nieuw@example.org", *others, "derde@example.org"])
    assert standings(world) == [Standing.UNPROVED]
    assert ask_again(world) == [(old, MessageState.FAILED)]
    confirm(world, verified_on=ON)
    assert standings(world) == [Standing.MOVED]
    assert ask_again(world) == [("nieuw@example.org", MessageState.QUEUED)]
    assert world.worker().deliver().delivered == 1


def correct(world: World, lead: Actor, address: str, *, confirmed: bool = True) -> str:
    """Another address in the first place; gives the old one."""
    entries = recipients(world)
    with world.sessions.begin() as session:
        change_organisation(
            session,
            world.clock,
            actor=world.staff(role=Role.ADMINISTRATOR),
            audit=world.audit,
            organisation_id=AMSTERDAM,
            changes={
                "recipients": [
                    RecipientEntry(address=address, verified_on=ON if confirmed else None),
                    *(
                        RecipientEntry(address=one.address, verified_on=one.verified_on)
                        for one in entries[1:]
                    ),
                ]
            },
        )
    return entries[0].address


def test_a_correction_keeps_the_recipient_and_an_address_at_another_place_is_another_one(
    world: World, lead: Actor
) -> None:
    first, second, *_ = recipients(world)
    correct(world, lead, "nieuw@example.org")
    assert recipients(world)[0].id == first.id
    rearrange(world, lead, [second.address, "nieuw@example.org", "vierde@example.org"])
    assert [one.id for one in recipients(world)][:2] == [second.id, first.id]
    assert recipients(world)[2].id not in {first.id, second.id}


def phone_of_first(world: World) -> tuple[str | None, str | None, date | None]:
    first = recipients(world)[0]
    return first.channel, first.phone, first.phone_verified_on


def told_by(world: World) -> set[tuple[str, str]]:
    """(channel, recipient) of who is told of a signal that comes in."""
    world.receive(1)
    worker = world.worker()
    worker.channels["sms"] = worker.channels["email"]
    worker.arrive()
    with world.sessions() as session:
        new = select(OutboxMessage).where(OutboxMessage.event == Event.NEW_SIGNAL)
        return {(message.channel, message.recipient) for message in session.scalars(new)}


def test_who_takes_somebodys_place_is_told_by_mail_and_not_at_the_predecessors_phone(
    world: World, lead: Actor
) -> None:
    confirm(world, channel="sms", phone=PHONE, phone_verified_on=ON)
    other = recipients(world)[1].address
    correct(world, lead, "opvolger@example.org")
    assert phone_of_first(world) == ("email", None, None)
    assert told_by(world) == {("email", "opvolger@example.org"), ("email", other)}


def test_a_phone_that_a_lead_gives_along_with_another_address_is_proved_anew(
    world: World, lead: Actor
) -> None:
    confirm(world, channel="sms", phone=PHONE, phone_verified_on=ON)
    with world.sessions.begin() as session:  # so that two stay confirmed
        third = {"position": 3, "address": "derde@example.org", "verified_on": ON}
        session.add(Recipient(organisation_id=AMSTERDAM, **third))
    others = [one.address for one in recipients(world)][1:]
    rearrange(world, lead, ["nieuw@example.org", *others], **WAY_BY_PHONE)
    assert phone_of_first(world) == ("sms", PHONE, None)


def test_what_a_predecessors_phone_missed_goes_to_the_successors_address(world: World, lead: Actor) -> None:
    confirm(world, channel="sms", phone=PHONE, phone_verified_on=ON)
    given_up(world, PHONE, channel="sms")
    correct(world, lead, "opvolger@example.org")
    assert standings(world) == [Standing.MOVED]
    assert ask_again(world) == [("opvolger@example.org", MessageState.QUEUED)]


def test_another_spelling_of_an_address_leaves_the_phone_as_it_was(world: World, lead: Actor) -> None:
    confirm(world, channel="sms", phone=PHONE, phone_verified_on=ON)
    correct(world, lead, recipients(world)[0].address.upper())
    assert phone_of_first(world) == ("sms", PHONE, ON)


def test_the_one_that_was_added_and_confirmed_before_the_old_was_taken_off_succeeds_it(
    world: World, lead: Actor
) -> None:
    """As the page of settings asks where only two have confirmed."""
    old, other = [recipient.address for recipient in recipients(world)]
    given_up(world, old)
    rearrange(world, lead, [old, other, "nieuw@example.org"])
    with world.sessions.begin() as session:
        session.get_one(Organisation, AMSTERDAM).recipients[-1].verified_on = ON
    rearrange(world, lead, [other, "nieuw@example.org"])
    assert standings(world) == [Standing.MOVED]
    assert ask_again(world) == [("nieuw@example.org", MessageState.QUEUED)]
    standings(world)
    assert {recipient.former_address for recipient in recipients(world)} == {None}


def test_who_was_there_before_succeeds_nobody(world: World, lead: Actor) -> None:
    old, other = [recipient.address for recipient in recipients(world)]
    given_up(world, "derde@example.org")
    rearrange(world, lead, [old, other, "derde@example.org"])
    with world.sessions.begin() as session:
        session.get_one(Organisation, AMSTERDAM).recipients[-1].verified_on = ON
    rearrange(world, lead, [old, other])
    assert standings(world) == [Standing.GONE]


def test_what_was_sent_to_an_address_that_is_nobodys_any_more_goes_nowhere(world: World, lead: Actor) -> None:
    given_up(world, "weg@example.org")
    assert standings(world) == [Standing.GONE]
    assert ask_again(world) == [("weg@example.org", MessageState.FAILED)]
    with world.sessions() as session:
        assert session.scalars(select(PostedLetter.wanted)).all() == [None]


def test_the_recipient_of_another_organisation_gets_nothing_of_it(world: World, lead: Actor) -> None:
    with world.sessions.begin() as session:
        other = session.scalars(select(Recipient).where(Recipient.organisation_id != AMSTERDAM)).first()
        assert other is not None
        other.former_address = "oud@example.org"
    given_up(world, "oud@example.org")
    given_up(world, other.address, 2)
    assert standings(world) == [Standing.GONE, Standing.GONE]


def test_what_the_present_address_was_told_already_is_not_told_it_twice(world: World, lead: Actor) -> None:
    old = recipients(world)[0].address
    given_up(world, old)
    correct(world, lead, "nieuw@example.org")
    with world.sessions.begin() as session:
        told = session.scalars(select(OutboxMessage)).one()
        same = {name: getattr(told, name) for name in ("event", "subject_id", "organisation_id", "values")}
        session.add(
            OutboxMessage(
                **same,
                channel="email",
                recipient="nieuw@example.org",
                state=MessageState.DELIVERED,
                not_before=world.clock.now(),
            )
        )
    assert standings(world) == [Standing.MOVED]
    assert ask_again(world) == [(old, MessageState.EXPIRED), ("nieuw@example.org", MessageState.DELIVERED)]
    with world.sessions() as session:
        reasons = session.scalars(select(OutboxMessage.reason).where(OutboxMessage.recipient == old))
        assert reasons.all() == ["told_already"]


def test_two_messages_about_one_thing_that_move_to_one_address_become_one(world: World, lead: Actor) -> None:
    old = recipients(world)[0].address
    confirm(world, former_phone=PHONE)
    given_up(world, old)
    given_up(world, PHONE, channel="sms")
    correct(world, lead, "nieuw@example.org")
    assert standings(world) == [Standing.MOVED, Standing.MOVED]
    assert sorted(state for _, state in ask_again(world)) == [MessageState.EXPIRED, MessageState.QUEUED]


@pytest.mark.parametrize(
    ("wish", "then", "standing", "to"),
    [
        ({"channel": "sms", "phone": OTHER_PHONE}, {"phone_verified_on": ON}, Standing.MOVED, OTHER_PHONE),
        ({"channel": "sms", "phone": OTHER_PHONE}, {}, Standing.MOVED, "een@"),
        ({"channel": "email"}, {}, Standing.MOVED, "een@"),
        ({"channel": "sms", "phone": OTHER_PHONE}, {"verified_on": None}, Standing.UNPROVED, PHONE),
        ({"channel": "sms", "phone": PHONE}, {}, Standing.SAME, PHONE),
    ],
)
def test_a_text_message_goes_the_way_that_its_recipient_chose_since(
    world: World, lead: Actor, wish: Mapping[str, Any], then: Mapping[str, Any], standing: Standing, to: str
) -> None:
    confirm(world, channel="sms", phone=PHONE, phone_verified_on=ON)
    given_up(world, PHONE, channel="sms")
    rearrange(world, lead, [one.address for one in recipients(world)], **wish)
    confirm(world, **then)
    worker = world.worker()
    worker.channels["sms"] = worker.channels["email"]
    worker.count_messages()
    with world.sessions.begin() as session:
        letter = session.scalars(select(PostedLetter)).one()
        assert letter.standing == standing
        choose(session, letter.message_id, Wish.AGAIN)
    worker.count_messages()
    [(recipient, _)] = messages(world)
    assert recipient.startswith(to)


def test_what_goes_to_staff_and_deputies_stays_theirs_until_they_are_gone(world: World, lead: Actor) -> None:
    with world.sessions.begin() as session:
        member = session.get_one(StaffMember, lead.id)
        session.get_one(Organisation, AMSTERDAM).deputy_email = "lies@example.org"
    for number, to in enumerate((member.email, "lies@example.org"), start=1):
        due = {"link": LINK, "due_on": "2026-11-24"}
        given_up(world, to, number, event=Event.MISSED_DEADLINE, values=due)
    assert standings(world) == [Standing.SAME, Standing.SAME]
    with world.sessions.begin() as session:
        session.get_one(StaffMember, lead.id).disabled_at = world.clock.now()
        session.get_one(Organisation, AMSTERDAM).deputy_email = "ander@example.org"
    assert standings(world) == [Standing.GONE, Standing.GONE]


def test_a_coordinator_gets_nothing_of_it_whatever_list_they_were_put_on(world: World, lead: Actor) -> None:
    with world.sessions() as session:
        coordinator = session.get_one(StaffMember, world.staff(role=Role.COORDINATOR).id)
    old = recipients(world)[0].address
    given_up(world, old)
    confirm(world, former_address=old, address=coordinator.email)
    assert standings(world) == [Standing.GONE]
    given_up(world, coordinator.email, 2)
    assert standings(world) == [Standing.GONE, Standing.GONE]
    values = {"link": LINK, "valid_until": "2026-11-30"}
    given_up(world, coordinator.email, 3, event=Event.ACCOUNT_LINK, values=values)
    assert sorted(standings(world)) == [Standing.GONE, Standing.GONE, Standing.SAME]


def test_a_former_address_is_kept_no_longer_than_a_message_that_did_not_arrive(
    world: World, lead: Actor
) -> None:
    old = correct(world, lead, "nieuw@example.org")
    assert recipients(world)[0].former_address == old
    given_up(world, old)
    standings(world)
    assert recipients(world)[0].former_address == old
    ask_again(world)
    standings(world)
    assert recipients(world)[0].former_address is None


def test_an_address_that_was_never_confirmed_is_not_remembered(world: World, lead: Actor) -> None:
    with world.sessions.begin() as session:  # so that two stay confirmed
        spare = Recipient(organisation_id=AMSTERDAM, position=3, address="ook@example.org", verified_on=ON)
        session.add(spare)
    old = correct(world, lead, "tikfout@example.org", confirmed=False)
    correct(world, lead, "nieuw@example.org")
    assert recipients(world)[0].former_address == old


def test_without_anybody_who_knows_better_a_message_goes_where_it_was_written_to(
    world: World, lead: Actor
) -> None:
    given_up(world, "weg@example.org")
    with world.sessions.begin() as session:
        assert send_again(session, world.clock) == 1


def test_behind_the_fences_a_worker_readdresses_and_forgets(fenced_world: FencedWorld) -> None:
    worker, seeing = fenced_world.worker, fenced_world.all_seeing
    old = recipients(seeing)[0].address
    confirm(seeing, former_address=old, address="nieuw@example.org")
    given_up(seeing, old)
    assert standings(worker) == [Standing.MOVED]
    with fenced_world.desk.sessions.begin() as session:
        [letter] = session.scalars(select(PostedLetter.message_id))
        choose(session, letter, Wish.AGAIN)
    standings(worker)
    assert messages(seeing) == [("nieuw@example.org", MessageState.QUEUED)]
    standings(worker)
    assert recipients(seeing)[0].former_address is None
