"""Set aside the reports of a day that nobody opened, bring them back, and forget them after a week."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from notifications.events import Event
from notifications.models import OutboxMessage
from signals.audit.log import Actor
from signals.casework.access import admit
from signals.casework.claims import claim
from signals.casework.floods import Flood, bring_back, flood_of, set_aside
from signals.casework.queue import arrived_since, queue_page
from signals.casework.referral import refer
from signals.errors import Conflict, Forbidden, NotFound
from signals.lifecycle.transitions import is_overdue
from signals.models import AddressLink, AreaDay, AuditEntry, DeletionRecord, Signal, SignalFact
from signals.notices.limit_notices import set_flood_aside
from signals.operation import Operation
from signals.statistics.own_figures import own_figures
from signals.vocabulary import AuditAction, DeletionReason, ReferralReason, Role, SignalState
from tests.support.fenced_team import acting, person
from tests.support.fences import FencedWorld, worker_of
from tests.support.world import AMSTERDAM, GRONINGEN, IN_GRONINGEN, World

DAY = date(2026, 11, 24)


@pytest.fixture
def lead(world: World) -> Actor:
    return world.staff(AMSTERDAM, Role.LEAD)


@pytest.fixture
def flooded(world: World, lead: Actor) -> World:
    """Three reports of today for the lead's team, and one for another team."""
    for number in range(3):
        world.receive(number)
    world.receive(3, IN_GRONINGEN)
    world.worker().arrive()
    return world


def as_lead(world: World, actor: Actor, act: Callable[..., Any], **values: Any) -> Any:
    return world.do(actor, act, **values)


def states(world: World) -> list[SignalState]:
    with world.sessions() as session:
        mine = Signal.organisation_id == AMSTERDAM
        return list(session.scalars(select(Signal.state).where(mine).order_by(Signal.state)))


def first(world: World) -> UUID:
    with world.sessions() as session:
        return session.scalars(select(Signal.id).where(Signal.organisation_id == AMSTERDAM)).first()  # type: ignore[return-value]


def test_unread_reports_of_a_day_leave_queue_deadlines_and_figures_together(
    flooded: World, lead: Actor
) -> None:
    assert as_lead(flooded, lead, flood_of, day=DAY) == Flood(unread=3, aside=0, deleted_on=None)
    assert as_lead(flooded, lead, set_aside, day=DAY) == 3
    assert as_lead(flooded, lead, flood_of, day=DAY) == Flood(unread=0, aside=3, deleted_on=date(2026, 12, 1))
    one = first(flooded)
    with flooded.sessions() as session:
        assert queue_page(session, organisation_id=AMSTERDAM).items == []
        assert arrived_since(session, organisation_id=AMSTERDAM, since=DAY) == 0
        assert len(queue_page(session, organisation_id=GRONINGEN).items) == 1
        figures = own_figures(flooded.operation(session, lead))
        assert figures.open.by_state == {}
        signal = session.get_one(Signal, one)
        assert not is_overdue(signal, date(2027, 1, 1))
        grounds = session.scalars(select(AuditEntry.ground).where(AuditEntry.actor_id == lead.id)).all()
    assert grounds == ["set_aside"] * 3


def test_an_opened_report_and_another_day_stay(flooded: World, lead: Actor) -> None:
    as_lead(flooded, lead, admit, signal_ids=[first(flooded)], action=AuditAction.SIGNAL_OPENED)
    assert as_lead(flooded, lead, set_aside, day=date(2026, 11, 23)) == 0
    assert as_lead(flooded, lead, set_aside, day=DAY) == 2
    assert states(flooded) == [SignalState.NEW, SignalState.SET_ASIDE, SignalState.SET_ASIDE]


def test_a_report_that_another_team_passed_on_stays(flooded: World, lead: Actor) -> None:
    sender = flooded.staff(GRONINGEN)
    with flooded.sessions.begin() as session:
        theirs = session.scalars(select(Signal.id).where(Signal.organisation_id == GRONINGEN)).one()
        operation = flooded.operation(session, sender)
        refer(operation, signal_id=theirs, to_organisation_id=AMSTERDAM, reason=ReferralReason.MOVED)
    assert as_lead(flooded, lead, set_aside, day=DAY) == 3
    assert states(flooded) == [SignalState.NEW] + [SignalState.SET_ASIDE] * 3


