"""Reminders and missed deadlines on both databases: who hears what, when, once, and what is dropped."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import pytest
from sqlalchemy import select, update

from notifications.channels.memory import MemoryChannel
from notifications.events import Event
from notifications.models import MessageState, OutboxMessage
from signals.audit.log import Actor
from signals.casework import claim, record_attempt, release
from signals.casework.referral import refer
from signals.clock import AMSTERDAM
from signals.models import Absence, Organisation, Recipient, Signal, StaffMember
from signals.operations.jobs import Worker
from signals.staff.absence import add_absence, remove_absence
from signals.vocabulary import AttemptKind, AttemptResult, ReferralReason, Role, SignalState
from tests.support.world import AMSTERDAM as IN_CHARGE
from tests.support.world import GRONINGEN, NATIONAL, World

TEAM = {"een@gm0363.example.org", "twee@gm0363.example.org"}
DEPUTY = "plaatsvervanger@example.org"
# Received on Tuesday 24 November 2026: claim by the 25th, contact by the 26th, conclude by 22 December.


@dataclass(kw_only=True)
class Team:
    """Amsterdam with one signal that arrived, its worker, its lead and the national desk's lead."""

    world: World
    worker: Worker
    member: Actor
    lead: str
    manager: str

    def at(self, day: date, hour: int = 9) -> None:
        """A moment in Amsterdam."""
        self.world.clock.moment = datetime.combine(day, time(hour), AMSTERDAM).astimezone(UTC)

    def remind(self, day: date, hour: int = 9) -> int:
        self.at(day, hour)
        return self.worker.remind()

    def messages(self, event: Event) -> list[OutboxMessage]:
        with self.world.sessions() as session:
            return list(session.scalars(select(OutboxMessage).where(OutboxMessage.event == event)))

    def claim(self) -> None:
        [signal] = self.world.signals()
        with self.world.sessions.begin() as session:
            claim(self.world.operation(session, self.member), signal_id=signal.id)

    def try_contact(self) -> None:
        [signal] = self.world.signals()
        with self.world.sessions.begin() as session:
            record_attempt(
                self.world.operation(session, self.member),
                signal_id=signal.id,
                kind=AttemptKind.VISIT,
                result=AttemptResult.NO_ANSWER,
                attempted_at=self.world.clock.now(),
                workers=1,
            )

    def put_back(self) -> None:
        [signal] = self.world.signals()
        with self.world.sessions.begin() as session:
            release(self.world.operation(session, self.member), signal_id=signal.id)

    def set(self, **values: object) -> None:
        with self.world.sessions.begin() as session:
            session.execute(update(Organisation).where(Organisation.id == IN_CHARGE).values(**values))

    def change_signal(self, **values: object) -> None:
        with self.world.sessions.begin() as session:
            session.execute(update(Signal).values(**values))


@pytest.fixture
def team(world: World) -> Team:
    worker = world.worker()
    world.receive(1)
    worker.arrive()
    return Team(
        world=world,
        worker=worker,
        member=world.staff(),
        lead=world.email_of(world.staff(role=Role.LEAD)),
        manager=world.email_of(world.staff(NATIONAL, Role.LEAD)),
    )


NOVEMBER = {day: date(2026, 11, day) for day in range(1, 31)}
DECEMBER = {day: date(2026, 12, day) for day in range(1, 32)}


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
    team.remind(NOVEMBER[25])
    assert team.world.notified(Event.REMINDER) == set()
    assert team.world.notified(Event.CONTACT_REMINDER) == TEAM


def test_a_signal_in_follow_up_is_reminded_of_its_conclusion_only(team: Team) -> None:
    team.claim()
    team.try_contact()
    team.remind(NOVEMBER[25])
    assert team.world.notified(Event.CONTACT_REMINDER) == set()
    team.remind(DECEMBER[21])
    assert team.world.notified(Event.CONCLUDE_REMINDER) == TEAM


