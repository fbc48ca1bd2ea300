"""Test a comparison on PostgreSQL, where each process works as its own role."""

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from signals.casework import claim
from signals.comparisons.draws import drawn_order
from signals.comparisons.register import open_ones, register, stop, take_part
from signals.models import Comparison, ComparisonDraw, ComparisonTeam, Signal
from signals.retention.purging import purge
from signals.vocabulary import DeletionReason, Role
from tests.support.comparisons import CODE, begin, draw_of, plan
from tests.support.fenced_team import acting, person
from tests.support.fences import FencedWorld, worker_of
from tests.support.world import AMSTERDAM, GRONINGEN

pytestmark = pytest.mark.postgres


def test_the_worker_draws_and_only_the_team_sees_the_order_after_its_claim(fenced_world: FencedWorld) -> None:
    world = fenced_world.all_seeing
    begin(world, teams=(AMSTERDAM, GRONINGEN))
    world.receive(1)
    worker_of(fenced_world.worker).arrive()
    (signal_id,) = (signal.id for signal in world.signals())
    drawn = draw_of(world, signal_id)
    anna, stranger = person(fenced_world, Role.WORKER), person(fenced_world, Role.WORKER, GRONINGEN)
    desk = fenced_world.desk
    with acting(desk, anna) as session:
        claim(desk.operation(session, anna), signal_id=signal_id)
        order = drawn_order(session, desk.keystore, session.get_one(Signal, signal_id))
        assert order[0] == str(drawn.arm).removesuffix("_first")
    with acting(desk, stranger) as session:
        assert session.scalars(select(ComparisonDraw)).all() == []


def test_a_purge_by_the_desk_keeps_the_result_and_reads_none(fenced_world: FencedWorld) -> None:
    world = fenced_world.all_seeing
    begin(world)
    world.receive(1)
    worker_of(fenced_world.worker).arrive()
    (signal,) = world.signals()
    officer = person(fenced_world, Role.PRIVACY_OFFICER)
    with acting(fenced_world.desk, officer) as session:
        operation = fenced_world.desk.operation(session, officer)
        purge(operation, reasons={signal.id: DeletionReason.ERASURE}, locate=lambda _address, _on: None)
    with world.sessions() as session:
        assert session.scalar(text("SELECT count(*) FROM signal_facts WHERE year = 'C001'")) == 1


@pytest.mark.parametrize("role", ["desk", "worker", "front"])
def test_no_role_changes_a_registration(fenced_world: FencedWorld, role: str) -> None:
    begin(fenced_world.all_seeing)
    world = getattr(fenced_world, role)
    for column in ("registration", "digest"):
        with pytest.raises(DBAPIError, match="permission denied"), world.engine.begin() as connection:
            connection.execute(text(f"UPDATE comparisons SET {column} = 'x'"))
    with fenced_world.all_seeing.sessions() as session:
        assert session.get_one(Comparison, CODE).digest != "x"


def test_coordinator_and_lead_change_what_is_theirs_through_the_role_of_the_desk(
    fenced_world: FencedWorld,
) -> None:
    desk, coordinator = fenced_world.desk, person(fenced_world, Role.COORDINATOR)
    lead, other = person(fenced_world, Role.LEAD), person(fenced_world, Role.LEAD, GRONINGEN)
    with acting(desk, coordinator) as session:
        register(desk.operation(session, coordinator), plan())
    for actor, takes_part in ((lead, True), (other, True), (other, False), (lead, True)):
        with acting(desk, actor) as session:
            take_part(desk.operation(session, actor), code=CODE, takes_part=takes_part)
    with acting(desk, lead) as session:
        assert [mine for _, mine in open_ones(desk.operation(session, lead))] == [True]
    with fenced_world.all_seeing.sessions() as session:
        joined = {team.organisation_id: team.takes_part for team in session.scalars(select(ComparisonTeam))}
    assert joined == {AMSTERDAM: True, GRONINGEN: False}
    with acting(desk, coordinator) as session:
        stop(desk.operation(session, coordinator), code=CODE)
