"""The same report sent again, and sixteen at once."""

from datetime import date

import pytest
from sqlalchemy import update

from signals.errors import AreaFull, Invalid, KeyReused, NotesDisabled
from signals.models import Organisation, SealedReport
from signals.routing.snapshot import routing_changed
from signals.vocabulary import OrganisationKind
from tests.support.at_once import run_at_once
from tests.support.world import AMSTERDAM, IN_AMSTERDAM, IN_GRONINGEN, World, key, report


def test_the_answer_stays_the_same_after_arrival(world: World) -> None:
    first = world.receive(1)
    assert world.worker().arrive() == 1
    assert world.receive(1) == first
    assert world.worker().arrive() == 0


def test_a_retry_after_midnight_is_answered_though_its_date_lies_too_far_back_by_then(world: World) -> None:
    oldest = date(2026, 11, 10)
    first = world.receive(1, noticed_on=oldest)
    world.move(days=1)
    with pytest.raises(Invalid):
        world.receive(2, noticed_on=oldest)
    assert world.receive(1, noticed_on=oldest) == first


def test_a_retry_is_answered_though_the_area_is_full(world: World) -> None:
    intake = world.intake(limit=1)
    first = intake.receive(world.clock, key=key(1), report=report())
    with pytest.raises(AreaFull):
        intake.receive(world.clock, key=key(2), report=report())
    assert intake.receive(world.clock, key=key(1), report=report()) == first


def test_a_retry_is_answered_though_notes_were_switched_off_since(world: World) -> None:
    noted = report(note="De gordijnen zijn al dagen dicht.")
    first = world.intake(notes=True).receive(world.clock, key=key(1), report=noted)
    with pytest.raises(NotesDisabled):
        world.intake().receive(world.clock, key=key(2), report=noted)
    assert world.intake().receive(world.clock, key=key(1), report=noted) == first


def test_a_retry_names_the_organisation_that_received_though_another_covers_the_area(
    world: World,
) -> None:
    first = world.receive(1)
    with world.sessions.begin() as session:
        suspended = update(Organisation).where(Organisation.id == AMSTERDAM)
        session.execute(suspended.values(suspended_from=date(2026, 11, 1)))
        routing_changed(session)
    assert world.receive(2).organisation.kind is OrganisationKind.GGD
    again = world.receive(1)
    assert (again.organisation.id, again.receipt) == (AMSTERDAM, first.receipt)


def test_sixteen_at_once_under_one_key_make_one_row_and_equal_answers(world: World) -> None:
    intakes = [world.intake() for _ in range(4)]

    def receive(number: int) -> object:
        return intakes[number % 4].receive(world.clock, key=key(1), report=report())

    answers = run_at_once(*[lambda n=n: receive(n) for n in range(16)])
    assert answers == [answers[0]] * 16
    assert world.count(SealedReport) == 1


def test_sixteen_at_once_with_two_bodies_under_one_key_keep_one_of_them(world: World) -> None:
    intake = world.intake()
    homes = [IN_AMSTERDAM, IN_GRONINGEN]

    def receive(number: int) -> str:
        try:
            answer = intake.receive(world.clock, key=key(1), report=report(homes[number % 2]))
        except KeyReused:
            return "refused"
        return answer.receipt

    answers = run_at_once(*[lambda n=n: receive(n) for n in range(16)])
    assert answers.count("refused") == 8
    assert len(set(answers)) == 2
    assert world.count(SealedReport) == 1