def test_a_signal_put_back_in_follow_up_is_reminded_of_like_a_new_one(team: Team) -> None:
    team.remind(NOVEMBER[25])
    team.claim()
    team.try_contact()
    team.put_back()
    assert team.messages(Event.REMINDER) == []
    team.remind(NOVEMBER[26])
    assert team.world.notified(Event.REMINDER) == TEAM
    team.remind(NOVEMBER[27])
    assert team.world.notified(Event.MISSED_DEADLINE) == {team.lead}


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
    expected = [
        (NOVEMBER[26], {team.lead}),
        (NOVEMBER[27], {team.lead, DEPUTY}),
        (NOVEMBER[29], {team.lead, DEPUTY}),
        (NOVEMBER[30], {team.lead, DEPUTY, team.manager}),
    ]
    for day, told in expected:
        team.remind(day)
        assert team.world.notified(Event.MISSED_DEADLINE) == told, day


def test_without_a_deputy_the_service_manager_comes_next(team: Team) -> None:
    team.remind(NOVEMBER[27])
    assert team.world.notified(Event.MISSED_DEADLINE) == {team.lead, team.manager}


def test_a_deputy_who_has_not_confirmed_is_passed_over_until_they_do(team: Team) -> None:
    team.set(deputy_email=DEPUTY)
    team.remind(NOVEMBER[27])
    assert team.world.notified(Event.MISSED_DEADLINE) == {team.lead, team.manager}
    team.set(deputy_verified_on=NOVEMBER[27])
    team.remind(NOVEMBER[30])
    assert team.world.notified(Event.MISSED_DEADLINE) == {team.lead, team.manager, DEPUTY}


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
    team.remind(NOVEMBER[27])
    assert team.world.notified(Event.MISSED_CONTACT) == {team.lead}
    team.try_contact()
    team.remind(DECEMBER[23])
    assert team.world.notified(Event.MISSED_CONCLUSION) == {team.lead}


def test_a_met_deadline_causes_no_message(team: Team) -> None:
    team.claim()
    team.try_contact()
    team.remind(NOVEMBER[30])
    assert team.world.notified(Event.MISSED_DEADLINE) | team.world.notified(Event.MISSED_CONTACT) == set()


def test_a_deadline_missed_long_ago_causes_no_message(team: Team) -> None:
    team.remind(date(2027, 2, 1))
    assert team.world.notified(Event.MISSED_DEADLINE) == set()


def test_an_unclaimed_signal_is_escalated_to_all_at_day_twenty_one(team: Team) -> None:
    team.set(deputy_email=DEPUTY, deputy_verified_on=NOVEMBER[2])
    team.remind(DECEMBER[14])
    assert team.world.notified(Event.UNATTENDED) == set()
    team.remind(DECEMBER[15])
    assert team.world.notified(Event.UNATTENDED) == {team.lead, DEPUTY, team.manager}
    assert {message.values["deleted_on"] for message in team.messages(Event.UNATTENDED)} == {"2026-12-22"}


# Article 14


def test_the_letter_is_reminded_of_before_the_month_is_over_first_to_the_team_then_to_the_lead(
    team: Team,
) -> None:
    team.claim()
    team.try_contact()
    team.remind(DECEMBER[16])
    assert team.world.notified(Event.NOTICE_REMINDER) == set()
    team.remind(DECEMBER[17])
    assert team.world.notified(Event.NOTICE_REMINDER) == TEAM
    team.remind(DECEMBER[23])
    assert team.world.notified(Event.NOTICE_REMINDER) == TEAM | {team.lead}


@pytest.mark.parametrize("done", [{"notified_on": date(2026, 12, 1)}, {"deferred_because": "impossible"}])
def test_an_informed_or_deferred_resident_causes_no_reminder(team: Team, done: dict[str, object]) -> None:
    team.change_signal(**done)
    team.remind(DECEMBER[18])
    assert team.world.notified(Event.NOTICE_REMINDER) == set()


# Lost its sense


def test_a_reminder_about_what_was_claimed_meanwhile_is_dropped_with_the_reason(team: Team) -> None:
    team.remind(NOVEMBER[25], hour=7)
    team.claim()
    team.at(NOVEMBER[25], 10)
    team.worker.deliver()
    [reason] = {message.reason for message in team.messages(Event.REMINDER)}
    assert reason == "now_claimed"
    assert {message.state for message in team.messages(Event.REMINDER)} == {MessageState.EXPIRED}


def test_a_reminder_that_is_not_obsolete_is_delivered(team: Team) -> None:
    team.remind(NOVEMBER[25])
    team.worker.deliver()
    assert {message.state for message in team.messages(Event.REMINDER)} == {MessageState.DELIVERED}


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


# An agreed day


