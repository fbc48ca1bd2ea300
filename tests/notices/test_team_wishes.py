"""Test when and how a team gets messages: hours, days, absences, digests, restricted signals."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select, update

from notifications.channels.memory import MemoryChannel
from notifications.events import Event
from notifications.models import OutboxMessage
from signals.audit.log import Actor
from signals.models import Absence, Recipient, StaffMember
from signals.staff.absence import add_absence, remove_absence
from signals.vocabulary import Role, SignalState
from tests.support.reminded_team import DECEMBER, DEPUTY, NOVEMBER, TEAM, Team
from tests.support.world import AMSTERDAM as IN_CHARGE


# A team's own hours and spacing
def test_reminders_come_from_the_hour_at_which_the_team_begins(team: Team) -> None:
    team.set(opens_at=11)
    team.remind(NOVEMBER[25], hour=7)
    assert {message.not_before for message in team.messages(Event.REMINDER)} == {
        datetime(2026, 11, 25, 10, tzinfo=UTC)
    }


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


# Digest and nothing open
def test_a_team_with_a_digest_gets_it_on_working_days_at_its_hour_instead_of_reminders(team: Team) -> None:
    team.set(digest_at=8)
    team.remind(NOVEMBER[25], hour=1)
    team.remind(NOVEMBER[26], hour=1)
    assert team.world.notified(Event.REMINDER) == set()
    moments = {message.not_before for message in team.messages(Event.DIGEST)}
    assert moments == {datetime(2026, 11, day, 7, tzinfo=UTC) for day in (25, 26)}


def test_a_team_without_work_gets_one_message_a_month(team: Team) -> None:
    team.remind(DECEMBER[1])
    team.remind(DECEMBER[2])
    told = team.world.notified(Event.NOTHING_OPEN)
    assert "een@gm0014.example.org" in told
    assert not told & TEAM
    assert len(team.messages(Event.NOTHING_OPEN)) == len(told)


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


# Messages about a new signal
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
