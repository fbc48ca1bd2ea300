"""Messages that waited for a provider: obsolete ones expire with a reason, the others are sent."""

import uuid
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import delete, select, update

from notifications.channels.memory import MemoryChannel
from notifications.delivery import DeliveryReport, deliver_due
from notifications.events import Event
from notifications.models import MessageState, OutboxMessage
from notifications.outbox import NewMessage, enqueue
from notifications.retry import TemporaryFailure
from signals.models import AccountLink, Organisation, Recipient, Signal, StaffMember
from signals.notices.obsolete import why_obsolete
from signals.organisations.recipients import ask_for_proof
from signals.staff.change_messages import AccountSettings
from signals.staff.recovery import recover
from signals.vocabulary import Role
from tests.support.desk_fixtures import CHEAP
from tests.support.world import AMSTERDAM, World

LINK = "https://desk.example/desk"


def _deliver(world: World, channel: MemoryChannel) -> DeliveryReport:
    return deliver_due(world.sessions, world.clock, {"email": channel}, obsolete=why_obsolete)


def _reasons(world: World) -> list[str | None]:
    with world.sessions() as session:
        dropped = OutboxMessage.state == MessageState.EXPIRED
        return list(session.scalars(select(OutboxMessage.reason).where(dropped)))


def _send_links(world: World, times: int) -> None:
    """Somebody asks again and again, for no mail comes."""
    with world.sessions.begin() as session:
        session.execute(delete(OutboxMessage))
    member_id = world.staff(role=Role.WORKER).id
    settings = AccountSettings(site="https://desk.example", hasher=CHEAP)
    for _ in range(times):
        with world.sessions.begin() as session:
            member = session.get_one(StaffMember, member_id)
            recover(world.operation(session), member=member, settings=settings)


def message(event: Event, subject_id: uuid.UUID, day: str, *, at: datetime) -> NewMessage:
    return NewMessage(
        event=event,
        subject_id=subject_id,
        organisation_id=AMSTERDAM,
        channel="email",
        recipient="team@example.org",
        language="nl",
        values={"link": LINK, day: "2026-11-24"},
        not_before=at,
        expires_at=None,
    )


def test_only_the_live_one_of_several_waiting_account_links_is_sent(world: World) -> None:
    _send_links(world, 3)
    channel = MemoryChannel()
    channel.failures.extend([TemporaryFailure("smtp_connection")])
    assert _deliver(world, channel).delivered == 0
    world.clock.moment += timedelta(hours=1)
    assert _deliver(world, channel) == DeliveryReport(delivered=1)
    assert (len(channel.sent), _reasons(world)) == (1, ["replaced", "replaced"])
    with world.sessions() as session:
        [link] = session.scalars(select(AccountLink.id))
        sent = select(OutboxMessage.subject_id).where(OutboxMessage.state == MessageState.DELIVERED)
        assert session.scalars(sent).one() == link


@pytest.mark.parametrize("about", ["some", "one"])
def test_a_recipient_who_became_a_coordinator_gets_no_message_about_a_signal(
    world: World, about: str
) -> None:
    world.receive(1)
    worker = world.worker()
    worker.arrive()
    member_id = world.staff(role=Role.WORKER).id
    with world.sessions.begin() as session:
        if about == "one":
            signal = session.scalars(select(Signal)).one()
            session.execute(update(OutboxMessage).values(subject_id=signal.id))
        session.execute(update(OutboxMessage).values(not_before=world.clock.now()))
        [first, *others] = session.scalars(select(OutboxMessage.recipient)).all()
        member = session.get_one(StaffMember, member_id)
        member.email, member.role, member.organisation_id = first, Role.COORDINATOR, None
    channel = MemoryChannel()
    assert _deliver(world, channel) == DeliveryReport(delivered=len(others), expired=1)
    assert {message.recipient for message in channel.sent} == set(others)
    assert _reasons(world) == ["coordinator"]


def test_an_account_link_that_was_used_meanwhile_is_not_sent(world: World) -> None:
    _send_links(world, 1)
    with world.sessions.begin() as session:
        session.scalars(select(AccountLink)).one().used_at = world.clock.now()
    assert _deliver(world, MemoryChannel()) == DeliveryReport(expired=1)
    assert _reasons(world) == ["used"]