def agree(team: Team, until: date) -> None:
    [signal] = team.world.signals()
    with team.world.sessions.begin() as session:
        record_attempt(
            team.world.operation(session, team.member),
            signal_id=signal.id,
            kind=AttemptKind.PHONE,
            result=AttemptResult.POSTPONED,
            attempted_at=team.world.clock.now(),
            postponed_until=until,
        )


def test_nobody_is_reminded_before_the_agreed_day_then_the_team_and_the_lead_where_it_was_missed(
    team: Team,
) -> None:
    team.claim()
    agree(team, DECEMBER[4])
    team.remind(DECEMBER[3])
    assert team.world.notified(Event.AGREED_DAY) == set()
    team.remind(DECEMBER[4])
    assert team.world.notified(Event.AGREED_DAY) == TEAM
    team.remind(DECEMBER[7])
    assert team.world.notified(Event.AGREED_DAY) == TEAM | {team.lead}


def test_an_agreed_day_in_the_weekend_causes_a_message_on_monday(team: Team) -> None:
    team.claim()
    agree(team, DECEMBER[5])
    assert team.remind(DECEMBER[5]) == 0
    team.remind(DECEMBER[7])
    assert team.world.notified(Event.AGREED_DAY) == TEAM


def test_another_agreed_day_causes_another_message(team: Team) -> None:
    team.claim()
    agree(team, DECEMBER[4])
    team.remind(DECEMBER[4])
    agree(team, DECEMBER[11])
    team.remind(DECEMBER[10])
    assert team.world.notified(Event.AGREED_DAY) == set()
    team.remind(DECEMBER[11])
    assert {message.values["agreed_on"] for message in team.messages(Event.AGREED_DAY)} == {"2026-12-11"}


def test_the_reminder_to_conclude_follows_the_norm_that_moved_along(team: Team) -> None:
    team.claim()
    team.try_contact()
    team.remind(DECEMBER[21])
    assert team.world.notified(Event.CONCLUDE_REMINDER) == TEAM
    agree(team, date(2027, 1, 11))
    team.remind(DECEMBER[23])
    assert team.world.notified(Event.CONCLUDE_REMINDER) == set()
    assert team.world.notified(Event.MISSED_CONCLUSION) == set()
    team.remind(date(2027, 1, 12))
    assert {message.values["due_on"] for message in team.messages(Event.CONCLUDE_REMINDER)} == {"2027-01-13"}


def test_an_agreed_day_with_an_attempt_causes_no_message(team: Team) -> None:
    team.claim()
    agree(team, DECEMBER[4])
    team.remind(DECEMBER[4], hour=7)
    team.try_contact()
    team.at(DECEMBER[4], 10)
    team.worker.deliver()
    assert {message.reason for message in team.messages(Event.AGREED_DAY)} == {"went_on"}


# A team's own hours and spacing


def test_reminders_come_from_the_hour_at_which_the_team_begins(team: Team) -> None:
    team.set(opens_at=11)
    team.remind(NOVEMBER[25], hour=7)
    assert {message.not_before for message in team.messages(Event.REMINDER)} == {
        datetime(2026, 11, 25, 10, tzinfo=UTC)
    }


def test_a_team_says_how_many_working_days_lie_between_lead_deputy_and_service_manager(team: Team) -> None:
    team.set(deputy_email=DEPUTY, deputy_verified_on=NOVEMBER[2], escalation_working_days=3)
    team.remind(NOVEMBER[30])
    assert team.world.notified(Event.MISSED_DEADLINE) == {team.lead}
    team.remind(DECEMBER[1])
    assert team.world.notified(Event.MISSED_DEADLINE) == {team.lead, DEPUTY}
    team.remind(DECEMBER[4])
    assert team.world.notified(Event.MISSED_DEADLINE) == {team.lead, DEPUTY, team.manager}


def test_a_team_that_works_on_some_days_is_reminded_on_its_last_one_before_the_deadline(team: Team) -> None:
    team.set(working_days="13")  # Monday and Wednesday
    team.claim()
    team.change_signal(contact_by=DECEMBER[4])  # a Friday
    team.remind(DECEMBER[1])
    assert team.world.notified(Event.CONTACT_REMINDER) == set()
    team.remind(DECEMBER[2])
    assert team.world.notified(Event.CONTACT_REMINDER) == TEAM
    assert {message.not_before for message in team.messages(Event.CONTACT_REMINDER)} == {
        datetime(2026, 12, 2, 8, tzinfo=UTC)
    }


