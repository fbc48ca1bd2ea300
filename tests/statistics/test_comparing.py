"""Test the result of a comparison: as drawn, in time, within the budget, and right on average."""

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from sqlalchemy import update

from privacy.noise import noisy
from signals.comparisons.draws import Draw, secret_of
from signals.comparisons.plan import digest_of
from signals.comparisons.register import stop
from signals.models import Comparison, Publication, SignalFact
from signals.statistics import sealed_facts
from signals.statistics.comparing import (
    arms_of,
    count_comparison,
    differences_of,
    result_due_on,
    result_of,
    table_for,
)
from signals.statistics.counting import count_year
from signals.statistics.facts import Course
from signals.statistics.intervals import Interval
from signals.statistics.menu import BUDGET, Codes, menu
from signals.statistics.publications import ReleasedTable
from signals.statistics.releasing import ReleaseRefused, spent
from signals.vocabulary import AttemptKind, AttemptResult, ComparisonArm, DeletionReason, Outcome, Role
from tests.support.comparisons import CODE, ENDS_ON, TODAY, TWO, begin, let_draw, plan
from tests.support.figures import Story, live, released, releasing
from tests.support.world import World

VISIT, CARD = ComparisonArm.VISIT_FIRST, ComparisonArm.CARD_FIRST
NO, YES = AttemptResult.NO_ANSWER, AttemptResult.CONTACT
DUE_ON = ENDS_ON + timedelta(days=36)
REACHED = Story(
    received_on=TODAY,
    attempts=((AttemptKind.VISIT, NO, 24), (AttemptKind.CARD, YES, 72)),
    concluded_on=TODAY,
    outcome=Outcome.TALK_SUFFICED,
)
UNREACHED = Story(
    received_on=TODAY,
    attempts=((AttemptKind.VISIT, NO, 24),),
    concluded_on=TODAY,
    outcome=Outcome.NOT_REACHED,
)


@pytest.fixture
def four(world: World) -> Sequence[uuid.UUID]:
    """Four signals in a comparison: two visits first (one reached), a card first, and one without an arm."""
    begin(world)
    ids = live(world, (REACHED, UNREACHED, REACHED, UNREACHED))
    for signal_id, arm in zip(ids, (VISIT, VISIT, CARD, None), strict=True):
        let_draw(world, signal_id, arm, TODAY if arm else None)
    return ids


COUNTED = {("visit_first", "yes", "yes"): 1, ("visit_first", "no", "no"): 1, ("card_first", "yes", "no"): 1}


def counted(world: World) -> Mapping[Codes, int]:
    with world.sessions() as session:
        return count_comparison(session.connection(), world.keystore, CODE)


def release(world: World, on: datetime) -> list[str]:
    world.clock.moment = on
    return [one.period for one in releasing(world).release_due(world.clock, grace_days=35)]


def day(offset: int) -> datetime:
    return datetime(DUE_ON.year, DUE_ON.month, DUE_ON.day, 9, tzinfo=UTC) + timedelta(days=offset)


@pytest.mark.parametrize(
    ("attempts", "contact", "followed"),
    [
        ((), "no", "no"),
        (((AttemptKind.VISIT, YES, 1),), "yes", "yes"),  # contact at once ends the order
        (((AttemptKind.VISIT, NO, 1),), "no", "no"),  # the card never came
        (((AttemptKind.VISIT, NO, 1), (AttemptKind.CARD, NO, 3)), "no", "yes"),
        (((AttemptKind.CARD, NO, 3), (AttemptKind.VISIT, NO, 1)), "no", "yes"),  # by moment, not by entry
        (((AttemptKind.CARD, YES, 1),), "yes", "no"),  # the worker chose otherwise: still this arm
        (((AttemptKind.VISIT, NO, 1), (AttemptKind.CARD, NO, 2), (AttemptKind.PHONE, YES, 28)), "yes", "yes"),
        (((AttemptKind.VISIT, NO, 1), (AttemptKind.CARD, YES, 29)), "no", "yes"),  # too late to count
    ],
)
def test_a_signal_counts_as_drawn_with_contact_in_28_days(
    attempts: Sequence[tuple[AttemptKind, AttemptResult, int]], contact: str, followed: str
) -> None:
    start = datetime(2026, 11, 24, 9, tzinfo=UTC)
    course = Course(
        received_on=TODAY,
        contact_by=TODAY,
        concluded_on=None,
        attempts=[(kind, result, start + timedelta(days=days)) for kind, result, days in attempts],
        outcome=None,
        newly_known=None,
        repeat=False,
        draw=Draw(code=CODE, arm=VISIT, revealed_on=TODAY),
    )
    assert result_of(course) == (CODE, "visit_first", contact, followed)


