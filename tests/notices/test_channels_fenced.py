"""Drills, proofs and callbacks when each process works as its own database role."""

import uuid
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from notifications import feedback
from notifications.figures import channel_health
from notifications.models import DeliveryCallback, OutboxMessage
from signals.clock import today
from signals.models import Drill, Organisation, Recipient
from signals.notices.drills import Drills
from signals.notices.going_live import channel_proofs
from signals.organisations.recipients import ask_for_proof, prove
from signals.organisations.verification_links import VerificationLink, path_codes
from tests.support.fences import FencedWorld, worker_of
from tests.support.outbox import prometheus_text
from tests.support.world import AMSTERDAM, World

pytestmark = pytest.mark.postgres


def practice(world: World) -> Drills:
    return Drills(public_url="https://signalen.example")


def test_the_worker_sends_and_the_desk_takes_the_answer_and_gives_the_routing_back(
    fenced_world: FencedWorld,
) -> None:
    worker, desk = fenced_world.worker, fenced_world.desk
    with worker.sessions.begin() as session:
        practice(worker).send(worker.operation(session), organisation_ids=[AMSTERDAM])
        drill = session.scalars(select(Drill)).one()
        drill.suspended_from = today(worker.clock)
        session.get_one(Organisation, AMSTERDAM).suspended_from = drill.suspended_from
    with desk.sessions.begin() as session:
        assert practice(desk).answer(desk.operation(session), drill=session.get_one(Drill, drill.id))
    with fenced_world.all_seeing.sessions() as session:
        assert session.get_one(Organisation, AMSTERDAM).suspended_from is None
        assert channel_proofs(session)


def test_a_missed_drill_is_followed_up_by_the_worker(fenced_world: FencedWorld) -> None:
    worker = fenced_world.worker
    for _ in range(2):
        with worker.sessions.begin() as session:
            practice(worker).send(worker.operation(session), organisation_ids=[AMSTERDAM])
        worker.clock.moment += timedelta(days=14)
        with worker.sessions.begin() as session:
            practice(worker).follow_up(worker.operation(session))
    with worker.sessions() as session:
        assert session.get_one(Organisation, AMSTERDAM).suspended_from is not None


def prove_at_the_desk(desk: World, path: str) -> None:
    *_, role, subject_id, address_code, valid_until = path.split("/")
    link = VerificationLink(
        role=role,
        subject_id=uuid.UUID(subject_id),
        address_code=address_code,
        valid_until=valid_until,
        code=path_codes(desk.keystore).code(path),
    )
    with desk.sessions.begin() as session:
        prove(desk.operation(session), link=link)


def test_the_desk_takes_the_proof_of_a_deputy(fenced_world: FencedWorld) -> None:
    worker, desk = fenced_world.worker, fenced_world.desk
    with worker.sessions.begin() as session:
        session.get_one(Organisation, AMSTERDAM).deputy_email = "vervanger@example.org"
        session.flush()
        ask_for_proof(worker.operation(session), public_url="https://a.example")
        link = session.scalars(select(OutboxMessage.values)).one()["link"]
    prove_at_the_desk(desk, link.removeprefix("https://a.example"))
    with worker.sessions() as session:
        assert session.get_one(Organisation, AMSTERDAM).deputy_verified_on == today(worker.clock)


def test_the_desk_takes_the_proof_of_a_recipient(fenced_world: FencedWorld) -> None:
    worker, desk = fenced_world.worker, fenced_world.desk
    with worker.sessions.begin() as session:
        first = select(Recipient.id).where(Recipient.organisation_id == AMSTERDAM).limit(1)
        recipient_id = session.scalars(first).one()
        session.execute(update(Recipient).where(Recipient.id == recipient_id).values(verified_on=None))
        ask_for_proof(worker.operation(session), public_url="https://a.example")
        link = session.scalars(select(OutboxMessage.values)).one()["link"]
    path = link.removeprefix("https://a.example")
    prove_at_the_desk(desk, path)
    with worker.sessions() as session:
        assert session.get_one(Recipient, recipient_id).verified_on == today(worker.clock)


def test_the_desk_notes_a_call_that_the_worker_judges(fenced_world: FencedWorld) -> None:
    said = {"message_id": uuid.UUID(int=7), "provider_message_id": "SM1", "status": "sent", "code": None}
    desk = fenced_world.desk
    for is_new in (True, False):
        with desk.sessions.begin() as session:
            assert feedback.note(session, desk.clock, **said) is is_new  # type: ignore[arg-type]
    worker_of(fenced_world.worker).deliver()
    with fenced_world.all_seeing.sessions() as session:
        assert session.scalars(select(DeliveryCallback)).all() == []


def test_the_desk_reads_the_figures_that_the_worker_counted(fenced_world: FencedWorld) -> None:
    fenced_world.front.receive(1)
    worker = worker_of(fenced_world.worker)
    worker.arrive()
    fenced_world.worker.clock.moment += timedelta(hours=1)
    worker.deliver()
    worker.count_messages()
    worker.remind()
    worker.drill()
    worker.forget_messages()
    with fenced_world.desk.sessions() as session:
        assert [health.organisation_id for health in channel_health(session)] == [AMSTERDAM]
        assert 'state="delivered"} 2.0' in prometheus_text(session, fenced_world.desk.clock)