def test_nothing_open_waits_for_the_next_working_day_of_the_team(
    team: Team,
) -> None:
    team.set(working_days="5")  # Friday
    team.change_signal(state="concluded", notified_on=NOVEMBER[24])
    team.remind(DECEMBER[1])
    [expires] = {m.expires_at for m in team.messages(Event.NOTHING_OPEN) if m.recipient in TEAM}
    assert {m.not_before for m in team.messages(Event.NOTHING_OPEN) if m.recipient in TEAM} == {
        datetime(2026, 12, 4, 8, tzinfo=UTC)  # when the team opens, not at midnight
    }
    assert expires is not None
    assert expires.date() > DECEMBER[4]


# Away


def be_away(team: Team, cover: Actor | None, *, until: date = DECEMBER[4]) -> None:
    with team.world.sessions.begin() as session:
        add_absence(
            team.world.operation(session, team.member),
            away_from=NOVEMBER[25],
            away_until=until,
            cover_id=cover.id if cover else None,
        )


def test_a_stand_in_gets_a_message_and_the_reminders_of_the_team(team: Team) -> None:
    colleague = team.world.staff()
    team.claim()
    be_away(team, colleague)
    team.remind(NOVEMBER[24])
    assert team.world.notified(Event.STAND_IN) == set()
    team.remind(NOVEMBER[25])
    address = team.world.email_of(colleague)
    assert team.world.notified(Event.STAND_IN) == {address}
    assert team.world.notified(Event.CONTACT_REMINDER) == TEAM | {address}
    assert team.world.notified(Event.UNCOVERED) == set()


def test_without_a_stand_in_the_lead_gets_the_messages(team: Team) -> None:
    team.claim()
    be_away(team, None)
    team.remind(NOVEMBER[25])
    assert team.world.notified(Event.UNCOVERED) == {team.lead}
    assert team.world.notified(Event.CONTACT_REMINDER) == TEAM | {team.lead}


def test_with_an_absent_stand_in_the_lead_gets_a_message(team: Team) -> None:
    colleague = team.world.staff()
    team.claim()
    be_away(team, colleague)
    with team.world.sessions.begin() as session:
        add_absence(team.world.operation(session, colleague), away_from=NOVEMBER[26], away_until=NOVEMBER[27])
    team.remind(NOVEMBER[26])
    assert team.world.notified(Event.UNCOVERED) == {team.lead}


def test_an_absence_without_open_signals_causes_no_message(team: Team) -> None:
    be_away(team, team.world.staff())
    team.remind(NOVEMBER[25])
    assert team.world.notified(Event.STAND_IN) | team.world.notified(Event.UNCOVERED) == set()


def test_an_early_return_makes_the_message_obsolete(team: Team) -> None:
    team.claim()
    be_away(team, None)
    team.remind(NOVEMBER[25], hour=7)
    with team.world.sessions.begin() as session:
        absence_id = session.scalars(select(Absence.id)).one()
        remove_absence(team.world.operation(session, team.member), absence_id)
    team.at(NOVEMBER[25], 10)
    team.worker.deliver()
    assert {message.reason for message in team.messages(Event.UNCOVERED)} == {"back"}


def test_signals_of_a_disabled_member_go_back_to_the_team_with_the_next_reminders(team: Team) -> None:
    team.claim()
    with team.world.sessions.begin() as session:
        session.get_one(StaffMember, team.member.id).disabled_at = team.world.clock.now()
    team.remind(NOVEMBER[25])
    [signal] = team.world.signals()
    assert (signal.state, signal.claimed_by_id) == (SignalState.NEW, None)
    assert team.world.notified(Event.REMINDER) == TEAM


def test_an_absence_is_forgotten_four_weeks_after_its_last_day(team: Team) -> None:
    be_away(team, None, until=NOVEMBER[25])
    team.at(DECEMBER[23])
    team.worker.forget_sign_ins()
    assert team.world.count(Absence) == 1
    team.at(DECEMBER[24])
    team.worker.forget_sign_ins()
    assert team.world.count(Absence) == 0


# Never a coordinator


