"""Test that the draw of a signal is sealed until a claim, and that nobody chooses or learns it before."""

import uuid
from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import delete, select

from privacy.sealing import open_bytes
from signals.casework import claim, mark_urgent, reassign, record_attempt, refer, release
from signals.comparisons.draws import drawn_order, draws_of
from signals.comparisons.plan import NEVER_DRAWN, ORDERS, drawn_arm
from signals.comparisons.register import open_ones, register, stop, take_part
from signals.errors import Conflict, Forbidden
from signals.models import AuditEntry, Comparison, ComparisonDraw, ComparisonTeam, Signal
from signals.routing.postcodes import Address
from signals.vocabulary import (
    AttemptKind,
    AttemptResult,
    AuditAction,
    ComparisonArm,
    ConcernType,
    ReferralReason,
    Role,
)
from tests.support.comparisons import CODE, ENDS_ON, TODAY, TWO, begin, draw_of, plan, store_result
from tests.support.world import AMSTERDAM, GRONINGEN, World


def arrive(world: World, number: int = 1, first: int = 1, **said: object) -> list[uuid.UUID]:
    """Let signals of Amsterdam arrive, each at a house of its own; return the new ids."""
    known = {signal.id for signal in world.signals()}
    for house in range(first, first + number):
        world.receive(house, Address(postcode="1012AB", number=house), **said)
    world.worker().arrive()
    return [signal.id for signal in world.signals() if signal.id not in known]


def order(world: World, signal_id: uuid.UUID) -> tuple[AttemptKind, ...]:
    with world.sessions() as session:
        return drawn_order(session, world.keystore, session.get_one(Signal, signal_id))


def test_the_order_is_sealed_until_a_claim_and_the_same_ever_after(world: World) -> None:
    begin(world)
    (signal_id,) = arrive(world)
    anna, bert = world.staff(), world.staff()
    drawn = draw_of(world, signal_id)
    assert (order(world, signal_id), drawn.counts) == ((), False)
    world.do(anna, claim, signal_id=signal_id)
    seen = order(world, signal_id)
    assert seen == ORDERS[drawn.arm] if drawn.arm else False
    for actor in (anna, bert, anna):
        world.do(world.staff(role=Role.LEAD), release, signal_id=signal_id)
        world.do(actor, claim, signal_id=signal_id)
        assert order(world, signal_id) == seen
    assert draw_of(world, signal_id).revealed_on == TODAY


def test_a_lead_who_assigns_a_signal_reveals_its_order(world: World) -> None:
    begin(world)
    (signal_id,) = arrive(world)
    anna = world.staff()
    world.do(world.staff(role=Role.LEAD), reassign, signal_id=signal_id, to_staff_id=anna.id)
    assert order(world, signal_id)


def test_the_order_of_claims_does_not_matter(world: World) -> None:
    begin(world)
    ids = arrive(world, 6)
    drawn = {signal_id: draw_of(world, signal_id).arm for signal_id in ids}
    anna = world.staff()
    for signal_id in reversed(ids):
        world.do(anna, claim, signal_id=signal_id)
    assert {signal_id: draw_of(world, signal_id).arm for signal_id in ids} == drawn


def test_the_blocks_of_a_team_go_on_over_batches(world: World) -> None:
    begin(world)
    ids = arrive(world, 5) + arrive(world, 4, first=6)
    arrive(world, 1, first=50, concern_types=(ConcernType.FRAIL,))  # never drawn: it takes no place
    secret = world.keystore.secret(f"comparison-{CODE.lower()}")
    in_blocks = [drawn_arm(secret, place=(CODE, AMSTERDAM, place), arms=TWO) for place in range(9)]
    assert Counter(draw_of(world, signal_id).arm for signal_id in ids) == Counter(in_blocks)
    with world.sessions() as session:
        sealed = session.scalars(select(ComparisonTeam.sealed_place)).one()
    place = b"comparison_teams/sealed_place/" + AMSTERDAM.bytes
    assert int(open_bytes(sealed, secret, associated_data=place)) == 9