@pytest.mark.parametrize(
    ("since", "becomes"),
    [
        (None, DeliveryReport(expired=1)),
        (date(2026, 11, 24), DeliveryReport(delivered=1)),
    ],
)
def test_a_message_about_lost_routing_is_dropped_once_routing_is_back(
    world: World, since: date | None, becomes: DeliveryReport
) -> None:
    suspended = message(Event.ROUTING_SUSPENDED, AMSTERDAM, "suspended_from", at=world.clock.now())
    with world.sessions.begin() as session:
        session.execute(delete(OutboxMessage))
        session.get_one(Organisation, AMSTERDAM).suspended_from = since
        enqueue(session, [suspended])
    assert _deliver(world, MemoryChannel()) == becomes


def _asked(world: World) -> Recipient:
    """A recipient whose address waits for its proof, as the only message that there is."""
    with world.sessions.begin() as session:
        session.execute(delete(OutboxMessage))
        recipient = session.scalars(select(Recipient).where(Recipient.organisation_id == AMSTERDAM)).first()
        assert recipient is not None
        recipient.verified_on = None
        session.flush()
        assert ask_for_proof(world.operation(session), public_url=LINK) == 1
        return recipient


def test_an_address_that_was_proved_meanwhile_is_not_asked_for_its_proof(world: World) -> None:
    asked = _asked(world)
    with world.sessions.begin() as session:
        session.get_one(Recipient, asked.id).verified_on = date(2026, 11, 24)
    channel = MemoryChannel()
    assert _deliver(world, channel) == DeliveryReport(expired=1)
    assert (channel.sent, _reasons(world)) == ([], ["verified"])


@pytest.mark.parametrize(("becomes", "reason"), [("ander@example.org", "replaced"), (None, "removed")])
def test_an_address_that_is_no_recipients_any_more_is_not_asked(
    world: World, becomes: str | None, reason: str
) -> None:
    asked = _asked(world)
    with world.sessions.begin() as session:
        recipient = session.get_one(Recipient, asked.id)
        if becomes:
            recipient.address = becomes
        else:
            session.delete(recipient)
    assert _deliver(world, MemoryChannel()) == DeliveryReport(expired=1)
    assert _reasons(world) == [reason]


def test_an_address_that_waits_is_asked_though_the_phone_was_proved(world: World) -> None:
    asked = _asked(world)
    with world.sessions.begin() as session:
        recipient = session.get_one(Recipient, asked.id)
        recipient.phone, recipient.phone_verified_on = "+31612345678", date(2026, 11, 24)
    assert _deliver(world, MemoryChannel()) == DeliveryReport(delivered=1)


def test_a_deputy_who_was_proved_or_replaced_meanwhile_is_not_asked(world: World) -> None:
    for changes in ({"deputy_verified_on": date(2026, 11, 24)}, {"deputy_email": "ander@example.org"}):
        with world.sessions.begin() as session:
            session.execute(delete(OutboxMessage))
            organisation = session.get_one(Organisation, AMSTERDAM)
            organisation.deputy_email, organisation.deputy_verified_on = "lies@example.org", None
            session.flush()
            assert ask_for_proof(world.operation(session), public_url=LINK) == 1
            for name, value in changes.items():
                setattr(organisation, name, value)
        assert _deliver(world, MemoryChannel()) == DeliveryReport(expired=1)
        assert _reasons(world) == ["verified" if "deputy_verified_on" in changes else "replaced"]


def test_a_message_that_was_withdrawn_meanwhile_was_told_by_no_other_one(world: World) -> None:
    with world.sessions() as session:
        withdrawn = Event.NEW_SIGNAL, uuid.uuid4(), AMSTERDAM, "team@example.org"
        assert why_obsolete(session, *withdrawn) == "gone"


def test_messages_that_waited_together_go_as_one_mail_and_a_later_one_goes_too(world: World) -> None:
    world.receive(1)
    world.worker().arrive()
    now = world.clock.now()
    with world.sessions.begin() as session:
        session.execute(delete(OutboxMessage))
        due = [now, now, now + timedelta(minutes=1), now + timedelta(minutes=90)]
        enqueue(session, [message(Event.NEW_SIGNAL, uuid.uuid4(), "claim_by", at=each) for each in due])
    world.clock.moment += timedelta(minutes=60)
    assert _deliver(world, MemoryChannel()) == DeliveryReport(delivered=1, expired=2)
    assert _reasons(world) == ["told", "told"]
    world.clock.moment += timedelta(minutes=60)
    assert _deliver(world, MemoryChannel()) == DeliveryReport(delivered=1)
