"""A sender takes a handover back, until the receiver opens it or the hour is over; on both databases."""

import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select, update

from notifications.models import OutboxMessage
from privacy.keystore import KeyGone
from signals.audit.log import Actor
from signals.casework import add_note, claim, mark_urgent, record_attempt, take_back
from signals.casework.access import admit, find_signal
from signals.casework.opening import open_signal
from signals.casework.referral import notified_by_sender, refer, referred_away
from signals.casework.sealing import open_notes
from signals.casework.taking_back import HandoverOver, admit_to_take_back, handover_of
from signals.errors import Forbidden, NotFound, Restricted
from signals.models import AddressLink, AuditEntry, Referral, Signal
from signals.residents.finding import find_by_address
from signals.vocabulary import AttemptKind, AttemptResult, AuditAction, ReferralReason, Role, SignalState
from tests.support.meanwhile import meanwhile
from tests.support.world import AMSTERDAM, GRONINGEN, IN_AMSTERDAM, NATIONAL, World

POSTPONED = AttemptResult.POSTPONED


@pytest.fixture
def sender(world: World) -> Actor:
    return world.staff()


@pytest.fixture
def receiver(world: World) -> Actor:
    return world.staff(GRONINGEN)


@pytest.fixture
def signal_id(world: World, sender: Actor) -> uuid.UUID:
    """Return a signal with a note, which Amsterdam got on the 24th and handed to Groningen on the 30th."""
    world.receive(1, IN_AMSTERDAM)
    world.worker().arrive()
    (signal,) = world.signals()
    world.move(days=6)
    world.do(sender, add_note, signal_id=signal.id, text="Buurvrouw doet de post.")
    hand_over(world, signal.id, sender)
    return signal.id


def hand_over(world: World, signal_id: uuid.UUID, actor: Actor, to: uuid.UUID = GRONINGEN) -> None:
    world.do(actor, refer, signal_id=signal_id, to_organisation_id=to, reason=ReferralReason.MOVED)
    world.worker().retention().confirm_destroyed(world.clock)


def back(world: World, signal_id: uuid.UUID, actor: Actor) -> None:
    admission = world.do(actor, admit_to_take_back, signal_id=signal_id)
    assert admission is not None
    with world.sessions.begin() as session:
        take_back(replace(world.operation(session, actor), admission=admission.fetch()), signal_id=signal_id)


def read(world: World, signal_id: uuid.UUID, actor: Actor) -> None:
    admission = world.do(actor, admit, [signal_id], AuditAction.SIGNAL_OPENED)
    with world.sessions() as session:
        open_signal(world.operation(session, actor), signal_id, admission.fetch())


def test_the_sender_has_everything_again_and_the_receiver_nothing(
    world: World, sender: Actor, receiver: Actor, signal_id: uuid.UUID
) -> None:
    (there,) = world.signals()
    back(world, signal_id, sender)
    world.worker().retention().confirm_destroyed(world.clock)
    with world.sessions() as session:
        signal = find_signal(session, organisation_id=AMSTERDAM, signal_id=signal_id)
        assert [note.text for note in open_notes(world.keystore, signal)] == ["Buurvrouw doet de post."]
        assert (signal.state, signal.claimed_by_id) == (SignalState.CLAIMED, sender.id)
        assert session.scalars(select(AddressLink.organisation_id)).all() == [AMSTERDAM]
        assert session.scalars(select(AddressLink.outcome_group)).all() == [None]
        with pytest.raises(NotFound):
            find_signal(session, organisation_id=GRONINGEN, signal_id=signal_id)
        assert referred_away(session, organisation_id=GRONINGEN, reference=signal.reference)
    read(world, signal_id, sender)
    with pytest.raises(KeyGone):
        world.keystore.case_key(there.case_key_id)
    assert world.count(Referral) == 2


def test_the_day_to_conclude_is_that_of_the_first_arrival(
    world: World, sender: Actor, signal_id: uuid.UUID
) -> None:
    """Otherwise a team could put off a conclusion for ever."""
    back(world, signal_id, sender)
    (signal,) = world.signals()
    assert (signal.conclude_by, signal.contact_by) == (date(2026, 12, 22), date(2026, 12, 2))
    assert signal.due_on == signal.contact_by


@pytest.mark.parametrize(
    ("tried", "day"),
    [
        ({"result": POSTPONED, "postponed_until": date(2026, 12, 21)}, date(2026, 12, 21)),
        ({}, date(2026, 12, 2)),
    ],
)
def test_the_follow_up_goes_on_with_the_day_that_it_had(
    world: World, sender: Actor, signal_id: uuid.UUID, tried: dict[str, Any], day: date
) -> None:
    back(world, signal_id, sender)
    attempt = {
        "kind": AttemptKind.VISIT,
        "result": AttemptResult.NO_ANSWER,
        "attempted_at": world.clock.now(),
    }
    world.do(sender, record_attempt, signal_id=signal_id, **attempt | tried)
    (before,) = world.signals()
    hand_over(world, signal_id, sender)
    back(world, signal_id, sender)
    (signal,) = world.signals()
    assert (signal.state, signal.due_on, signal.postponed_until) == (SignalState.IN_FOLLOW_UP, day, day)
    assert signal.conclude_by == before.conclude_by


def test_nobody_takes_back_what_the_receiver_opened(
    world: World, sender: Actor, receiver: Actor, signal_id: uuid.UUID
) -> None:
    read(world, signal_id, receiver)
    with pytest.raises(HandoverOver):
        back(world, signal_id, sender)
    with world.sessions() as session:
        assert handover_of(world.operation(session, sender), signal_id).opened


