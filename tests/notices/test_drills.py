"""Drills and proofs on both databases: the ladder, the lost and regained routing, links that prove."""

import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from urllib.parse import urlsplit

import pytest
from sqlalchemy import func, select, update

from notifications.channels.memory import MemoryChannel
from notifications.events import Event
from notifications.models import OutboxMessage
from signals.clock import AMSTERDAM, today
from signals.lifecycle.deadlines import add_working_days
from signals.models import Drill, Organisation, Recipient, RoutingVersion, Signal, SignalFact, StaffMember
from signals.notices.drills import MISSED_AFTER, STEPS, drill_of
from signals.notices.proofs import channel_proofs
from signals.operations.jobs import Worker
from signals.organisations.recipients import ProofRefused, prove, set_channel
from signals.organisations.verification_links import DEPUTY, RECIPIENT, VerificationLink
from signals.vocabulary import Role
from tests.support.world import AMSTERDAM as IN_CHARGE
from tests.support.world import IN_AMSTERDAM, NATIONAL, World, run_at_once

FIRST, SECOND = "een@gm0363.example.org", "twee@gm0363.example.org"
TUESDAY = date(2026, 11, 24)


@dataclass(kw_only=True)
class Practice:
    """Amsterdam and its drills."""

    world: World
    worker: Worker

    def send(self, organisation_id: uuid.UUID = IN_CHARGE) -> int:
        with self.world.sessions.begin() as session:
            return self.worker.drills().send(
                self.world.operation(session), organisation_ids=[organisation_id]
            )

    def at(self, day: date) -> None:
        self.world.clock.moment = datetime.combine(day, time(10), AMSTERDAM).astimezone(UTC)

    def follow_up(self, day: date) -> None:
        self.at(day)
        with self.world.sessions.begin() as session:
            self.worker.drills().follow_up(self.world.operation(session))

    def miss(self) -> None:
        """Send a drill today and let its time run out."""
        self.send()
        self.follow_up(add_working_days(today(self.world.clock), MISSED_AFTER))

    def answer(self, drill: Drill) -> bool:
        with self.world.sessions.begin() as session:
            found = session.get_one(Drill, drill.id)
            return self.worker.drills().answer(self.world.operation(session), drill=found)

    def drills(self) -> list[Drill]:
        with self.world.sessions() as session:
            return list(session.scalars(select(Drill).order_by(Drill.sent_on)))

    def links(self) -> dict[tuple[str, str], str]:
        """Return the path in each message, by event and recipient."""
        with self.world.sessions() as session:
            found = session.scalars(select(OutboxMessage)).all()
            return {(one.event, one.recipient): urlsplit(one.values["link"]).path for one in found}

    def receiver(self) -> uuid.UUID:
        """Return the receiver of a report from Amsterdam today."""
        on = today(self.world.clock)
        found = self.world.router().route(IN_AMSTERDAM.postcode, IN_AMSTERDAM.number, on)
        return found.organisation_id

    def staff(self, role: Role) -> str:
        actor = self.world.staff(role=role)
        with self.world.sessions() as session:
            return session.scalars(select(StaffMember.email).where(StaffMember.id == actor.id)).one()

    def version(self) -> int:
        with self.world.sessions() as session:
            return session.scalars(select(RoutingVersion.version)).one()


@pytest.fixture
def practice(world: World) -> Practice:
    return Practice(world=world, worker=world.worker())


# The ladder


def test_a_drill_goes_to_the_first_recipient(practice: Practice) -> None:
    assert practice.send() == 1
    assert practice.world.notified(Event.DRILL) == {FIRST}


def test_while_a_drill_waits_no_other_is_sent(practice: Practice) -> None:
    practice.send()
    assert practice.send() == 0


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


def test_one_missed_drill_changes_nothing(practice: Practice) -> None:
    practice.miss()
    assert practice.receiver() == IN_CHARGE


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


def test_a_late_answer_to_a_missed_drill_brings_it_back_too(practice: Practice) -> None:
    practice.miss()
    practice.miss()
    assert practice.answer(practice.drills()[0])
    assert practice.receiver() == IN_CHARGE


def test_an_answer_restarts_the_count(practice: Practice) -> None:
    practice.miss()
    practice.send()
    practice.answer(practice.drills()[-1])
    practice.at(date(2026, 12, 28))
    practice.miss()
    assert practice.receiver() == IN_CHARGE


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


