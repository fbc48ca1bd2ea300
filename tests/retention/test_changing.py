"""Test that nobody destroys signals by a short period: floor, notice, days to object, a person for many."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from notifications.models import OutboxMessage
from signals.audit.log import Actor
from signals.clock import today
from signals.errors import Forbidden, Invalid, NotFound
from signals.models import RetentionPeriod, Signal
from signals.retention import nightly
from signals.retention.changing import keep_period, set_period
from signals.retention.periods import Period, periods_of
from signals.vocabulary import DeletionReason, RetentionRule, Role
from tests.factories.requests import RetentionPeriodFactory
from tests.support.retention import arrived, retention_of
from tests.support.world import AMSTERDAM, World

SITE = "https://signalen.example"


def shorten(world: World, officer: Actor, days: int) -> None:
    world.do(
        officer,
        set_period,
        rule=RetentionRule.UNATTENDED,
        wanted=Period(days=days, legal_basis="Selectielijst"),
    )


def days_now(world: World) -> int:
    with world.sessions() as session:
        return periods_of(session, AMSTERDAM, today(world.clock))[RetentionRule.UNATTENDED].days


@pytest.fixture
def officer(world: World) -> Actor:
    return world.staff(role=Role.PRIVACY_OFFICER)


def test_an_officer_who_sets_one_day_deletes_nothing(world: World, officer: Actor) -> None:
    arrived(world)
    with pytest.raises(Invalid):
        shorten(world, officer, days=1)
    world.move(days=2)
    assert retention_of(world).run(world.clock).total == 0


def test_a_row_below_the_floor_deletes_nothing_before_the_floor(world: World) -> None:
    arrived(world)
    with world.sessions.begin() as session:
        rule = RetentionRule.UNATTENDED
        session.add(RetentionPeriodFactory.build(organisation_id=AMSTERDAM, days=1, rule=rule))
    world.move(days=17)
    assert retention_of(world).run(world.clock).total == 0
    world.move(days=1)
    assert retention_of(world).run(world.clock).purged == {DeletionReason.UNATTENDED: 1}


def test_a_shorter_period_holds_after_seven_days_and_others_hear_of_it_at_once(
    world: World, officer: Actor
) -> None:
    lead, administrator = world.staff(role=Role.LEAD), world.staff(None, Role.ADMINISTRATOR)
    arrived(world)
    world.move(days=19)
    shorten(world, officer, days=18)
    mails = world.rows(select(OutboxMessage).where(OutboxMessage.event == "period_shortened"))
    assert {(mail.recipient, mail.values["link"]) for mail in mails} == {
        (world.email_of(lead), f"{SITE}/desk/officer/retention"),
        (world.email_of(administrator), f"{SITE}/admin/organisations/{AMSTERDAM}"),
    }
    holds = today(world.clock) + timedelta(days=7)
    assert {mail.values["shorter_from"] for mail in mails} == {holds.isoformat()}
    world.move(days=6)
    assert (days_now(world), retention_of(world).run(world.clock).total) == (28, 0)
    world.move(days=1)
    assert (days_now(world), retention_of(world).run(world.clock).total) == (18, 1)


def test_a_second_shortening_waits_too_and_a_longer_period_does_not(world: World, officer: Actor) -> None:
    shorten(world, officer, days=20)
    world.move(days=6)
    shorten(world, officer, days=19)
    world.move(days=6)
    assert days_now(world) == 28
    world.move(days=1)
    assert days_now(world) == 19
    shorten(world, officer, days=28)
    assert days_now(world) == 28


def test_a_lead_keeps_the_old_period_and_a_worker_does_not(world: World, officer: Actor) -> None:
    shorten(world, officer, days=20)
    with world.sessions.begin() as session, pytest.raises(Forbidden):
        keep_period(world.operation(session, world.staff()), rule=RetentionRule.UNATTENDED)
    lead = world.staff(role=Role.LEAD)
    world.do(lead, keep_period, rule=RetentionRule.UNATTENDED)
    world.move(days=30)
    assert days_now(world) == 28
    with world.sessions.begin() as session, pytest.raises(NotFound):
        keep_period(world.operation(session, lead), rule=RetentionRule.UNATTENDED)
    assert world.count(RetentionPeriod) == 1


def test_a_purge_of_more_than_a_fifth_waits_for_a_person(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nightly, "MOST_UNASKED", 1)
    for number in range(1, 4):
        arrived(world, number)
    world.move(days=29)
    waits = retention_of(world).run(world.clock)
    assert (waits.total, waits.waiting, world.count(Signal)) == (0, 3, 3)
    assert retention_of(world).run(world.clock, confirmed=True).total == 3


@pytest.mark.parametrize(("live", "due", "waits"), [(300, 51, False), (250, 51, True), (51, 50, False)])
def test_fifty_signals_or_a_fifth_of_all_need_nobody(
    world: World, monkeypatch: pytest.MonkeyPatch, live: int, due: int, waits: bool
) -> None:
    with world.sessions() as session:
        monkeypatch.setattr(session, "scalar", lambda _query: live)
        assert nightly.needs_a_person(session, due) is waits