@pytest.mark.parametrize("concern", [*sorted(NEVER_DRAWN)])
def test_people_who_need_a_visit_are_never_drawn(world: World, concern: ConcernType) -> None:
    begin(world)
    (signal_id,) = arrive(world, concern_types=(ConcernType.NOT_SEEN, concern))
    world.do(world.staff(), claim, signal_id=signal_id)
    assert (draw_of(world, signal_id).arm, order(world, signal_id)) == (None, ())


def test_a_repeat_is_never_drawn(world: World) -> None:
    begin(world)
    (first,) = arrive(world)
    world.receive(99, Address(postcode="1012AB", number=1))
    world.worker().arrive()
    (second,) = (signal.id for signal in world.signals() if signal.id != first)
    assert draw_of(world, first).arm is not None
    assert draw_of(world, second).arm is None


def test_an_urgent_signal_takes_no_part_if_it_was_marked_before_the_claim(world: World) -> None:
    begin(world)
    early, late = arrive(world, 2)
    anna = world.staff()
    world.do(anna, mark_urgent, signal_id=early, urgent=True)
    world.do(anna, claim, signal_id=early)
    world.do(anna, claim, signal_id=late)
    world.do(anna, mark_urgent, signal_id=late, urgent=True)
    assert (draw_of(world, early).counts, order(world, early)) == (False, ())
    assert draw_of(world, late).counts  # who knows the order does not choose which signals count


def test_a_signal_takes_no_part_if_a_worker_tried_before_the_order_was_seen(world: World) -> None:
    begin(world)
    (signal_id,) = arrive(world)
    anna, tried = world.staff(), {"kind": AttemptKind.VISIT, "result": AttemptResult.NO_ANSWER}
    world.do(anna, record_attempt, signal_id=signal_id, attempted_at=world.clock.now(), **tried)
    world.do(anna, release, signal_id=signal_id)
    world.do(anna, claim, signal_id=signal_id)
    assert (order(world, signal_id), draw_of(world, signal_id).counts) == ((), False)


def test_the_database_tells_neither_an_order_nor_whether_there_is_one(world: World) -> None:
    begin(world)
    arrive(world, 4)
    arrive(world, 2, first=11, concern_types=(ConcernType.CONFUSED,))
    anna = world.staff()
    before = {row.signal_id: row.sealed for row in world.rows(select(ComparisonDraw))}
    for signal_id in before:
        world.do(anna, claim, signal_id=signal_id)
    with world.sessions() as session:
        rows = session.scalars(select(ComparisonDraw)).all()
        places = session.scalars(select(ComparisonTeam.sealed_place)).all()
    assert len(rows) == 6
    assert {len(row.sealed) for row in rows} == {len(places[0])} == {60}
    assert all(before[row.signal_id] != row.sealed for row in rows)
    assert not any(arm.encode() in row.sealed for row in rows for arm in ComparisonArm)


def test_a_draw_that_was_moved_to_another_signal_is_refused(world: World) -> None:
    begin(world)
    one, other = arrive(world, 2)
    with world.sessions.begin() as session:
        session.get_one(ComparisonDraw, one).sealed = session.get_one(ComparisonDraw, other).sealed
    with world.sessions() as session:
        assert list(draws_of(session.connection(), world.keystore, [one, other])) == [other]


def test_a_team_that_takes_no_part_has_no_draws(world: World) -> None:
    begin(world, teams=(GRONINGEN,))
    arrive(world)
    assert world.rows(select(ComparisonDraw)) == []