def test_administrators_are_led_to_where_they_see_which_team_it_is(practice: Practice) -> None:
    administrator, lead = practice.staff(Role.ADMINISTRATOR), practice.staff(Role.LEAD)
    for _ in range(2):
        practice.send()
        for days in (*STEPS[1:], MISSED_AFTER):
            practice.follow_up(add_working_days(practice.drills()[-1].sent_on, days))
    assert practice.answer(practice.drills()[-1])
    links = practice.links()
    for event in (Event.DRILL_UNANSWERED, Event.ROUTING_SUSPENDED, Event.ROUTING_RESTORED):
        assert links[event, administrator] == "/admin/messages"
    assert links[Event.ROUTING_SUSPENDED, lead] == links[Event.ROUTING_RESTORED, FIRST] == "/desk"


def test_only_the_last_of_several_waiting_drills_is_sent(practice: Practice) -> None:
    practice.miss()
    practice.send()
    channel = practice.worker.channels["email"]
    practice.worker.deliver()
    assert isinstance(channel, MemoryChannel)
    drills = [message for message in channel.sent if "/drill/" in message.text]
    assert [str(practice.drills()[-1].id) in message.text for message in drills] == [True]


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


def test_the_administrator_sees_when_each_channel_was_last_proved(practice: Practice) -> None:
    practice.miss()
    with practice.world.sessions() as session:
        [missed] = [proof for proof in channel_proofs(session) if proof.organisation_id == IN_CHARGE]
    practice.send()
    practice.answer(practice.drills()[-1])
    with practice.world.sessions() as session:
        [proved] = [proof for proof in channel_proofs(session) if proof.organisation_id == IN_CHARGE]
    assert (missed.proved_on, missed.missed, missed.waits) == (None, 1, False)
    assert (proved.proved_on, proved.missed) == (today(practice.world.clock), 0)


def test_drills_are_no_signals_and_no_facts(practice: Practice) -> None:
    practice.miss()
    practice.miss()
    assert (practice.world.count(Signal), practice.world.count(SignalFact)) == (0, 0)


# Links


def mailed(practice: Practice, event_in_path: str) -> tuple[str, ...]:
    """The parts of the path behind `/desk/channel/<what>/` as they were mailed."""
    practice.worker.deliver()
    channel = practice.worker.channels["email"]
    assert isinstance(channel, MemoryChannel)
    [link] = {word for message in channel.sent for word in message.text.split() if event_in_path in word}
    return tuple(urlsplit(link).path.split("/")[4:])


def test_the_mailed_link_leads_to_the_drill_and_the_stored_one_does_not(practice: Practice) -> None:
    practice.send()
    drill_id, code = mailed(practice, "/drill/")
    with practice.world.sessions() as session:
        stored = session.scalars(select(OutboxMessage).where(OutboxMessage.event == Event.DRILL)).one()
        found = drill_of(practice.world.operation(session), drill_id=uuid.UUID(drill_id), code=code)
    assert found.organisation_id == IN_CHARGE
    assert code not in stored.values["link"]


@pytest.mark.parametrize("code", ["", "A" * 22, "é" * 22])
def test_a_wrong_code_is_refused(practice: Practice, code: str) -> None:
    practice.send()
    [drill] = practice.drills()
    with practice.world.sessions() as session, pytest.raises(ProofRefused):
        drill_of(practice.world.operation(session), drill_id=drill.id, code=code)


def test_a_drills_link_expires(practice: Practice) -> None:
    practice.send()
    drill_id, code = mailed(practice, "/drill/")
    practice.at(date(2027, 1, 9))
    with practice.world.sessions() as session, pytest.raises(ProofRefused):
        drill_of(practice.world.operation(session), drill_id=uuid.UUID(drill_id), code=code)


# Recipients


def unverify(practice: Practice) -> None:
    with practice.world.sessions.begin() as session:
        session.execute(update(Recipient).where(Recipient.address == FIRST).values(verified_on=None))


def prove_by(practice: Practice, parts: tuple[str, ...], *, role: str = RECIPIENT) -> None:
    subject_id, address_code, valid_until, code = parts
    link = VerificationLink(
        role=role,
        subject_id=uuid.UUID(subject_id),
        address_code=address_code,
        valid_until=valid_until,
        code=code,
    )
    world = practice.world
    with world.sessions.begin() as session:
        prove(world.operation(session), link=link)


def first(practice: Practice) -> Recipient:
    with practice.world.sessions() as session:
        query = select(Recipient).where(Recipient.organisation_id == IN_CHARGE, Recipient.position == 1)
        return session.scalars(query).one()