def test_a_coordinator_on_a_list_gets_no_message_about_a_signal(team: Team) -> None:
    coordinator = team.world.email_of(team.world.staff(role=Role.COORDINATOR))
    team.set(deputy_email=coordinator.upper(), deputy_verified_on=NOVEMBER[2])
    with team.world.sessions.begin() as session:
        first = Recipient.organisation_id == IN_CHARGE, Recipient.position == 1
        session.execute(update(Recipient).where(*first).values(address=coordinator))
    for day in (NOVEMBER[25], NOVEMBER[27], NOVEMBER[30], DECEMBER[16], DECEMBER[18]):
        team.remind(day)
    with team.world.sessions() as session:
        everybody = {address.lower() for address in session.scalars(select(OutboxMessage.recipient))}
    assert coordinator.lower() not in everybody
    assert team.lead in everybody


def test_a_coordinator_on_a_list_gets_no_text_message_about_a_signal_either(team: Team) -> None:
    coordinator = team.world.email_of(team.world.staff(role=Role.COORDINATOR))
    with team.world.sessions.begin() as session:
        first = Recipient.organisation_id == IN_CHARGE, Recipient.position == 1
        phone = {"channel": "sms", "phone": "+31612345678", "phone_verified_on": NOVEMBER[1]}
        session.execute(update(Recipient).where(*first).values(address=coordinator, **phone))
    team.worker.channels["sms"] = MemoryChannel()  # type: ignore[index]
    team.world.receive(2)
    team.worker.arrive()
    team.remind(NOVEMBER[25])
    with team.world.sessions() as session:
        told = set(session.execute(select(OutboxMessage.event, OutboxMessage.channel)))
    assert {(Event.NEW_SIGNAL, "email"), (Event.REMINDER, "email")} <= told
    assert "sms" not in {channel for _event, channel in told}


# Restricted (art. 18 AVG)

RESTRICTED = date(2026, 11, 24)


@pytest.mark.parametrize("state", SignalState)
def test_a_restricted_signal_causes_no_messages(team: Team, state: SignalState) -> None:
    team.set(deputy_email=DEPUTY, deputy_verified_on=NOVEMBER[2])
    team.change_signal(
        state=state, restricted_on=RESTRICTED, postponed_until=NOVEMBER[27], team_notified=False
    )
    [signal] = team.world.signals()
    for days in range(1, 43):
        team.remind(NOVEMBER[24] + timedelta(days=days))
    with team.world.sessions() as session:
        about = select(OutboxMessage.event).where(OutboxMessage.subject_id == signal.id)
        assert list(session.scalars(about)) == []


def test_once_the_restriction_is_lifted_reminders_go_on(team: Team) -> None:
    team.change_signal(restricted_on=RESTRICTED)
    assert team.remind(NOVEMBER[25]) == 0
    team.change_signal(restricted_on=None)
    assert team.remind(NOVEMBER[25]) == 2


@pytest.mark.parametrize(
    ("day", "event"),
    [(NOVEMBER[25], Event.REMINDER), (NOVEMBER[26], Event.MISSED_DEADLINE), (DECEMBER[17], Event.UNATTENDED)],
)
def test_a_message_from_before_the_restriction_is_not_sent(team: Team, day: date, event: Event) -> None:
    team.remind(day, hour=7)
    team.change_signal(restricted_on=RESTRICTED)
    team.at(day, 10)
    team.worker.deliver()
    assert {message.reason for message in team.messages(event)} == {"restricted"}


def test_word_of_new_signals_is_dropped_when_all_of_them_are_restricted(team: Team) -> None:
    team.change_signal(restricted_on=RESTRICTED)
    team.world.move(minutes=31)
    team.worker.deliver()
    assert {message.reason for message in team.messages(Event.NEW_SIGNAL)} == {"gone"}


def test_a_restricted_signal_makes_no_digest_and_is_not_nothing_either(team: Team) -> None:
    team.set(digest_at=8)
    team.remind(NOVEMBER[25], hour=1)
    team.change_signal(restricted_on=RESTRICTED)
    team.remind(DECEMBER[1], hour=1)
    assert len(team.messages(Event.DIGEST)) == len(TEAM)
    assert not team.world.notified(Event.NOTHING_OPEN) & TEAM
    team.at(NOVEMBER[25], 9)
    team.worker.deliver()
    assert {message.reason for message in team.messages(Event.DIGEST)} == {"nothing_open"}