@pytest.mark.parametrize(("change", "values"), [(claim, {}), (mark_urgent, {"urgent": True})])
def test_a_change_by_the_receiver_counts_as_opening(
    world: World,
    sender: Actor,
    receiver: Actor,
    signal_id: uuid.UUID,
    change: Callable[..., object],
    values: dict[str, bool],
) -> None:
    world.do(receiver, change, signal_id=signal_id, **values)
    with pytest.raises(HandoverOver):
        back(world, signal_id, sender)


@pytest.mark.parametrize(("minutes", "refused"), [(59, False), (60, True)])
def test_the_sender_has_an_hour(
    world: World, sender: Actor, signal_id: uuid.UUID, minutes: int, refused: bool
) -> None:
    world.move(minutes=minutes)
    with world.sessions() as session:
        assert (handover_of(world.operation(session, sender), signal_id).until is None) == refused
    if refused:
        with pytest.raises(HandoverOver):
            back(world, signal_id, sender)
    else:
        back(world, signal_id, sender)


def test_only_the_sender_takes_back(world: World, sender: Actor, signal_id: uuid.UUID) -> None:
    for actor, refusal in [
        (world.staff(GRONINGEN), None),  # has it
        (world.staff(uuid.UUID(int=0xA000)), NotFound),
        (world.staff(role=Role.PRIVACY_OFFICER), Forbidden),
    ]:
        with world.begin(actor) as operation:
            if refusal is None:
                assert admit_to_take_back(operation, signal_id=signal_id) is None
            else:
                with pytest.raises(refusal):
                    admit_to_take_back(operation, signal_id=signal_id)
    assert world.signals()[0].organisation_id == GRONINGEN


def test_a_second_press_finds_the_signal_back(world: World, sender: Actor, signal_id: uuid.UUID) -> None:
    back(world, signal_id, sender)
    with world.sessions.begin() as session:
        assert admit_to_take_back(world.operation(session, sender), signal_id=signal_id) is None
    assert world.count(Referral) == 2


def test_the_sender_sees_the_last_of_several_handovers_of_one_day(
    world: World, sender: Actor, signal_id: uuid.UUID
) -> None:
    for receiver in (NATIONAL, GRONINGEN) * 3:
        back(world, signal_id, sender)
        hand_over(world, signal_id, sender, receiver)
        assert world.do(sender, handover_of, signal_id).receiver.id == receiver


def test_a_restricted_signal_stays_where_it_is(world: World, sender: Actor, signal_id: uuid.UUID) -> None:
    with world.sessions.begin() as session:
        session.execute(update(Signal).values(restricted_on=date(2026, 11, 30)))
    with pytest.raises(Restricted):
        back(world, signal_id, sender)


def test_the_receiver_who_opens_while_the_sender_takes_back_finds_nothing(
    world: World, sender: Actor, receiver: Actor, signal_id: uuid.UUID
) -> None:
    """The receiver's entry waits for the row that the sender has locked."""

    def open_there() -> None:
        with pytest.raises(NotFound):
            read(world, signal_id, receiver)

    admission = world.do(sender, admit_to_take_back, signal_id=signal_id)
    assert admission is not None
    with meanwhile(world.engine, "UPDATE signals", open_there), world.sessions.begin() as session:
        take_back(replace(world.operation(session, sender), admission=admission.fetch()), signal_id=signal_id)
    assert world.signals()[0].organisation_id == AMSTERDAM


def test_the_sender_who_takes_back_while_the_receiver_opens_comes_too_late(
    world: World, sender: Actor, receiver: Actor, signal_id: uuid.UUID
) -> None:
    admission = world.do(sender, admit_to_take_back, signal_id=signal_id)
    assert admission is not None
    fetched = admission.fetch()

    def take() -> None:
        with pytest.raises(HandoverOver), world.sessions.begin() as session:
            take_back(replace(world.operation(session, sender), admission=fetched), signal_id=signal_id)

    with meanwhile(world.engine, "UPDATE signals", take):
        read(world, signal_id, receiver)
    assert world.signals()[0].organisation_id == GRONINGEN


def test_messages_to_the_receiver_that_wait_are_withdrawn_and_the_sender_gets_none(
    world: World, sender: Actor, signal_id: uuid.UUID
) -> None:
    world.worker().remind()
    about = select(OutboxMessage.id).where(OutboxMessage.subject_id == signal_id)
    assert world.rows(about)
    back(world, signal_id, sender)
    world.worker().remind()
    assert not world.rows(about)


def test_the_trail_of_the_sender_tells_who_took_it_back_and_the_resident_was_told_by_this_team(
    world: World, sender: Actor, signal_id: uuid.UUID
) -> None:
    with world.sessions.begin() as session:
        session.execute(update(Signal).values(notified_on=date(2026, 11, 27)))
    back(world, signal_id, sender)
    with world.sessions() as session:
        entries = select(AuditEntry.action).where(
            AuditEntry.organisation_id == AMSTERDAM, AuditEntry.ground == "take_back"
        )
        assert set(session.scalars(entries)) == {AuditAction.CONTENT_USED, AuditAction.SIGNAL_CHANGED}
        assert not notified_by_sender(session.scalars(select(Signal)).one())


def test_after_a_second_handover_the_receivers_officer_finds_one_signal_and_no_referral(
    world: World, sender: Actor, signal_id: uuid.UUID
) -> None:
    back(world, signal_id, sender)
    hand_over(world, signal_id, sender)
    officer = world.staff(GRONINGEN, Role.PRIVACY_OFFICER)
    found = world.do(officer, find_by_address, address=IN_AMSTERDAM)
    assert (len(found.signals), found.referrals) == (1, [])
