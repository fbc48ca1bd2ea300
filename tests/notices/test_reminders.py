"""Reminders and missed deadlines on both databases: who hears what, when, once, and what is dropped."""

from datetime import UTC, date, datetime

import pytest

from notifications.events import Event
from notifications.models import MessageState
from signals.casework.referral import refer
from signals.models import StaffMember
from signals.vocabulary import ReferralReason
from tests.support.reminded_team import DECEMBER, DEPUTY, NOVEMBER, TEAM, Team
from tests.support.world import AMSTERDAM as IN_CHARGE
from tests.support.world import GRONINGEN


# The team
def test_on_the_day_of_receipt_the_new_signal_is_message_enough(team: Team) -> None:
    assert team.remind(NOVEMBER[24], hour=16) == 0


def test_on_the_morning_of_the_last_day_the_team_is_reminded_to_claim(team: Team) -> None:
    team.remind(NOVEMBER[25], hour=7)
    assert team.world.notified(Event.REMINDER) == TEAM
    nine = datetime(2026, 11, 25, 8, tzinfo=UTC)
    assert {message.not_before for message in team.messages(Event.REMINDER)} == {nine}


def test_a_reminder_is_written_once_however_often_and_wherever_the_job_runs(team: Team) -> None:
    assert team.remind(NOVEMBER[25]) == 2
    assert team.remind(NOVEMBER[25], hour=15) == 0
    assert team.world.worker().remind() == 0


def test_a_claimed_signal_is_reminded_of_contact_on_the_working_day_before(team: Team) -> None:
    team.claim()
    team.expect(Event.REMINDER, {NOVEMBER[25]: set()})
    assert team.world.notified(Event.CONTACT_REMINDER) == TEAM


def test_a_signal_in_follow_up_is_reminded_of_its_conclusion_only(team: Team) -> None:
    team.claim()
    team.try_contact()
    team.expect(Event.CONTACT_REMINDER, {NOVEMBER[25]: set()})
    team.expect(Event.CONCLUDE_REMINDER, {DECEMBER[21]: TEAM})


def test_a_signal_put_back_in_follow_up_is_reminded_of_like_a_new_one(team: Team) -> None:
    team.remind(NOVEMBER[25])
    team.claim()
    team.try_contact()
    team.put_back()
    assert team.messages(Event.REMINDER) == []
    team.expect(Event.REMINDER, {NOVEMBER[26]: TEAM})
    team.expect(Event.MISSED_DEADLINE, {NOVEMBER[27]: {team.lead}})


def test_nobody_is_reminded_on_a_day_off(team: Team) -> None:
    team.change_signal(claim_by=NOVEMBER[30])
    assert team.remind(NOVEMBER[28]) == 0
    team.change_signal(claim_by=DECEMBER[28])
    assert team.remind(DECEMBER[25]) == 0


def test_a_reminder_says_a_date_and_a_link_and_nothing_else(team: Team) -> None:
    team.remind(NOVEMBER[25])
    [values] = {tuple(sorted(message.values.items())) for message in team.messages(Event.REMINDER)}
    assert dict(values) == {"due_on": "2026-11-25", "link": "http://127.0.0.1:8000/desk"}


# Missed: lead, deputy, service manager
def test_a_missed_deadline_climbs_from_lead_to_deputy_to_service_manager_by_working_days(team: Team) -> None:
    team.set(deputy_email=DEPUTY, deputy_verified_on=NOVEMBER[2])
    first, second = {team.lead}, {team.lead, DEPUTY}
    third = second | {team.manager}
    days = {NOVEMBER[26]: first, NOVEMBER[27]: second, NOVEMBER[29]: second, NOVEMBER[30]: third}
    team.expect(Event.MISSED_DEADLINE, days)


def test_the_last_step_of_escalation_is_caught_up_on_for_two_weeks_and_no_longer(team: Team) -> None:
    team.set(deputy_email=DEPUTY, deputy_verified_on=NOVEMBER[2], escalation_working_days=5)
    team.change_signal(claim_by=DECEMBER[14])  # eleven working days later it is 30 December
    team.expect(Event.MISSED_DEADLINE, {date(2027, 1, 13): set()})
    team.change_signal(claim_by=DECEMBER[15])
    team.expect(Event.MISSED_DEADLINE, {date(2027, 1, 13): {team.manager}})


def test_a_deputy_who_has_not_confirmed_is_passed_over_until_they_do(team: Team) -> None:
    team.set(deputy_email=DEPUTY)
    team.expect(Event.MISSED_DEADLINE, {NOVEMBER[27]: {team.lead, team.manager}})
    team.set(deputy_verified_on=NOVEMBER[27])
    team.expect(Event.MISSED_DEADLINE, {NOVEMBER[30]: {team.lead, team.manager, DEPUTY}})


def test_the_service_manager_is_led_to_whom_to_call_and_not_to_the_signal(team: Team) -> None:
    team.remind(NOVEMBER[27])
    links = {message.recipient: message.values["link"] for message in team.messages(Event.MISSED_DEADLINE)}
    assert links[team.manager] == f"http://127.0.0.1:8000/desk/escalations/{IN_CHARGE}"


def test_a_deputy_without_an_account_is_led_to_what_a_deputy_can_do_and_one_with_an_account_to_the_queue(
    team: Team,
) -> None:
    team.set(deputy_email=DEPUTY, deputy_verified_on=NOVEMBER[2])
    team.remind(NOVEMBER[27])
    links = {message.recipient: message.values["link"] for message in team.messages(Event.MISSED_DEADLINE)}
    assert links == {
        team.lead: "http://127.0.0.1:8000/desk",
        DEPUTY: f"http://127.0.0.1:8000/desk/deputy/{IN_CHARGE}",
    }
    with team.world.sessions() as session:
        colleague = session.get_one(StaffMember, team.member.id).email
    team.set(deputy_email=colleague)
    team.remind(NOVEMBER[30])
    links = {message.recipient: message.values["link"] for message in team.messages(Event.MISSED_DEADLINE)}
    assert links[colleague] == "http://127.0.0.1:8000/desk"


