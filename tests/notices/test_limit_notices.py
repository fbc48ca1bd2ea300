"""The alarm before a day's limit of reports, and raising it for that day, on both databases."""

import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from notifications.events import Event
from notifications.models import OutboxMessage
from signals.audit.log import Actor
from signals.errors import StaleVersion
from signals.intake.receiving import Intake
from signals.models import AreaDay, AuditEntry, Organisation, SealedReport, StaffMember
from signals.models.area_day import MOST_RAISES
from signals.notices.limit_notices import (
    FullDay,
    LimitNotRaised,
    forget_full_days,
    full_day,
    full_days,
    raise_limit,
)
from signals.settings import LimitsSettings
from signals.vocabulary import Role
from tests.support.at_once import run_at_once
from tests.support.world import AMSTERDAM, GRONINGEN, World, key, report

SETTING = 5  # four reports are 80%


def fill(world: World, upto: int) -> None:
    """Pass on reports from Amsterdam until there are so many today."""
    intake: Intake = world.intake(limit=SETTING)
    for number in range(world.count(SealedReport), upto):
        intake.receive(world.clock, key=key(number), report=report())


def watch(world: World, setting: int = SETTING) -> int:
    return world.worker(limits=LimitsSettings(open_reports_per_area_and_day=setting)).watch_limits()


def told(world: World) -> list[tuple[str, str]]:
    """(event, recipient) of every message about a limit."""
    with world.sessions() as session:
        query = select(OutboxMessage.event, OutboxMessage.recipient).order_by(
            OutboxMessage.event, OutboxMessage.recipient
        )
        events = (Event.AREA_NEARLY_FULL, Event.AREA_FULL)
        return [(row.event, row.recipient) for row in session.execute(query) if row.event in events]


def rows(world: World) -> Sequence[AreaDay]:
    return world.rows(select(AreaDay))


def lift(world: World, actor: Actor, *, expected: int | None = None, id: uuid.UUID | None = None) -> FullDay:
    return world.do(
        actor, raise_limit, setting=SETTING, area_day_id=id or rows(world)[0].id, expected_raises=expected
    )


@pytest.fixture
def lead(world: World) -> Actor:
    return world.staff(AMSTERDAM, Role.LEAD)


@pytest.fixture
def administrator(world: World) -> Actor:
    actor = world.staff(AMSTERDAM, Role.ADMINISTRATOR)
    with world.sessions.begin() as session:
        session.get_one(StaffMember, actor.id).organisation_id = None
    return replace(actor, organisation_id=None)


# Telling


def test_below_four_fifths_nobody_gets_a_message(world: World, lead: Actor, administrator: Actor) -> None:
    fill(world, 3)
    assert watch(world) == 0
    assert rows(world) == []


def test_lead_and_administrator_get_one_message_at_four_fifths_and_one_at_the_limit(
    world: World, lead: Actor, administrator: Actor
) -> None:
    both = sorted([world.email_of(lead), world.email_of(administrator)])
    fill(world, 4)
    assert [watch(world), watch(world)] == [2, 0]
    assert told(world) == [(Event.AREA_NEARLY_FULL, one) for one in both]
    fill(world, 5)
    assert [watch(world), watch(world)] == [2, 0]
    assert [one for one in told(world) if one[0] == Event.AREA_FULL] == [
        (Event.AREA_FULL, one) for one in both
    ]


def test_two_workers_at_once_tell_once(world: World, lead: Actor) -> None:
    fill(world, 4)
    run_at_once(lambda: watch(world), lambda: watch(world))
    assert len(told(world)) == len(rows(world)) == 1


def test_other_teams_coordinators_and_workers_get_no_message(world: World, lead: Actor) -> None:
    world.staff(GRONINGEN, Role.LEAD)
    world.staff(AMSTERDAM, Role.COORDINATOR)
    world.staff(AMSTERDAM, Role.WORKER)
    fill(world, 4)
    watch(world)
    assert [recipient for _, recipient in told(world)] == [world.email_of(lead)]


def test_the_message_says_the_day_and_a_link_and_the_table_holds_no_number(world: World, lead: Actor) -> None:
    fill(world, 4)
    watch(world)
    (row,) = rows(world)
    (message,) = world.rows(select(OutboxMessage).where(OutboxMessage.event == Event.AREA_NEARLY_FULL))
    assert message.values == {"on_day": "2026-11-24", "link": f"{PUBLIC}/desk/limits/{row.id}"}
    assert (row.notified_percent, row.raises) == (80, 0)


def test_in_quiet_hours_the_lead_waits_and_the_administrator_does_not(
    world: World, lead: Actor, administrator: Actor
) -> None:
    with world.sessions.begin() as session:
        session.execute(
            update(Organisation).where(Organisation.id == AMSTERDAM).values(quiet_from=10, quiet_until=14)
        )
    fill(world, 4)
    watch(world)
    due = {one.recipient: one.not_before for one in world.rows(select(OutboxMessage))}
    assert due[world.email_of(lead)] == datetime(2026, 11, 24, 13, tzinfo=UTC)
    assert due[world.email_of(administrator)] == world.clock.now()


