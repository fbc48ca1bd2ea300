"""Unattended signals on both databases: a warning in time, and deletion within art. 14's month."""

import uuid
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from notifications.events import DATES, Event
from notifications.models import OutboxMessage
from signals.casework import claim, record_attempt, record_notice, release
from signals.models import Signal
from signals.vocabulary import AttemptKind, AttemptResult, RetentionRule, Role
from tests import factories
from tests.support.world import AMSTERDAM, World

RECEIVED = date(2026, 11, 24)


def warned(world: World) -> dict[date, date]:
    """Day by day until the signal is gone: when each day of deletion was named first."""
    told: dict[date, date] = {}
    for _ in range(40):
        world.worker().remind()
        named = select(OutboxMessage).where(OutboxMessage.event == Event.UNATTENDED)
        days = {message.values[DATES[Event.UNATTENDED]] for message in world.rows(named)}
        for day in {date.fromisoformat(day) for day in days} - set(told.values()):
            told[world.clock.now().date()] = day
        world.worker().retain()
        if not world.signals():
            break
        world.move(days=1)
    return told


def tried_and_handed_back(world: World) -> uuid.UUID:
    world.receive(1)
    world.worker().arrive()
    (signal,) = world.signals()
    actor = world.staff()
    with world.sessions.begin() as session:
        claim(world.operation(session, actor), signal_id=signal.id)
        record_attempt(
            world.operation(session, actor),
            signal_id=signal.id,
            kind=AttemptKind.VISIT,
            result=AttemptResult.NO_ANSWER,
            attempted_at=world.clock.now(),
            workers=1,
        )
        release(world.operation(session, actor), signal_id=signal.id)
    return signal.id


@pytest.mark.parametrize(("days", "warned_on"), [(28, 21), (24, 17), (18, 13)])
def test_the_warning_comes_a_week_before_and_names_the_day_of_the_organisations_own_period(
    world: World, days: int, warned_on: int
) -> None:
    world.staff(role=Role.LEAD)
    world.receive(1)
    world.worker().arrive()
    with world.sessions.begin() as session:
        session.add(
            factories.RetentionPeriodFactory.build(
                organisation_id=AMSTERDAM, rule=RetentionRule.UNATTENDED, days=days
            )
        )
    assert warned(world) == {RECEIVED + timedelta(days=warned_on): RECEIVED + timedelta(days=days)}
    assert world.clock.now().date() == RECEIVED + timedelta(days=days)


def test_a_released_signal_with_one_attempt_is_warned_of_and_deleted_like_an_unclaimed_one(
    world: World,
) -> None:
    world.staff(role=Role.LEAD)
    tried_and_handed_back(world)
    assert warned(world) == {RECEIVED + timedelta(days=21): RECEIVED + timedelta(days=28)}
    assert world.clock.now().date() == RECEIVED + timedelta(days=28)


@pytest.mark.parametrize("goes_on", ["somebody has it", "the resident knows"])
def test_a_claimed_or_notified_signal_stays(world: World, goes_on: str) -> None:
    signal_id = tried_and_handed_back(world)
    actor = world.staff()
    with world.sessions.begin() as session:
        if goes_on == "somebody has it":
            claim(world.operation(session, actor), signal_id=signal_id)
        else:
            record_notice(
                world.operation(session, actor),
                signal_id=signal_id,
                notified_on=RECEIVED,
                deferred_because=None,
            )
    world.move(days=40)
    world.worker().remind()
    world.worker().retain()
    assert world.count(Signal) == 1
