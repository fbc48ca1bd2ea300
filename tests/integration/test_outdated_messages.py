"""What waited while a provider was off: what is no longer true is dropped with the reason, the rest sent."""

from datetime import date, timedelta

import pytest
from sqlalchemy import delete, select

from notifications.channels.memory import MemoryChannel
from notifications.delivery import DeliveryReport, deliver_due
from notifications.events import Event
from notifications.models import MessageState, OutboxMessage
from notifications.outbox import NewMessage, enqueue
from notifications.retry import TemporaryFailure
from signals.audit import SYSTEM
from signals.models import AccountLink, Organisation, StaffMember
from signals.reminders import why_senseless
from signals.staff.recovery import Links, recover
from signals.vocabulary import Role
from tests.desk_fixtures import CHEAP
from tests.support.world import AMSTERDAM, World

LINK = "https://desk.example/desk"


def _deliver(world: World, channel: MemoryChannel) -> DeliveryReport:
    return deliver_due(world.sessions, world.clock, {"email": channel}, senseless=why_senseless)


def _reasons(world: World) -> list[str | None]:
    with world.sessions() as session:
        dropped = OutboxMessage.state == MessageState.EXPIRED
        return list(session.scalars(select(OutboxMessage.reason).where(dropped)))


def _send_links(world: World, times: int) -> None:
    """Somebody asks again and again, for no mail comes."""
    with world.sessions.begin() as session:
        session.execute(delete(OutboxMessage))
    member_id = world.staff(role=Role.WORKER).id
    links = Links(keystore=world.keystore, audit=world.audit, page=LINK, hasher=CHEAP)
    for _ in range(times):
        with world.sessions.begin() as session:
            member = session.get_one(StaffMember, member_id)
            recover(session, world.clock, links=links, actor=SYSTEM, member=member)


def test_of_several_account_links_that_waited_only_the_one_that_works_is_sent(world: World) -> None:
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
def test_that_routing_was_taken_away_is_not_told_once_it_is_back(
    world: World, since: date | None, becomes: DeliveryReport
) -> None:
    suspended = NewMessage(
        event=Event.ROUTING_SUSPENDED,
        subject_id=AMSTERDAM,
        organisation_id=AMSTERDAM,
        channel="email",
        recipient="team@example.org",
        language="nl",
        values={"link": LINK, "suspended_from": "2026-11-24"},
        not_before=world.clock.now(),
        expires_at=None,
    )
    with world.sessions.begin() as session:
        session.execute(delete(OutboxMessage))
        session.get_one(Organisation, AMSTERDAM).suspended_from = since
        enqueue(session, [suspended])
    assert _deliver(world, MemoryChannel()) == becomes
