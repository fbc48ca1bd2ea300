"""Intervals hold what they promise, and chance alone is rarely stated: measured on simulated years."""

from collections.abc import Callable, Iterator, Sequence
from math import exp, log, sqrt
from random import Random

import pytest

from signals.statistics.intervals import (
    NOTHING,
    Interval,
    Noisy,
    Split,
    count,
    difference,
    growth_needed,
    share,
    stated,
    surprise,
)

DRAWS = 200
KINDS = {"visit": 0.45, "letter": 0.2, "phone": 0.15, "card": 0.15, "through_other": 0.05}
CONTACT = {"visit": 0.25, "letter": 0.08, "phone": 0.3, "card": 0.15, "through_other": 0.3}
ATTEMPTS, REGIONS, OUTCOMES, RECEIVED, COURSE = 4 / 0.9, 1 / 0.4, 1 / 0.25, 1 / 0.15, 3 / 0.1
"""The scale of the noise of each table: its sensitivity by its epsilon."""

Truth = tuple[Split, float]


def noisy(chance: Random, true: int, scale: float) -> Noisy:
    """Return a count with discrete Laplace noise."""
    ratio = exp(-1 / scale)
    up, down = (int(log(1 - chance.random()) / log(ratio)) for _ in range(2))
    return Noisy(true + up - down, 2 * ratio / (1 - ratio) ** 2)


def split(chance: Random, yes: int, no: int, scale: float) -> Split:
    return Split(noisy(chance, yes, scale), noisy(chance, no, scale))


def hits(chance: Random, number: int, probability: float) -> int:
    return sum(chance.random() < probability for _ in range(number))


def attempts_of_a_year(chance: Random, size: int, contact: dict[str, float]) -> Iterator[list[Truth]]:
    """Yield the kinds at each of four attempts; teams go on with nine in ten of those not reached."""
    for later in range(4):
        kinds = chance.choices(list(KINDS), list(KINDS.values()), k=size)
        rates = {kind: contact[kind] * 0.8**later for kind in KINDS}
        reached = {kind: hits(chance, kinds.count(kind), rates[kind]) for kind in KINDS}
        yield [
            (split(chance, reached[kind], kinds.count(kind) - reached[kind], ATTEMPTS), rates[kind])
            for kind in KINDS
        ]
        size = round((size - sum(reached.values())) * 0.9)


def regions_of_a_year(chance: Random, size: int) -> list[Truth]:
    found = []
    for _ in range(25):
        here = hits(chance, size, 1 / 25)
        reached = hits(chance, here, 0.2)
        found.append((split(chance, reached, here - reached, REGIONS), 0.2))
    return found


def outcomes_of_a_year(chance: Random, size: int) -> list[Truth]:
    rates = (0.6, 0.12, 0.08, 0.06, 0.04, 0.03, 0.02, 0.02, 0.01, 0.01, 0.01)
    drawn = chance.choices(range(len(rates)), rates, k=size)
    cells = [noisy(chance, drawn.count(number), OUTCOMES) for number in range(len(rates))]
    return [
        (Split(cell, sum((other for other in cells if other is not cell), NOTHING)), rate)
        for cell, rate in zip(cells, rates, strict=True)
    ]


def course_of_a_year(chance: Random, size: int) -> list[Truth]:
    rates = (0.8, 0.4, 0.07)
    found = [hits(chance, size, rate) for rate in rates]
    return [(split(chance, yes, size - yes, COURSE), rate) for yes, rate in zip(found, rates, strict=True)]


TABLES: dict[str, Callable[[Random, int], list[Truth]]] = {
    "attempts": lambda chance, size: [
        each for row in attempts_of_a_year(chance, size, CONTACT) for each in row
    ],
    "regions": regions_of_a_year,
    "outcomes": outcomes_of_a_year,
    "course": course_of_a_year,
}


@pytest.mark.slow
@pytest.mark.parametrize("size", [600, 5_000])
@pytest.mark.parametrize("table", TABLES)
def test_the_interval_of_a_share_holds_the_true_one_in_95_of_100_cases(table: str, size: int) -> None:
    chance = Random(f"{table} {size}")
    cells = [cell for _ in range(DRAWS) for cell in TABLES[table](chance, size)]
    held = [_holds(share(cell), rate) for cell, rate in cells]
    assert 0.93 <= sum(held) / len(held) <= 0.97