def test_one_act_brings_them_back_with_deadlines_that_begin_today(flooded: World, lead: Actor) -> None:
    before = {signal.id: signal.claim_by for signal in flooded.signals()}
    as_lead(flooded, lead, set_aside, day=DAY)
    flooded.move(days=6)
    assert as_lead(flooded, lead, bring_back, day=DAY) == 3
    assert states(flooded) == [SignalState.NEW] * 3
    assert all(
        signal.due_on == signal.claim_by > before[signal.id]
        for signal in flooded.signals()
        if signal.organisation_id == AMSTERDAM
    )
    assert as_lead(flooded, lead, set_aside, day=DAY) == 3  # again: nobody opened them


def test_nobody_works_on_what_is_set_aside(flooded: World, lead: Actor) -> None:
    as_lead(flooded, lead, set_aside, day=DAY)
    with pytest.raises(Conflict):
        as_lead(flooded, lead, claim, signal_id=first(flooded))


def test_after_a_week_they_are_deleted_with_a_record_and_leave_no_fact_and_no_link(
    flooded: World, lead: Actor
) -> None:
    flooded.clock.moment += timedelta(minutes=11)
    for number in range(10, 60):  # so many that another purge would wait for a person
        flooded.receive(number)
    flooded.worker().arrive()
    as_lead(flooded, lead, set_aside, day=DAY)
    flooded.move(days=6)
    assert flooded.worker().retain().total == 0
    flooded.move(days=1)
    assert flooded.worker().retain().purged == {DeletionReason.FLOOD: 53}
    with flooded.sessions() as session:
        records = session.scalars(select(DeletionRecord)).all()
        links = session.scalars(select(AddressLink.organisation_id)).all()
    assert {(record.reason, record.deleted_on) for record in records} == {
        (DeletionReason.FLOOD, date(2026, 12, 1))
    }
    assert all(record.key_destroyed_on for record in records)
    assert links == [GRONINGEN]
    assert flooded.count(SignalFact) == 0


@pytest.mark.parametrize("role", [Role.WORKER, Role.COORDINATOR, Role.PRIVACY_OFFICER, Role.ADMINISTRATOR])
@pytest.mark.parametrize("act", [set_aside, bring_back])
def test_only_a_lead_does_either(flooded: World, role: Role, act: Callable[[Operation], int]) -> None:
    with pytest.raises(Forbidden):
        as_lead(flooded, flooded.staff(AMSTERDAM, role), act, day=DAY)


def test_leads_and_administrators_get_a_message_and_another_team_finds_no_day(
    flooded: World, lead: Actor
) -> None:
    other, strange = flooded.staff(AMSTERDAM, Role.LEAD), flooded.staff(GRONINGEN, Role.LEAD)
    administrator = flooded.staff(AMSTERDAM, Role.ADMINISTRATOR)
    row = AreaDay(organisation_id=AMSTERDAM, day=DAY)
    with flooded.sessions.begin() as session:
        session.add(row)
        session.flush()
        row_id = row.id
    given = {"area_day_id": row_id}
    with pytest.raises(NotFound):
        as_lead(flooded, strange, set_flood_aside, **given)
    assert as_lead(flooded, lead, set_flood_aside, **given) == 3
    with flooded.sessions() as session:
        about = OutboxMessage.event == Event.FLOOD_SET_ASIDE
        messages = session.scalars(select(OutboxMessage).where(about)).all()
    told = {flooded.email_of(actor) for actor in (lead, other, administrator)}
    assert {message.recipient for message in messages} == told
    assert messages[0].values == {
        "deleted_on": "2026-12-01", "link": f"https://signalen.example/desk/limits/{row_id}"
    }  # fmt: skip


@pytest.mark.postgres
def test_a_lead_undoes_a_flood_by_the_rights_of_the_desk(fenced_world: FencedWorld) -> None:
    lead = person(fenced_world, Role.LEAD)
    for number in range(3):
        fenced_world.front.receive(number)
    worker_of(fenced_world.worker).arrive()
    row = AreaDay(organisation_id=AMSTERDAM, day=DAY)
    with fenced_world.all_seeing.sessions.begin() as session:
        session.add(row)
        session.flush()
        given = {"area_day_id": row.id}
    opened = {"signal_ids": [first(fenced_world.all_seeing)], "action": AuditAction.SIGNAL_OPENED}
    desk = fenced_world.desk
    for act, values, done in (
        (admit, opened, None),
        (set_flood_aside, given, 2),
        (bring_back, {"day": DAY}, 2),
        (set_flood_aside, given, 2),
    ):
        with acting(desk, lead) as session:
            number = act(desk.operation(session, lead), **values)  # type: ignore[operator]
            assert done in (None, number)
    fenced_world.worker.move(days=7)
    assert worker_of(fenced_world.worker).retain().purged == {DeletionReason.FLOOD: 2}