@pytest.mark.parametrize("confirmed_on", [date(2026, 11, 2), None])
def test_without_a_lead_a_verified_deputy_gets_the_message(world: World, confirmed_on: date | None) -> None:
    with world.sessions.begin() as session:
        values = {"deputy_email": "vervanger@example.org", "deputy_verified_on": confirmed_on}
        session.execute(update(Organisation).where(Organisation.id == AMSTERDAM).values(values))
    fill(world, 4)
    watch(world)
    assert [recipient for _, recipient in told(world)] == ["vervanger@example.org"] * bool(confirmed_on)
    with world.sessions() as session:  # a page that lets them in: they may not raise it
        paths = {urlsplit(one.values["link"]).path for one in session.scalars(select(OutboxMessage))}
    assert paths == ({f"/desk/deputy/{AMSTERDAM}"} if confirmed_on else set())


def test_a_setting_of_nought_closes_every_area_and_alarms_nobody(world: World, lead: Actor) -> None:
    assert watch(world, setting=0) == 0


# Raising


@pytest.mark.parametrize("role", ["lead", "administrator"])
def test_lead_and_administrator_raise_it_for_today_and_it_is_audited(
    world: World, role: str, request: pytest.FixtureRequest
) -> None:
    actor: Actor = request.getfixturevalue(role)
    fill(world, 5)
    watch(world)
    done = lift(world, actor)
    assert (done.limit, done.next_limit, done.raises) == (2 * SETTING, 3 * SETTING, 1)
    entry = world.row(select(AuditEntry).where(AuditEntry.actor_id == actor.id))
    assert (entry.action, entry.ground, entry.organisation_id) == (
        "organisation_changed",
        "limit_raised:1",
        AMSTERDAM,
    )
    fill(world, 10)
    assert world.count(SealedReport) == 10


def test_after_a_raise_the_new_limit_is_alarmed_about_again(world: World, lead: Actor) -> None:
    fill(world, 5)
    watch(world)
    lift(world, lead)
    assert watch(world) == 0
    fill(world, 8)
    assert watch(world) == 1
    assert [event for event, _ in told(world)] == [Event.AREA_FULL, Event.AREA_NEARLY_FULL]


def test_it_cannot_be_raised_without_end(world: World, lead: Actor) -> None:
    fill(world, 5)
    watch(world)
    limits = [lift(world, lead).limit for _ in range(MOST_RAISES)]
    assert limits == [10, 15, 20, 25]
    with pytest.raises(LimitNotRaised):
        lift(world, lead)


def test_a_button_pressed_twice_raises_once(world: World, lead: Actor) -> None:
    fill(world, 5)
    watch(world)
    lift(world, lead, expected=0)
    with pytest.raises(StaleVersion):
        lift(world, lead, expected=0)
    assert rows(world)[0].raises == 1


def test_yesterday_cannot_be_raised_and_is_still_shown(world: World, lead: Actor) -> None:
    fill(world, 5)
    watch(world)
    world.move(days=1)
    with pytest.raises(LimitNotRaised):
        lift(world, lead)
    with world.sessions() as session:
        shown = full_day(world.operation(session, lead), setting=SETTING, area_day_id=rows(world)[0].id)
        assert shown.next_limit is None
        assert full_days(world.operation(session, lead), setting=SETTING) == []


def test_full_days_are_forgotten_after_four_weeks(world: World, lead: Actor) -> None:
    fill(world, 5)
    watch(world)
    world.move(days=28)
    assert _forget(world) == 0
    world.move(days=1)
    assert _forget(world) == 1
    assert rows(world) == []


def _forget(world: World) -> int:
    session: Session
    with world.sessions.begin() as session:
        return forget_full_days(session, world.clock)


PUBLIC = "http://127.0.0.1:8000"


# A flood


def test_a_tenth_of_the_limit_within_ten_minutes_alarms_at_once_and_once(world: World, lead: Actor) -> None:
    worker = world.worker(limits=LimitsSettings(open_reports_per_area_and_day=100))
    intake: Intake = world.intake(limit=100)
    assert worker.watch_limits() == 0
    for number in range(10):
        intake.receive(world.clock, key=key(number), report=report())
    assert [worker.watch_limits(), worker.watch_limits()] == [1, 0]
    with world.sessions() as session:
        alarms = session.execute(select(OutboxMessage.event, OutboxMessage.recipient)).all()
    assert [tuple(alarm) for alarm in alarms] == [(Event.AREA_FLOOD, world.email_of(lead))]
    assert rows(world)[0].notified_percent == 0


def test_the_same_number_in_an_hour_alarms_nobody(world: World, lead: Actor) -> None:
    worker = world.worker(limits=LimitsSettings(open_reports_per_area_and_day=100))
    intake: Intake = world.intake(limit=100)
    for number in range(12):
        intake.receive(world.clock, key=key(number), report=report())
        assert worker.watch_limits() == 0
        world.clock.moment += timedelta(minutes=5)