def test_live_and_purged_signals_count_alike(world: World, four: Sequence[uuid.UUID]) -> None:
    assert counted(world) == COUNTED
    world.worker().retention().purge_now(world.clock, list(four), DeletionReason.CONCLUDED)
    assert counted(world) == COUNTED
    with world.sessions() as session:
        kept = session.query(SignalFact).filter_by(year=CODE).all()
    assert len(kept) == 4  # also for the signal that takes no part: its row must not tell
    assert {len(row.sealed) for row in kept} == {sealed_facts.SIZE + 28}


def test_a_signal_in_a_comparison_counts_in_no_yearly_table_of_attempts(
    world: World, four: Sequence[uuid.UUID]
) -> None:
    for purged in (False, True):
        if purged:
            world.worker().retention().purge_now(world.clock, list(four), DeletionReason.CONCLUDED)
        with world.sessions() as session:
            counts, own = count_year(
                session.connection(), "2026", keys=world.keystore, locate=releasing(world).locate, on=TODAY
            )
        assert +counts["attempts"] == Counter({("1", "visit", "no"): 1})
        assert sum(counts["regions"].values()) == own[0].concluded == 4


def test_the_result_is_drawn_once_after_the_planned_end_and_not_a_day_before(
    world: World, four: Sequence[uuid.UUID]
) -> None:
    assert CODE not in release(world, day(-1))
    with pytest.raises(ReleaseRefused):
        releasing(world).release(world.clock, period=CODE)
    assert CODE in release(world, day(0))
    table = released(world, CODE, "comparison")
    assert (float(table.epsilon), table.scale, len(table.noisy)) == (0.5, 2, 8)
    assert all(abs(table.noisy[cell] - COUNTED.get(cell, 0)) < 20 * table.scale for cell in table.noisy)
    assert CODE not in release(world, day(1))


def test_keys_and_facts_of_a_comparison_go_after_its_result(world: World, four: Sequence[uuid.UUID]) -> None:
    world.worker().retention().purge_now(world.clock, list(four[:2]), DeletionReason.CONCLUDED)
    release(world, day(0))
    assert world.keystore.has_secret(secret_of(CODE))  # a live signal needs it: it counts in no other table
    world.worker().retention().purge_now(world.clock, list(four[2:]), DeletionReason.CONCLUDED)
    with world.sessions() as session:
        assert session.query(SignalFact).filter_by(year=CODE).all() == []
    release(world, day(1))
    assert not world.keystore.has_secret(secret_of(CODE))
    assert not world.keystore.has_secret(sealed_facts.secret_of(CODE))


def test_stopping_early_changes_nothing_about_the_result(world: World, four: Sequence[uuid.UUID]) -> None:
    coordinator = world.staff(None, Role.COORDINATOR)
    with world.sessions.begin() as session:
        before = result_due_on(session.get_one(Comparison, CODE))
        stop(world.operation(session, coordinator), code=CODE)
        assert result_due_on(session.get_one(Comparison, CODE)) == before == DUE_ON
    assert CODE not in release(world, day(-1))
    assert CODE in release(world, day(0))


