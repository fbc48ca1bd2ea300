"""The alarm about reports that arrival set aside: at three in a day, one message a day."""

from datetime import date, timedelta

from sqlalchemy import select

from notifications.models import OutboxMessage
from signals.vocabulary import Role
from tests.support.phone import Phone
from tests.support.world import World, report

TODAY = date(2026, 11, 24)


def _set_aside(world: World, number: int) -> None:
    root = world.keystore.root_public_key()
    assert root
    phone = Phone(world.client(), root)
    for _ in range(number):
        assert phone.send(phone.seal(report(), b"no json")).status_code == 201
    world.worker().arrive()


def _messages(world: World) -> list[tuple[str, str]]:
    with world.sessions() as session:
        query = select(OutboxMessage).where(OutboxMessage.event == "reports_set_aside")
        return sorted((mail.recipient, mail.values["set_aside_on"]) for mail in session.scalars(query))


def test_three_reports_that_do_not_open_in_a_day_are_one_message_to_each_administrator(world: World) -> None:
    recipient = world.email_of(world.staff(None, Role.ADMINISTRATOR))
    worker = world.worker()
    _set_aside(world, 2)
    assert worker.watch_set_aside() == 0
    _set_aside(world, 1)
    assert (worker.watch_set_aside(), worker.watch_set_aside()) == (1, 0)
    _set_aside(world, 1)
    assert worker.watch_set_aside() == 0
    assert _messages(world) == [(recipient, TODAY.isoformat())]


def test_days_count_apart_and_the_last_minute_of_a_day_is_told_on_the_next(world: World) -> None:
    recipient = world.email_of(world.staff(None, Role.ADMINISTRATOR))
    _set_aside(world, 3)
    world.move(days=1)
    _set_aside(world, 2)
    assert world.worker().watch_set_aside() == 1
    _set_aside(world, 1)
    assert world.worker().watch_set_aside() == 1
    days = [TODAY, TODAY + timedelta(days=1)]
    assert _messages(world) == [(recipient, day.isoformat()) for day in days]