def test_for_a_restricted_signal_nobody_stands_in(team: Team) -> None:
    team.claim()
    be_away(team, team.world.staff())
    team.change_signal(restricted_on=RESTRICTED)
    team.remind(NOVEMBER[25])
    assert team.world.notified(Event.STAND_IN) == set()


# Digest and nothing open


def test_a_team_with_a_digest_gets_it_on_working_days_at_its_hour_instead_of_reminders(team: Team) -> None:
    team.set(digest_at=8)
    team.remind(NOVEMBER[25], hour=1)
    team.remind(NOVEMBER[26], hour=1)
    assert team.world.notified(Event.REMINDER) == set()
    moments = {message.not_before for message in team.messages(Event.DIGEST)}
    assert moments == {datetime(2026, 11, day, 7, tzinfo=UTC) for day in (25, 26)}


def test_a_digest_is_not_sent_to_who_has_nothing_open(team: Team) -> None:
    team.set(digest_at=8)
    team.change_signal(state="concluded")
    team.remind(NOVEMBER[25])
    assert team.world.notified(Event.DIGEST) == set()


def test_a_team_without_work_gets_one_message_a_month(team: Team) -> None:
    team.remind(DECEMBER[1])
    team.remind(DECEMBER[2])
    told = team.world.notified(Event.NOTHING_OPEN)
    assert "een@gm0014.example.org" in told
    assert not told & TEAM
    assert len(team.messages(Event.NOTHING_OPEN)) == len(told)


def test_the_next_month_causes_another_message(team: Team) -> None:
    team.remind(DECEMBER[1])
    before = len(team.messages(Event.NOTHING_OPEN))
    team.remind(date(2027, 1, 4))
    assert len(team.messages(Event.NOTHING_OPEN)) >= 2 * before


def test_nothing_open_is_dropped_when_work_comes_before_it_is_sent(team: Team) -> None:
    team.change_signal(state="concluded")
    team.remind(DECEMBER[1], hour=6)
    team.change_signal(state="new")
    team.at(DECEMBER[1], 10)
    team.worker.deliver()
    mine = [m for m in team.messages(Event.NOTHING_OPEN) if m.organisation_id == IN_CHARGE]
    assert {message.reason for message in mine} == {"work_came"}


def test_an_organisation_that_does_not_receive_gets_no_monthly_message(team: Team) -> None:
    with team.world.sessions.begin() as session:
        gone = update(Organisation).where(Organisation.id == GRONINGEN)
        session.execute(gone.values(suspended_from=date(2026, 1, 1)))
    team.remind(DECEMBER[1])
    assert "een@gm0014.example.org" not in team.world.notified(Event.NOTHING_OPEN)


# The provider off and on


def test_after_an_outage_live_messages_are_delivered_once(team: Team) -> None:
    for day in (24, 25, 26):
        team.remind(NOVEMBER[day])
    team.at(NOVEMBER[26], 12)
    team.worker.deliver()
    team.worker.deliver()
    channel = team.worker.channels["email"]
    assert isinstance(channel, MemoryChannel)
    got = sorted((message.recipient, message.subject) for message in channel.sent)
    assert len(got) == len(set(got))
    assert {recipient for recipient, _ in got} == TEAM | {team.lead}


# When and how a new signal is told


def test_a_new_signal_waits_until_the_team_may_be_written_to(team: Team) -> None:
    team.set(quiet_from=8, quiet_until=14)
    team.world.receive(2)
    team.worker.arrive()
    moments = {message.not_before for message in team.messages(Event.NEW_SIGNAL)}
    assert datetime(2026, 11, 24, 13, tzinfo=UTC) in moments
    assert len(moments) == 2


def test_a_person_who_prefers_text_messages_gets_one_about_a_new_signal(team: Team) -> None:
    with team.world.sessions.begin() as session:
        first = Recipient.organisation_id == IN_CHARGE, Recipient.position == 1
        phone = {"channel": "sms", "phone": "+31612345678", "phone_verified_on": NOVEMBER[1]}
        session.execute(update(Recipient).where(*first).values(**phone))
    team.worker.channels["sms"] = MemoryChannel()  # type: ignore[index]
    team.world.receive(2)
    team.worker.arrive()
    ways = {(message.channel, message.recipient) for message in team.messages(Event.NEW_SIGNAL)}
    assert ways == {("email", address) for address in TEAM} | {("sms", "+31612345678")}
