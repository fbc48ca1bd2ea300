"""Test a referral on both databases: the receiver gets the content, and the sender loses it for good."""

import uuid
from datetime import date

import pytest
from sqlalchemy import Update, select, update

from notifications.models import OutboxMessage
from privacy.keystore import KeyGone
from signals.audit.log import Actor
from signals.casework import add_note, claim, conclude
from signals.casework.access import find_signal
from signals.casework.queue import queue_page
from signals.casework.referral import refer, referred_away
from signals.casework.sealing import open_notes
from signals.errors import ContentGone, Invalid, NotFound
from signals.intake.content import open_report
from signals.models import AddressLink, Organisation, Recipient, Referral, Signal
from signals.notices.obsolete import why_obsolete
from signals.vocabulary import ConcernType, Outcome, ReferralReason, SignalState
from tests.support.answers import TALKED
from tests.support.world import AMSTERDAM, GRONINGEN, IN_AMSTERDAM, World


@pytest.fixture
def sender(world: World) -> Actor:
    return world.staff()


@pytest.fixture
def signal_id(world: World, sender: Actor) -> uuid.UUID:
    """Return a claimed signal with a note, in Amsterdam."""
    world.receive(1, IN_AMSTERDAM, concern_types=[ConcernType.CONFUSED])
    world.worker().arrive()
    (signal,) = world.signals()
    with world.sessions.begin() as session:
        claim(world.operation(session, sender), signal_id=signal.id)
        add_note(world.operation(session, sender), signal_id=signal.id, text="Buurvrouw doet de post.")
    return signal.id


def send(
    world: World, signal_id: uuid.UUID, actor: Actor, to: uuid.UUID = GRONINGEN, version: int | None = None
) -> None:
    world.do(
        actor,
        refer,
        signal_id=signal_id,
        to_organisation_id=to,
        reason=ReferralReason.MOVED,
        expected_version=version,
    )


def test_the_receiver_reads_the_report_and_the_notes(
    world: World, sender: Actor, signal_id: uuid.UUID
) -> None:
    send(world, signal_id, sender)
    with world.sessions() as session:
        signal = find_signal(session, organisation_id=GRONINGEN, signal_id=signal_id)
        assert open_report(world.keystore, signal).address == IN_AMSTERDAM
        assert [note.text for note in open_notes(world.keystore, signal)] == ["Buurvrouw doet de post."]


def test_the_sender_finds_nothing_any_more(world: World, sender: Actor, signal_id: uuid.UUID) -> None:
    send(world, signal_id, sender)
    with world.sessions() as session:
        assert queue_page(session, organisation_id=AMSTERDAM).items == []
        with pytest.raises(NotFound):
            find_signal(session, organisation_id=AMSTERDAM, signal_id=signal_id)


def test_a_copy_of_the_senders_row_opens_no_more_once_the_key_is_destroyed(
    world: World, sender: Actor, signal_id: uuid.UUID
) -> None:
    (copy,) = world.signals()
    send(world, signal_id, sender)
    world.worker().retention().confirm_destroyed(world.clock)
    with pytest.raises(KeyGone):
        world.keystore.case_key(copy.case_key_id)
    (now,) = world.signals()
    copy.case_key_id = now.case_key_id
    with pytest.raises(ContentGone):  # the old content under the new key: bound to the sender
        open_report(world.keystore, copy)


def test_it_is_new_there_with_deadlines_from_today_and_nobody_has_it(
    world: World, sender: Actor, signal_id: uuid.UUID
) -> None:
    world.move(days=6)  # Monday 30 November
    send(world, signal_id, sender)
    (signal,) = world.signals()
    assert (signal.state, signal.claimed_by_id) == (SignalState.NEW, None)
    assert (signal.claim_by, signal.contact_by) == (date(2026, 12, 1), date(2026, 12, 2))
    assert signal.due_on == signal.claim_by
    assert signal.received_on == date(2026, 11, 24)


def test_the_sender_keeps_that_and_when_it_referred(
    world: World, sender: Actor, signal_id: uuid.UUID
) -> None:
    reference = world.signals()[0].reference
    send(world, signal_id, sender)
    with world.sessions() as session:
        kept = referred_away(session, organisation_id=AMSTERDAM, reference=reference)
        assert kept is not None
        assert (kept.to_organisation_id, kept.referred_on) == (GRONINGEN, date(2026, 11, 24))
        assert referred_away(session, organisation_id=GRONINGEN, reference=reference) is None