@pytest.mark.parametrize("size", [150, 1_250])
def test_the_interval_of_a_count_holds_the_mean_behind_it_in_95_of_100_cases(size: int) -> None:
    chance = Random(size)
    true = [round(chance.gauss(size, sqrt(size))) for _ in range(5 * DRAWS)]
    held = [_holds(count(noisy(chance, number, RECEIVED)), size) for number in true]
    assert 0.93 <= sum(held) / len(held) <= 0.97


@pytest.mark.slow
def test_of_a_thousand_years_without_effect_at_most_one_in_twenty_states_a_difference() -> None:
    chance = Random(1)
    said = 0
    for _ in range(1_000):
        rows = [
            [cell for cell, _ in row] for row in attempts_of_a_year(chance, 600, dict.fromkeys(KINDS, 0.2))
        ]
        said += _states([surprise(row[0], other) for row in rows for other in row[1:]])
    assert said <= 50


@pytest.mark.slow
@pytest.mark.parametrize("size", [600, 5_000])
def test_in_a_country_with_one_rate_at_most_one_map_in_twenty_is_shaded(size: int) -> None:
    chance = Random(size)
    shaded = 0
    for _ in range(100):
        tiles = [tile for tile, _ in regions_of_a_year(chance, size)]
        rest = [
            sum((other for other in tiles if other is not tile), Split(NOTHING, NOTHING)) for tile in tiles
        ]
        shaded += _states([surprise(tile, other) for tile, other in zip(tiles, rest, strict=True)])
    assert shaded <= 5


def test_of_300_pairs_of_regions_with_one_rate_none_is_called_different() -> None:
    chance = Random(300)
    tiles = [tile for tile, _ in regions_of_a_year(chance, 600)]
    pairs = [(one, other) for number, one in enumerate(tiles) for other in tiles[:number]]
    assert len(pairs) == 300
    assert not _states([surprise(one, other) for one, other in pairs])


def test_a_real_difference_is_stated_with_an_interval_that_holds_it() -> None:
    chance = Random(7)
    visits, letters = split(chance, 250, 750, ATTEMPTS), split(chance, 32, 368, ATTEMPTS)
    error = stated([surprise(visits, letters), *(0.4, 0.6, 0.8)])
    assert error == pytest.approx(0.05 / 4)
    assert difference(visits, letters, error=error).low > 0
    assert difference(letters, visits, error=error).high < 0


def test_without_noise_the_interval_is_that_of_wilson() -> None:
    found = share(Split(Noisy(20), Noisy(80)))
    assert (found.low, found.high) == pytest.approx((0.1334, 0.2888), abs=0.0001)


@pytest.mark.parametrize("error", [0.05, 0.05 / 16])
def test_a_count_far_below_zero_is_no_certainty(error: float) -> None:
    """An interval of no width would state a difference from every other share."""
    none, all_of_them = Split(Noisy(-60, 40.0), Noisy(90, 40.0)), Split(Noisy(150, 40.0), Noisy(-60, 40.0))
    assert share(none, error=error).high > 0.02
    assert share(all_of_them, error=error).low < 0.98


@pytest.mark.parametrize(("yes", "no"), [(-9, 4), (0, 0), (-3, -8), (2, -20)])
def test_counts_that_say_nothing_give_the_whole_range(yes: int, no: int) -> None:
    found = share(Split(Noisy(yes, 40.0), Noisy(no, 40.0)))
    assert (found.low, found.high) == (0, 1)
    assert 0 <= found.value <= 1


def test_the_growth_that_is_needed_shows_the_difference_once_it_is_there() -> None:
    one, other = Split(Noisy(60, 40.0), Noisy(240, 40.0)), Split(Noisy(30, 40.0), Noisy(120, 40.0))
    growth = growth_needed(one, other, least=0.1, looks=16)
    assert 1 < growth < 10
    grown = [Split(_grow(each.yes, growth), _grow(each.no, growth)) for each in (one, other)]
    assert growth_needed(*grown, least=0.1, looks=16) == pytest.approx(1, abs=0.1)


def _holds(found: Interval, true: float) -> bool:
    return found.low <= true <= found.high


def _states(surprises: Sequence[float]) -> bool:
    return stated(surprises) > 0


def _grow(number: Noisy, times: float) -> Noisy:
    return Noisy(number.value * times, number.variance * times)
