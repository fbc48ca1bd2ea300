"""The limit of reports for a team and a day."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import event

from signals.errors import AreaBusy, AreaFull
from signals.intake.daily_limit import AreaLimit
from signals.models import SealedReport
from tests.factories import AreaDayFactory
from tests.support.world import AMSTERDAM, GRONINGEN, IN_GRONINGEN, NOW, World, key, report


# The day's limit
def test_the_limit_is_exact_for_two_processes_together(world: World) -> None:
    intakes = [world.intake(limit=5), world.intake(limit=5)]
    for number in range(5):
        intakes[number % 2].receive(world.clock, key=key(number), report=report())
    for number, intake in enumerate(intakes, start=5):
        with pytest.raises(AreaFull):
            intake.receive(world.clock, key=key(number), report=report())
    assert world.count(SealedReport) == 5


def test_arrival_does_not_make_room(world: World) -> None:
    intake = world.intake(limit=1)
    intake.receive(world.clock, key=key(1), report=report())
    world.worker().arrive()
    with pytest.raises(AreaFull):
        intake.receive(world.clock, key=key(2), report=report())


def test_the_next_day_in_amsterdam_starts_at_nought(world: World) -> None:
    intake = world.intake(limit=1)
    intake.receive(world.clock, key=key(1), report=report())
    world.clock.moment = datetime(2026, 11, 24, 22, 59, 59, tzinfo=UTC)
    with pytest.raises(AreaFull):
        intake.receive(world.clock, key=key(2), report=report())
    world.clock.moment = datetime(2026, 11, 24, 23, 0, tzinfo=UTC)
    assert intake.receive(world.clock, key=key(2), report=report()).received_on == date(2026, 11, 25)


def test_a_limit_that_was_raised_for_the_day_lets_more_in_and_no_further(world: World) -> None:
    with world.sessions.begin() as session:
        session.add(AreaDayFactory.build(organisation_id=AMSTERDAM, day=NOW.date(), raises=1))
        yesterday = NOW.date() - timedelta(days=1)
        session.add(AreaDayFactory.build(organisation_id=GRONINGEN, day=yesterday, raises=4))
    intake = world.intake(limit=1)
    for number in (1, 2):
        intake.receive(world.clock, key=key(number), report=report())
    with pytest.raises(AreaFull):
        intake.receive(world.clock, key=key(3), report=report())
    intake.receive(world.clock, key=key(4), report=report(IN_GRONINGEN))
    with pytest.raises(AreaFull):  # what was raised yesterday is the setting again
        intake.receive(world.clock, key=key(5), report=report(IN_GRONINGEN))


def test_a_fifth_of_the_limit_may_come_in_ten_minutes(world: World) -> None:
    """A laptop once filled an organisation's day in two seconds."""
    intake, clock = world.intake(limit=100), world.clock
    for number in range(20):
        intake.receive(clock, key=key(number), report=report())
        clock.moment += timedelta(seconds=15)
    with pytest.raises(AreaBusy) as refused:
        intake.receive(clock, key=key(20), report=report())
    assert refused.value.retry_after == 301
    assert intake.receive(clock, key=key(19), report=report()).receipt  # a retry
    assert intake.receive(clock, key=key(21), report=report(IN_GRONINGEN)).receipt
    clock.moment += timedelta(seconds=301)
    assert intake.receive(clock, key=key(20), report=report()).receipt


def test_a_full_area_is_refused_without_asking_the_database_each_time(world: World) -> None:
    world.receive(1)
    limit, asked = AreaLimit(1, refresh_seconds=3600), []
    event.listen(world.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    for _ in range(3):
        with pytest.raises(AreaFull):
            limit.check(world.engine, AMSTERDAM, NOW.date(), NOW)
    assert len([statement for statement in asked if "idempotency_keys" in statement]) == 1


@pytest.mark.parametrize(
    ("stored", "later", "asks"), [(0, 9.9, 0), (0, 10.1, 1), (400, 5.9, 0), (400, 6.1, 1)]
)
def test_the_emptier_an_area_the_rarer_it_is_asked_about(
    sqlite_world: World, monkeypatch: pytest.MonkeyPatch, stored: int, later: float, asks: int
) -> None:
    ticks = [100.0]
    monkeypatch.setattr("signals.intake.daily_limit.time.monotonic", lambda: ticks[-1])
    limit, asked = AreaLimit(1000, refresh_seconds=2.0), []
    limit.check(sqlite_world.engine, AMSTERDAM, NOW.date(), NOW)
    for _ in range(stored):
        limit.count(AMSTERDAM, NOW.date(), NOW - timedelta(hours=1))
    event.listen(sqlite_world.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    ticks.append(100.0 + later)
    limit.check(sqlite_world.engine, AMSTERDAM, NOW.date(), NOW)
    assert len([statement for statement in asked if "idempotency_keys" in statement]) == asks


@pytest.mark.parametrize(
    ("moment", "seconds"),
    [
        (datetime(2026, 11, 24, 9, 30, tzinfo=UTC), 1800),
        (datetime(2026, 11, 24, 22, 50, tzinfo=UTC), 600),
        (datetime(2026, 11, 24, 22, 59, 59, tzinfo=UTC), 1),
        (datetime(2026, 11, 24, 23, 0, tzinfo=UTC), 1800),
        (datetime(2026, 7, 1, 21, 45, tzinfo=UTC), 900),
    ],
)
def test_a_refused_carrier_may_ask_again_in_half_an_hour_or_at_midnight_in_amsterdam(
    sqlite_world: World, moment: datetime, seconds: float
) -> None:
    sqlite_world.clock.moment = moment
    sqlite_world.worker().provision_keys()
    with pytest.raises(AreaFull) as refused:
        sqlite_world.intake(limit=0).receive(sqlite_world.clock, key=key(1), report=report())
    assert refused.value.retry_after == seconds