def test_both_see_a_later_repeat_but_not_how_it_ended_elsewhere(
    world: World, sender: Actor, signal_id: uuid.UUID
) -> None:
    send(world, signal_id, sender)
    receiver = world.staff(GRONINGEN)
    with world.sessions.begin() as session:
        claim(world.operation(session, receiver), signal_id=signal_id)
        conclude(
            world.operation(session, receiver), signal_id=signal_id, outcome=Outcome.HELP_DECLINED, **TALKED
        )
    world.move(days=28)
    world.worker().retention().run(world.clock)
    with world.sessions() as session:
        links = session.scalars(select(AddressLink)).all()
        groups = {link.organisation_id: link.outcome_group for link in links}
    assert groups == {AMSTERDAM: "referred", GRONINGEN: "declined"}
    world.receive(2, IN_AMSTERDAM)
    world.worker().arrive()
    assert [signal.repeat for signal in world.signals()] == [True]


def test_a_repeat_at_the_receiver_is_seen_at_the_referral(
    world: World, sender: Actor, signal_id: uuid.UUID
) -> None:
    world.receive(2, IN_AMSTERDAM)
    world.worker().arrive()
    (other,) = [signal.id for signal in world.signals() if signal.id != signal_id]
    send(world, signal_id, sender)
    assert not next(signal for signal in world.signals() if signal.id == signal_id).repeat
    send(world, other, sender)
    assert next(signal for signal in world.signals() if signal.id == other).repeat


def test_messages_to_the_senders_team_are_withdrawn(
    world: World, sender: Actor, signal_id: uuid.UUID
) -> None:
    with world.sessions.begin() as session:
        session.execute(update(Signal).values(team_notified=False, state=SignalState.NEW))
    world.worker().remind()
    about = select(
        OutboxMessage.event, OutboxMessage.subject_id, OutboxMessage.organisation_id, OutboxMessage.recipient
    )
    with world.sessions() as session:
        assert len(session.execute(about.where(OutboxMessage.subject_id == signal_id)).all()) == 2
    send(world, signal_id, sender)
    with world.sessions() as session:
        left = session.execute(about).all()
        assert signal_id not in {message.subject_id for message in left}
        assert {why_obsolete(session, *message) for message in left} == {"gone"}  # told on arrival


def test_to_oneself_or_to_nobody_is_refused(world: World, sender: Actor, signal_id: uuid.UUID) -> None:
    for to in (AMSTERDAM, uuid.UUID(int=1)):
        with pytest.raises(Invalid):
            send(world, signal_id, sender, to=to)


@pytest.mark.parametrize(
    "change",
    [
        update(Organisation).where(Organisation.id == GRONINGEN).values(agreement_on=None),
        update(Organisation).where(Organisation.id == GRONINGEN).values(agreement_on=date(2026, 12, 24)),
        update(Organisation).where(Organisation.id == GRONINGEN).values(suspended_from=date(2026, 1, 1)),
        update(Recipient).where(Recipient.organisation_id == GRONINGEN).values(verified_on=None),
    ],
    ids=["no agreement", "an agreement from next month on", "suspended", "no recipients"],
)
def test_an_organisation_that_does_not_receive_is_refused(
    world: World, sender: Actor, signal_id: uuid.UUID, change: Update
) -> None:
    with world.sessions.begin() as session:
        session.execute(change)
    with pytest.raises(Invalid):
        send(world, signal_id, sender)


def test_a_referral_that_fails_leaves_the_sender_everything(
    world: World, sender: Actor, signal_id: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signals.casework.referral.withdraw", _fail)
    with pytest.raises(RuntimeError):
        send(world, signal_id, sender)
    (signal,) = world.signals()
    assert (signal.organisation_id, signal.state) == (AMSTERDAM, SignalState.CLAIMED)
    assert open_report(world.keystore, signal).address == IN_AMSTERDAM
    assert world.count(Referral) == 0


def _fail(*_args: object, **_values: object) -> None:
    raise RuntimeError
