"""Drills and proofs on both databases: the ladder, the lost and regained routing, links that prove."""

from datetime import date

import pytest
from sqlalchemy import func, select, update

from notifications.channels.memory import MemoryChannel
from notifications.events import Event
from signals.clock import today
from signals.lifecycle.deadlines import add_working_days
from signals.models import Drill, Organisation
from signals.notices.drills import MISSED_AFTER, STEPS
from signals.vocabulary import Role
from tests.support.at_once import run_at_once
from tests.support.drill_practice import DEPUTY_ADDRESS, FIRST, SECOND, TUESDAY, Practice, name_deputy
from tests.support.world import AMSTERDAM as IN_CHARGE
from tests.support.world import NATIONAL


# The ladder
def test_a_drill_goes_to_the_first_recipient(practice: Practice) -> None:
    assert practice.send() == 1
    assert practice.world.notified(Event.DRILL) == {FIRST}


def test_unanswered_it_goes_to_second_recipient_lead_and_administrator(practice: Practice) -> None:
    lead, administrator = practice.staff(Role.LEAD), practice.staff(Role.ADMINISTRATOR)
    practice.send()
    expected: list[tuple[set[str], set[str]]] = [
        ({FIRST}, set()),
        ({FIRST, SECOND}, set()),
        ({FIRST, SECOND, lead}, set()),
    ]
    for step, (told, warned) in enumerate([*expected, (expected[-1][0], {administrator})]):
        practice.follow_up(add_working_days(TUESDAY, STEPS[step]) if step else TUESDAY)
        assert practice.world.notified(Event.DRILL) == told
        assert practice.world.notified(Event.DRILL_UNANSWERED) == warned


def test_a_worker_that_was_away_catches_up_with_every_step(practice: Practice) -> None:
    administrator = practice.staff(Role.ADMINISTRATOR)
    practice.miss()
    assert practice.world.notified(Event.DRILL) == {FIRST, SECOND}
    assert practice.world.notified(Event.DRILL_UNANSWERED) == {administrator}


def test_an_answered_drill_climbs_no_further(practice: Practice) -> None:
    practice.send()
    practice.answer(practice.drills()[0])
    practice.follow_up(date(2026, 12, 15))
    assert practice.world.notified(Event.DRILL) == {FIRST}
    assert practice.drills()[0].missed_on is None


def test_a_message_about_an_answered_drill_is_not_sent_any_more(practice: Practice) -> None:
    practice.send()
    practice.answer(practice.drills()[0])
    practice.worker.deliver()
    channel = practice.worker.channels["email"]
    assert isinstance(channel, MemoryChannel)
    assert channel.sent == []


# Routing
def test_two_missed_drills_let_the_routing_fall_to_the_next_level(practice: Practice) -> None:
    administrator = practice.staff(Role.ADMINISTRATOR)
    before = practice.version()
    practice.miss()
    practice.miss()
    assert practice.receiver() not in (IN_CHARGE, NATIONAL)  # the GGD of the region
    assert practice.version() > before
    assert practice.world.notified(Event.ROUTING_SUSPENDED) == {FIRST, SECOND, administrator}


def test_an_answer_brings_the_routing_back(practice: Practice) -> None:
    practice.miss()
    practice.miss()
    practice.send()
    assert practice.answer(practice.drills()[-1])
    assert practice.receiver() == IN_CHARGE
    assert practice.world.notified(Event.ROUTING_RESTORED) == {FIRST, SECOND}


def test_a_suspension_by_an_administrator_is_not_lifted_by_an_answer(practice: Practice) -> None:
    practice.send()
    with practice.world.sessions.begin() as session:
        suspended = update(Organisation).where(Organisation.id == IN_CHARGE)
        session.execute(suspended.values(suspended_from=date(2026, 11, 1)))
    assert not practice.answer(practice.drills()[0])
    assert practice.receiver() != IN_CHARGE


@pytest.mark.parametrize("answered_on", [date(2026, 12, 14), date(2027, 1, 20)])
def test_a_team_whose_end_is_planned_falls_away_before_it_and_comes_back_until_then(
    practice: Practice, answered_on: date
) -> None:
    end = date(2027, 1, 1)
    with practice.world.sessions.begin() as session:
        session.get_one(Organisation, IN_CHARGE).suspended_from = end
    practice.miss()
    practice.miss()
    assert practice.receiver() != IN_CHARGE
    practice.at(answered_on)
    practice.answer(practice.drills()[-1])
    assert (practice.receiver() == IN_CHARGE) is (answered_on < end)
    assert bool(practice.world.notified(Event.ROUTING_RESTORED)) is (answered_on < end)
    practice.at(date(2027, 1, 21))
    assert practice.receiver() != IN_CHARGE


def test_the_national_desk_keeps_its_routing_for_nobody_is_below_it(practice: Practice) -> None:
    for _ in range(2):
        practice.send(NATIONAL)
        practice.follow_up(add_working_days(today(practice.world.clock), MISSED_AFTER))
    with practice.world.sessions() as session:
        assert session.get_one(Organisation, NATIONAL).suspended_from is None


# The job
def test_over_a_quarter_every_receiving_organisation_gets_one_drill(practice: Practice) -> None:
    for week in range(13):
        practice.at(date.fromordinal(date(2027, 1, 4).toordinal() + 7 * week))
        practice.worker.drill()
        for drill in practice.drills():
            practice.answer(drill)
    with practice.world.sessions() as session:
        organisations = session.scalar(select(func.count()).select_from(Organisation))
        per_organisation = select(func.count(Drill.id)).group_by(Drill.organisation_id)
        assert session.scalars(per_organisation).all() == [1] * (organisations or 0)


def test_no_drill_is_sent_on_a_day_off(practice: Practice) -> None:
    practice.at(date(2026, 12, 26))
    assert practice.worker.drill().sent == 0


def test_a_team_that_lost_its_routing_gets_another_drill_within_days(practice: Practice) -> None:
    practice.miss()
    practice.miss()
    practice.worker.drill()
    assert practice.drills()[-1].missed_on is None
    practice.answer(next(d for d in practice.drills() if d.organisation_id == IN_CHARGE and not d.missed_on))
    assert practice.receiver() == IN_CHARGE


def test_two_workers_at_once_send_one_drill(practice: Practice) -> None:
    run_at_once(practice.send, practice.send)
    assert len(practice.drills()) == 1


@pytest.mark.parametrize("confirmed", [True, False])
def test_only_a_deputy_who_confirmed_is_asked_by_a_drill(practice: Practice, confirmed: bool) -> None:
    name_deputy(practice, DEPUTY_ADDRESS, since=TUESDAY if confirmed else None)
    practice.send()
    practice.at(add_working_days(TUESDAY, 4))
    practice.worker.drill()
    assert (DEPUTY_ADDRESS in practice.world.notified(Event.DRILL)) is confirmed


@pytest.mark.parametrize("account", [True, False])
def test_a_message_about_lost_routing_links_a_deputy_to_their_own_page(
    practice: Practice, account: bool
) -> None:
    deputy = practice.staff(Role.WORKER) if account else DEPUTY_ADDRESS
    name_deputy(practice, deputy, since=TUESDAY)
    practice.miss()
    practice.miss()
    page = "/desk" if account else f"/desk/deputy/{IN_CHARGE}"
    assert practice.links()[Event.ROUTING_SUSPENDED, deputy] == page
    assert practice.links()[Event.ROUTING_SUSPENDED, FIRST] == "/desk"
    assert practice.links()[Event.DRILL, deputy].startswith(
        "/desk/channel/drill/"
    )  # the link answers by itself
