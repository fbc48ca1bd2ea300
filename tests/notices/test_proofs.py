"""Addresses and phones are proved by a mailed link."""

import uuid
from datetime import date
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select, update

from notifications.channels.memory import MemoryChannel
from notifications.events import Event
from notifications.models import OutboxMessage
from signals.models import Organisation, Recipient
from signals.notices.drills import drill_of
from signals.organisations.recipients import ProofRefused, prove, set_channel
from signals.organisations.verification_links import DEPUTY, RECIPIENT, VerificationLink
from tests.support.drill_practice import DEPUTY_ADDRESS, FIRST, TUESDAY, Practice, name_deputy
from tests.support.world import AMSTERDAM as IN_CHARGE


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