def test_a_registration_that_was_changed_gets_no_result(world: World, four: Sequence[uuid.UUID]) -> None:
    with world.sessions.begin() as session:
        sooner = plan(ends_on=TODAY + timedelta(days=90)).as_text(CODE)
        session.execute(update(Comparison).values(registration=sooner))
    assert CODE not in release(world, day(0))


def test_a_comparison_stays_within_the_budget_of_a_signal() -> None:
    whole = [
        Publication(period="2026-Q3" if table.code == "received" else "2026", code=table.code,
                    epsilon=f"{float(table.epsilon):.2f}")
        for table in menu()
    ]  # fmt: skip
    compared = Publication(period=CODE, code="comparison", epsilon="0.50")
    assert spent(whole) == spent([*whole, compared]) == BUDGET
    without = [table for table in whole if table.code != "attempts"]
    assert float(spent([*without, compared])) == 1.6


def result(chance: Random, *, contact: Mapping[ComparisonArm, float], kept: float) -> ReleasedTable:
    """Return the released table of a simulated comparison of 293 signals an arm.

    `contact`: the rate of each arm while workers keep to the order, as the share `kept` does. A worker who
    chooses otherwise does what the first arm asks.
    """
    arms = tuple(contact)
    text = plan(arms=arms).as_text(CODE)
    table = table_for(Comparison(code=CODE, registration=text, digest=digest_of(text)))
    counts: Counter[Codes] = Counter()
    for arm in arms:
        for _ in range(293):
            follows = chance.random() < kept
            reached = chance.random() < contact[arm if follows else arms[0]]
            counts[str(arm), "yes" if reached else "no", "yes" if follows else "no"] += 1
    drawn = noisy({cell: counts[cell] for cell in table.cells}, table.scale, below=chance.randrange)
    return ReleasedTable(**vars(table), period=CODE, drawn_on=DUE_ON, noisy=drawn)


def holds(found: Interval, true: float) -> bool:
    return found.low <= true <= found.high


@pytest.mark.parametrize(("kept", "effect"), [(1.0, -0.10), (0.8, -0.08), (1.0, 0.0)])
def test_a_known_effect_is_recovered_with_95_percent_coverage_in_200_runs(kept: float, effect: float) -> None:
    """A worker who chooses otherwise dilutes the effect: as drawn, that is what counts."""
    chance, contact = Random(12), {VISIT: 0.20, CARD: 0.20 - effect / kept}
    runs = [result(chance, contact=contact, kept=kept) for _ in range(200)]
    found = [differences_of(table)[VISIT, CARD] for table in runs]
    assert 0.92 <= sum(holds(one, effect) for one in found) / 200 <= 0.99
    assert sum(one.value for one in found) / 200 == pytest.approx(effect, abs=0.01)
    shown = [arms_of(table)[1] for table in runs]
    assert sum(holds(arm.followed, kept) or kept == 1 for arm in shown) / 200 >= 0.92
    assert sum(holds(arm.signals, 293) for arm in shown) / 200 >= 0.95


def test_an_effect_of_ten_points_is_seen_in_most_of_200_runs_of_the_planned_size() -> None:
    chance = Random(8)
    runs = [result(chance, contact={VISIT: 0.20, CARD: 0.30}, kept=1.0) for _ in range(200)]
    seen = sum(not holds(differences_of(table)[VISIT, CARD], 0) for table in runs) / 200
    assert 0.62 < seen < 0.80  # the plan says 0.80 without noise, and noise leaves 0.71


@pytest.mark.parametrize("arms", [TWO, tuple(ComparisonArm)])
def test_without_an_effect_at_most_one_result_in_twenty_states_one(arms: tuple[ComparisonArm, ...]) -> None:
    chance, runs = Random(31), 600
    stated = 0
    for _ in range(runs):
        found = differences_of(result(chance, contact=dict.fromkeys(arms, 0.25), kept=0.9))
        stated += any(not holds(one, 0) for one in found.values())
    assert stated / runs <= 0.05