def test_an_unproved_address_is_asked_once_and_counts_after_the_button_was_pressed(
    practice: Practice,
) -> None:
    unverify(practice)
    assert practice.receiver() != IN_CHARGE
    practice.worker.ask_for_proof()
    practice.worker.ask_for_proof()
    assert practice.world.notified(Event.RECIPIENT_CHECK) == {FIRST}
    prove_by(practice, mailed(practice, "/recipient/"))
    assert first(practice).verified_on == TUESDAY
    assert practice.receiver() == IN_CHARGE


def test_a_link_does_not_prove_an_address_that_took_the_place_of_the_asked_one(practice: Practice) -> None:
    unverify(practice)
    practice.worker.ask_for_proof()
    parts = mailed(practice, "/recipient/")
    with practice.world.sessions.begin() as session:
        session.execute(update(Recipient).where(Recipient.address == FIRST).values(address="b@example.org"))
    with pytest.raises(ProofRefused):
        prove_by(practice, parts)


def test_a_recipients_link_expires(practice: Practice) -> None:
    unverify(practice)
    practice.worker.ask_for_proof()
    parts = mailed(practice, "/recipient/")
    practice.at(date(2026, 12, 9))
    with pytest.raises(ProofRefused):
        prove_by(practice, parts)
    with pytest.raises(ProofRefused):
        prove_by(practice, (*parts[:2], "2027-12-31", parts[3]))


def test_a_phone_is_proved_by_a_text_message_to_it(practice: Practice) -> None:
    with practice.world.sessions.begin() as session:
        set_channel(session.get_one(Recipient, first(practice).id), channel="sms", phone="0612345678")
    phones = MemoryChannel()
    practice.worker.channels["sms"] = phones  # type: ignore[index]
    practice.worker.ask_for_proof()
    practice.worker.deliver()
    [message] = phones.sent
    [link] = [word for word in message.short.split() if "/recipient/" in word]
    prove_by(practice, tuple(urlsplit(link).path.split("/")[4:]))
    proved = first(practice)
    assert (message.recipient, proved.phone_verified_on) == ("+31612345678", TUESDAY)


# Deputies


DEPUTY_ADDRESS = "plaatsvervanger@example.org"


def name_deputy(practice: Practice, address: str | None, *, since: date | None = None) -> None:
    values = {"deputy_email": address, "deputy_verified_on": since}
    with practice.world.sessions.begin() as session:
        session.execute(update(Organisation).where(Organisation.id == IN_CHARGE).values(values))


def deputy_since(practice: Practice) -> date | None:
    with practice.world.sessions() as session:
        return session.get_one(Organisation, IN_CHARGE).deputy_verified_on


def test_a_deputy_is_asked_once_and_counts_after_the_button_was_pressed(practice: Practice) -> None:
    name_deputy(practice, DEPUTY_ADDRESS)
    practice.worker.ask_for_proof()
    practice.worker.ask_for_proof()
    assert practice.world.notified(Event.DEPUTY_CHECK) == {DEPUTY_ADDRESS}
    assert deputy_since(practice) is None
    prove_by(practice, mailed(practice, "/deputy/"), role=DEPUTY)
    assert deputy_since(practice) == TUESDAY


def test_a_deputys_link_proves_no_other_address_and_nothing_else(practice: Practice) -> None:
    name_deputy(practice, DEPUTY_ADDRESS)
    practice.worker.ask_for_proof()
    parts = mailed(practice, "/deputy/")
    with pytest.raises(ProofRefused):
        prove_by(practice, parts)  # as a recipient
    name_deputy(practice, "b@example.org")
    with pytest.raises(ProofRefused):
        prove_by(practice, parts, role=DEPUTY)
    name_deputy(practice, None)
    with pytest.raises(ProofRefused):
        prove_by(practice, parts, role=DEPUTY)
    assert deputy_since(practice) is None


def test_a_deputys_link_expires_and_the_first_proof_stays(practice: Practice) -> None:
    name_deputy(practice, DEPUTY_ADDRESS)
    practice.worker.ask_for_proof()
    parts = mailed(practice, "/deputy/")
    prove_by(practice, parts, role=DEPUTY)
    practice.at(date(2026, 12, 8))
    prove_by(practice, parts, role=DEPUTY)
    assert deputy_since(practice) == TUESDAY
    practice.at(date(2026, 12, 9))
    with pytest.raises(ProofRefused):
        prove_by(practice, parts, role=DEPUTY)


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
