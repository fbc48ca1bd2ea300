"""Measure how much released figures give away of one signal, against the strongest attackers.

Two data sets differ in one signal. For every table, one event is more likely with the signal than without it,
by the factor exp(epsilon) at most. The noise of a cell is independent of that of another.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from math import exp, log, sqrt
from random import Random
from typing import NamedTuple

import pytest

from privacy.noise import noisy
from signals.statistics.facts import Fact, cells_of
from signals.statistics.menu import BUDGET, Codes, Table, menu
from tests.support.figures import USUAL

pytestmark = pytest.mark.slow

DRAWS = 100_000
_SERIES = Random(20261202)
SURE = 3.29
"""Standard deviations on both sides that hold 99.9% of a normal distribution."""

FULL = USUAL._replace(
    attempts="visit:no card:no visit:no letter:yes",
    kinds="frail other",
    newly_known="yes",
)
"""A signal that changes every table by its whole sensitivity."""


class Measured(NamedTuple):
    """An estimate of epsilon with its standard error."""

    epsilon: float
    error: float

    @property
    def least(self) -> float:
        return self.epsilon - SURE * self.error

    @property
    def most(self) -> float:
        return self.epsilon + SURE * self.error


def contribution(fact: Fact, table: Table) -> dict[Codes, int]:
    """Return what a signal adds to the cells of a table; `received` is counted by SQL, one a signal."""
    if table.code == "received":
        return {(): 1}
    return {cell: 1 for code, cell in cells_of(fact) if code == table.code}


def measured(table: Table, added: Mapping[Codes, int]) -> Measured:
    """Measure epsilon of one table, from draws of two neighbouring data sets, by the most telling event.

    The event is: every cell of the signal shows at least the value that the signal alone gives.
    """
    without = _share_of_hits(table, dict.fromkeys(added, 0))
    with_it = _share_of_hits(table, added)
    error = sqrt((1 - without) / (without * DRAWS) + (1 - with_it) / (with_it * DRAWS))
    return Measured(log(with_it / without), error)


def _share_of_hits(table: Table, counts: Mapping[Codes, int]) -> float:
    hits = sum(min(noisy(counts, table.scale, below=_below).values()) >= 1 for _ in range(DRAWS))
    return hits / DRAWS


def _below(bound: int) -> int:
    """Draw quickly, and the same in every run; `test_noise` proves that noise has the system's source."""
    return int(_SERIES.random() * bound)


@pytest.fixture(scope="module")
def epsilons() -> dict[str, Measured]:
    return {table.code: measured(table, contribution(FULL, table)) for table in menu()}


@pytest.mark.parametrize("table", menu(), ids=lambda table: table.code)
def test_a_table_spends_its_epsilon_and_no_more(table: Table, epsilons: dict[str, Measured]) -> None:
    found = epsilons[table.code]
    assert found.least <= float(table.epsilon) <= found.most
    assert found.most < float(table.epsilon) + 0.1


def test_all_tables_together_spend_two(epsilons: dict[str, Measured]) -> None:
    total = Measured(
        sum(one.epsilon for one in epsilons.values()), sqrt(sum(one.error**2 for one in epsilons.values()))
    )
    assert total.least <= float(BUDGET) <= total.most
    assert total.most < float(BUDGET) + 0.12


@pytest.mark.parametrize("table", menu(), ids=lambda table: table.code)
def test_a_signal_that_counts_twice_is_noticed(table: Table) -> None:
    twice = {cell: 2 * number for cell, number in contribution(FULL, table).items()}
    assert measured(table, twice).least > float(table.epsilon)


def guess(prior: float, shown: Mapping[str, Mapping[Codes, int]], worlds: tuple[Fact, Fact]) -> float:
    """Return the chance of the first world by Bayes; `shown`: the released tables less all other signals."""
    odds = prior / (1 - prior)
    for table in menu():
        first, second = (contribution(fact, table) for fact in worlds)
        for cell in first.keys() | second.keys():
            value = shown[table.code][cell]
            nearer = abs(value - second.get(cell, 0)) - abs(value - first.get(cell, 0))
            odds *= exp(nearer / table.scale)
    return odds / (1 + odds)


def highest_guess(prior: float, worlds: tuple[Fact, Fact]) -> float:
    """Return the highest guess that any noise can bring about."""
    odds = prior / (1 - prior)
    for table in menu():
        first, second = (contribution(fact, table) for fact in worlds)
        changed = sum(abs(first.get(cell, 0) - second.get(cell, 0)) for cell in first.keys() | second.keys())
        odds *= exp(changed / table.scale)
    return odds / (1 + odds)


PRIOR = 0.21
REACHED = USUAL._replace(
    attempts="visit:no card:no visit:yes",
    reached="yes",
    outcome="help_accepted",
    newly_known="yes",
)
"""The same attempts as those of `USUAL`, of which the last made contact."""


def released_without_others(target: Fact, others: Sequence[Fact]) -> dict[str, dict[Codes, int]]:
    """Release all tables, and subtract the signals that the attacker knows exactly."""
    shown = {}
    for table in menu():
        known = Counter[Codes]()
        for fact in others:
            known.update(contribution(fact, table))
        true = Counter(known)
        true.update(contribution(target, table))
        drawn = noisy({cell: true[cell] for cell in table.cells}, table.scale)
        shown[table.code] = {cell: drawn[cell] - known[cell] for cell in table.cells}
    return shown


def test_an_attacker_who_knows_all_but_one_never_passes_66_percent() -> None:
    """A lead who knows the own exact counts and every other signal is that attacker."""
    others = [USUAL, REACHED, FULL] * 20
    worlds = REACHED, USUAL
    guesses = [
        guess(PRIOR, released_without_others(target, others), worlds) for target in worlds for _ in range(100)
    ]
    assert highest_guess(PRIOR, worlds) < 0.62
    assert max(guesses) <= highest_guess(PRIOR, worlds) + 1e-9
    assert max(guesses) > 0.4  # he does learn something: the test is no empty one


def test_an_attacker_learns_whether_a_signal_was_there_no_better_than_66_percent() -> None:
    odds = PRIOR / (1 - PRIOR)
    for table in menu():
        changed = sum(contribution(FULL, table).values())
        odds *= exp(changed / table.scale)
    assert odds / (1 + odds) == pytest.approx(0.663, abs=0.001)


def test_an_attacker_who_does_not_know_the_course_learns_more_and_the_promise_says_how_much() -> None:
    first_visit = REACHED._replace(attempts="visit:yes")
    four_attempts = USUAL._replace(attempts="visit:no card:no phone:no letter:no")
    assert highest_guess(PRIOR, (first_visit, four_attempts)) == pytest.approx(0.756, abs=0.001)
    nothing_shared = (
        FULL._replace(
            region="GG0111", reached="yes", outcome="referred", in_time="yes", newly_known="no", repeat="yes"
        ),
        USUAL._replace(
            attempts="card:no visit:no letter:no phone:no",
            kinds="confused not_seen",
            newly_known="yes",
            in_time="no",
        ),
    )
    assert highest_guess(PRIOR, nothing_shared) < 0.92
