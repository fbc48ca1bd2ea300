"""Test the plan of a comparison: its size, its registration, and the orders that it draws."""

import json
import uuid
from collections import Counter
from datetime import date, timedelta
from math import sqrt
from random import Random
from statistics import NormalDist
from typing import Any

import pytest

from signals.comparisons.plan import ORDERS, USED_OF_ARM, digest_of, drawn_arm, plan_of, size_per_arm
from signals.errors import Invalid
from signals.vocabulary import ComparisonArm
from tests.support.comparisons import CODE, TODAY, TWO, plan

TEAM = uuid.UUID(int=0xA363)
KEY = bytes(range(32))
ALL = tuple(ComparisonArm)


def sequence(
    number: int, *, key: bytes = KEY, code: str = CODE, team: uuid.UUID = TEAM, arms: Any = TWO
) -> list[ComparisonArm]:
    return [drawn_arm(key, place=(code, team, place), arms=arms) for place in range(number)]


def test_two_arms_need_293_signals_each_to_tell_20_from_30_percent() -> None:
    assert size_per_arm(0.20, 0.30) == 293
    assert plan().per_arm == 293


@pytest.mark.parametrize(("base", "target", "looks"), [(0.2, 0.3, 1), (0.2, 0.3, 3), (0.05, 0.15, 1)])
def test_the_size_has_the_power_that_it_promises(base: float, target: float, looks: int) -> None:
    """The power of the pooled test, computed the other way round: from the size."""
    size, middle, normal = size_per_arm(base, target, looks=looks), (base + target) / 2, NormalDist()
    bound = normal.inv_cdf(1 - 0.05 / looks / 2) * sqrt(2 * middle * (1 - middle) / size)
    spread = sqrt((base * (1 - base) + target * (1 - target)) / size)
    assert normal.cdf((target - base - bound) / spread) == pytest.approx(0.8, abs=0.002)


def test_a_registration_holds_the_whole_plan_and_any_change_changes_its_digest() -> None:
    text = plan().as_text(CODE)
    assert plan_of(text) == plan()
    said = json.loads(text)
    assert (said["per_arm"], said["epsilon"], said["followed_days"]) == (293, "0.50", 28)
    assert said["never_drawn"] == ["confused", "frail", "repeat", "self_neglect", "urgent"]
    digests = {digest_of(json.dumps(said | {name: "other"}, sort_keys=True)) for name in said}
    assert len(digests) == len(said)
    assert digest_of(text) not in digests


@pytest.mark.parametrize(
    ("changes", "problems"),
    [
        ({"question": " "}, {"question": "required"}),
        (
            {"question": "x" * 301, "ethics_reference": ""},
            {"question": "too_long", "ethics_reference": "required"},
        ),
        ({"arms": TWO[:1]}, {"arms": "too_few_arms"}),
        ({"base_percent": 0}, {"base_percent": "out_of_range"}),
        ({"target_percent": 20}, {"target_percent": "out_of_range"}),
        ({"ends_on": TODAY + timedelta(days=89)}, {"ends_on": "not_within_years"}),
        ({"ends_on": date(2040, 1, 1)}, {"ends_on": "not_within_years"}),
    ],
)
def test_a_plan_that_cannot_answer_is_refused(changes: dict[str, Any], problems: dict[str, str]) -> None:
    with pytest.raises(Invalid) as refused:
        plan(**changes)
    assert {problem.field: problem.code for problem in refused.value.problems} == problems


def test_each_order_begins_with_another_kind() -> None:
    assert {order[0] for order in ORDERS.values()} == {"visit", "card", "letter"}
    assert all(first != second for first, second in ORDERS.values())


def test_the_same_place_always_has_the_same_arm_and_only_the_key_tells_which() -> None:
    assert sequence(200) == sequence(200)
    others = [
        sequence(200, key=bytes(32)),
        sequence(200, code="C002"),
        sequence(200, team=uuid.UUID(int=0xA014)),
    ]
    for other in others:
        same = sum(map(ComparisonArm.__eq__, sequence(200), other))
        assert 70 < same < 130  # as by chance, within four standard deviations


@pytest.mark.parametrize("arms", [TWO, ALL])
def test_blocks_keep_the_arms_of_a_team_in_balance(arms: tuple[ComparisonArm, ...]) -> None:
    used, block = USED_OF_ARM * len(arms), 2 * USED_OF_ARM
    drawn = sequence(200 * used, arms=arms)
    for start in range(0, len(drawn), used):
        assert max(Counter(drawn[start : start + used]).values()) <= block
    counted = Counter(drawn)
    free = sqrt(len(drawn) / len(arms) * (1 - 1 / len(arms)))  # the deviation of independent draws
    assert all(abs(counted[arm] - len(drawn) / len(arms)) < 3 * free for arm in arms)


@pytest.mark.parametrize(("arms", "most"), [(TWO, 0.56), (ALL, 0.39)])
def test_a_worker_who_remembers_every_earlier_order_hardly_guesses_the_next(
    arms: tuple[ComparisonArm, ...], most: float
) -> None:
    """The strongest guess: the worker knows where blocks begin, and names the order drawn least so far."""
    chance, used, hits, guesses = Random(5), USED_OF_ARM * len(arms), 0, 0
    for number in range(60):
        drawn = sequence(10 * used, team=uuid.UUID(int=number), arms=arms)
        for place, arm in enumerate(drawn):
            seen = Counter(drawn[place - place % used : place])
            least = min(seen[one] for one in arms)
            hits += chance.choice([one for one in arms if seen[one] == least]) == arm
            guesses += 1
    assert 1 / len(arms) - 0.02 < hits / guesses < most