@pytest.mark.parametrize("ended", ["stopped", "over", "left"])
def test_nothing_is_drawn_or_revealed_once_it_ended(world: World, ended: str) -> None:
    begin(world)
    (sealed,) = arrive(world)
    coordinator, lead = world.staff(None, Role.COORDINATOR), world.staff(role=Role.LEAD)
    with world.sessions.begin() as session:
        if ended == "stopped":
            stop(world.operation(session, coordinator), code=CODE)
        elif ended == "left":
            take_part(world.operation(session, lead), code=CODE, takes_part=False)
    if ended == "over":
        world.clock.moment += ENDS_ON - TODAY + timedelta(days=1)
        world.worker().provision_keys()
    (later,) = arrive(world, first=7)
    world.do(world.staff(), claim, signal_id=sealed)
    with world.sessions() as session:
        assert session.get(ComparisonDraw, later) is None
    assert bool(order(world, sealed)) is (ended == "left")  # who leaves keeps what was drawn


def test_another_team_sees_no_order_of_a_referred_signal(world: World) -> None:
    begin(world, teams=(AMSTERDAM, GRONINGEN))
    (signal_id,) = arrive(world)
    anna = world.staff()
    world.do(anna, claim, signal_id=signal_id)
    world.do(anna, refer, signal_id=signal_id, to_organisation_id=GRONINGEN, reason=ReferralReason.MOVED)
    world.do(world.staff(GRONINGEN), claim, signal_id=signal_id)
    assert order(world, signal_id) == ()
    assert draw_of(world, signal_id).counts


def test_a_team_is_in_one_comparison_at_a_time_and_goes_on_where_it_was(world: World) -> None:
    begin(world)
    arrive(world, 3)
    lead, coordinator = world.staff(role=Role.LEAD), world.staff(None, Role.COORDINATOR)
    with world.sessions() as session:
        place = session.get_one(ComparisonTeam, (AMSTERDAM, CODE)).sealed_place
    with world.begin(lead) as operation:
        register(world.operation(operation.session, coordinator), plan(question="En een brief?"))
        take_part(operation, code="C002", takes_part=True)
        take_part(operation, code=CODE, takes_part=False)  # the button of a page that is out of date
        assert [(one.code, mine) for one, mine in open_ones(operation)] == [("C002", True), (CODE, False)]
        take_part(operation, code=CODE, takes_part=True)
        assert [mine for _, mine in open_ones(operation)] == [False, True]
    with world.sessions() as session:
        assert session.get_one(ComparisonTeam, (AMSTERDAM, CODE)).sealed_place == place


def test_only_a_coordinator_registers_and_stops_and_only_a_lead_takes_part(world: World) -> None:
    begin(world)
    with world.sessions() as session:
        lead = world.operation(session, world.staff(role=Role.LEAD))
        coordinator = world.operation(session, world.staff(None, Role.COORDINATOR))
        with pytest.raises(Forbidden):
            stop(lead, code=CODE)
        with pytest.raises(Forbidden):
            take_part(coordinator, code=CODE, takes_part=True)
        stop(coordinator, code=CODE)
        with pytest.raises(Conflict):
            stop(coordinator, code=CODE)


def test_the_trail_keeps_the_digest_of_a_registration(world: World) -> None:
    begin(world)
    with world.sessions() as session:
        digest = session.get_one(Comparison, CODE).digest
        changed = AuditEntry.action == AuditAction.COMPARISON_CHANGED
        grounds = set(session.scalars(select(AuditEntry.ground).where(changed)))
    assert grounds == {f"registered:{digest}", f"joined:{CODE}"}


def test_of_two_coordinators_at_once_one_tries_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    begin(world)
    coordinator = world.staff(None, Role.COORDINATOR)
    monkeypatch.setattr("signals.comparisons.register._next_code", lambda _session: CODE)
    with pytest.raises(Conflict), world.sessions.begin() as session:
        register(world.operation(session, coordinator), plan())


def test_a_restored_database_gives_no_code_of_a_released_result_again(world: World) -> None:
    begin(world)
    store_result(world.engine, {"visit_first": (1, 2, 3, 4), "card_first": (1, 2, 3, 4)})
    coordinator = world.staff(None, Role.COORDINATOR)
    with world.sessions.begin() as session:
        session.execute(delete(ComparisonTeam))
        session.execute(delete(Comparison))  # as in a copy of before
        assert register(world.operation(session, coordinator), plan()).code == "C002"