def test_each_missed_deadline_is_one_of_its_own(team: Team) -> None:
    team.remind(NOVEMBER[26])
    team.claim()
    team.expect(Event.MISSED_CONTACT, {NOVEMBER[27]: {team.lead}})
    team.try_contact()
    team.expect(Event.MISSED_CONCLUSION, {DECEMBER[23]: {team.lead}})


def test_a_deadline_missed_long_ago_causes_no_message(team: Team) -> None:
    team.expect(Event.MISSED_DEADLINE, {date(2027, 2, 1): set()})


def test_an_unclaimed_signal_is_escalated_to_all_at_day_twenty_one(team: Team) -> None:
    team.set(deputy_email=DEPUTY, deputy_verified_on=NOVEMBER[2])
    team.expect(Event.UNATTENDED, {DECEMBER[14]: set(), DECEMBER[15]: {team.lead, DEPUTY, team.manager}})
    assert {message.values["deleted_on"] for message in team.messages(Event.UNATTENDED)} == {"2026-12-22"}


# Article 14
def test_the_letter_is_reminded_of_before_the_month_is_over_first_to_the_team_then_to_the_lead(
    team: Team,
) -> None:
    team.claim()
    team.try_contact()
    team.expect(
        Event.NOTICE_REMINDER, {DECEMBER[16]: set(), DECEMBER[17]: TEAM, DECEMBER[23]: TEAM | {team.lead}}
    )


@pytest.mark.parametrize("done", [{"notified_on": date(2026, 12, 1)}, {"deferred_because": "impossible"}])
def test_an_informed_or_deferred_resident_causes_no_reminder(team: Team, done: dict[str, object]) -> None:
    team.change_signal(**done)
    team.expect(Event.NOTICE_REMINDER, {DECEMBER[18]: set()})


# Lost its sense
def test_a_reminder_about_what_was_claimed_meanwhile_is_dropped_with_the_reason(team: Team) -> None:
    team.remind(NOVEMBER[25], hour=7)
    team.claim()
    team.at(NOVEMBER[25], 10)
    team.worker.deliver()
    [reason] = {message.reason for message in team.messages(Event.REMINDER)}
    assert reason == "now_claimed"
    assert {message.state for message in team.messages(Event.REMINDER)} == {MessageState.EXPIRED}


def test_a_reminder_is_dropped_once_its_day_is_over(team: Team) -> None:
    team.remind(NOVEMBER[25])
    team.at(NOVEMBER[26], 0)
    team.worker.deliver()
    assert {message.reason for message in team.messages(Event.REMINDER)} == {"too_late"}


# Referred, late recipients
def test_the_receiver_of_a_referral_gets_a_message_about_a_new_signal(team: Team) -> None:
    team.claim()
    [signal] = team.world.signals()
    with team.world.sessions.begin() as session:
        refer(
            team.world.operation(session, team.member),
            signal_id=signal.id,
            to_organisation_id=GRONINGEN,
            reason=ReferralReason.MOVED,
        )
    team.worker.remind()
    theirs = {m.recipient for m in team.messages(Event.NEW_SIGNAL) if m.subject_id == signal.id}
    assert theirs == {"een@gm0014.example.org", "twee@gm0014.example.org"}
    team.world.move(minutes=31)
    team.worker.deliver()
    sent = {m.recipient for m in team.messages(Event.NEW_SIGNAL) if m.state is not MessageState.EXPIRED}
    assert sent == theirs  # what the sender's team was to hear of on arrival has lost its sense


# The day of the next contact
def test_an_attempt_without_an_answer_leads_to_a_reminder_on_the_proposed_day(team: Team) -> None:
    team.claim()
    team.at(DECEMBER[1])
    team.try_contact()
    team.expect(Event.NEXT_CONTACT, {DECEMBER[2]: set(), DECEMBER[3]: TEAM, DECEMBER[4]: TEAM | {team.lead}})


def test_nobody_is_reminded_before_the_agreed_day_then_the_team_and_the_lead_where_it_was_missed(
    team: Team,
) -> None:
    team.claim()
    team.agree(DECEMBER[4])
    team.expect(Event.NEXT_CONTACT, {DECEMBER[3]: set(), DECEMBER[4]: TEAM, DECEMBER[7]: TEAM | {team.lead}})


def test_the_reminder_to_conclude_follows_the_norm_that_moved_along(team: Team) -> None:
    team.claim()
    team.try_contact()
    team.expect(Event.CONCLUDE_REMINDER, {DECEMBER[21]: TEAM})
    team.agree(date(2027, 1, 11))
    team.expect(Event.CONCLUDE_REMINDER, {DECEMBER[23]: set()})
    assert team.world.notified(Event.MISSED_CONCLUSION) == set()
    team.remind(date(2027, 1, 12))
    assert {message.values["due_on"] for message in team.messages(Event.CONCLUDE_REMINDER)} == {"2027-01-13"}


def test_an_attempt_on_the_agreed_day_withdraws_its_reminder(team: Team) -> None:
    team.claim()
    team.agree(DECEMBER[4])
    team.remind(DECEMBER[4], hour=7)
    team.try_contact()
    team.at(DECEMBER[4], 10)
    team.worker.deliver()
    assert not team.messages(Event.NEXT_CONTACT)
