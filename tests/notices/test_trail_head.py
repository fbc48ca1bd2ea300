"""Test that the signed head of the trail leaves the machine by mail, once a day."""

import json
from collections.abc import Sequence

from sqlalchemy import select

from notifications.models import OutboxMessage
from privacy.audit_chain import SignedHead
from signals.audit.trail import latest_head
from signals.vocabulary import Role
from tests.support.world import World


def mails(world: World) -> Sequence[OutboxMessage]:
    return world.rows(select(OutboxMessage).where(OutboxMessage.event == "trail_head"))


def test_each_administrator_gets_the_head_of_the_trail_once_a_day(world: World) -> None:
    worker = world.worker()
    administrator = world.staff(None, Role.ADMINISTRATOR)
    assert worker.mail_trail_head() == 0  # no head was signed yet
    world.receive(1)
    worker.arrive()
    world.move(days=1)
    assert worker.link_audit() > 0
    assert (worker.mail_trail_head(), worker.mail_trail_head()) == (1, 0)
    (mail,) = mails(world)
    assert mail.recipient == world.email_of(administrator)
    with world.sessions() as session:
        assert SignedHead.from_json(json.loads(mail.values["head"])) == latest_head(session)
    world.move(days=1)
    assert worker.mail_trail_head() == 1
