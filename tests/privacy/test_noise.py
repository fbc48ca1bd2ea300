"""The noise: exact in distribution, in whole numbers, and drawn from the system."""

import inspect
import random
import secrets
from collections import Counter
from fractions import Fraction
from math import exp, sqrt

import pytest

from privacy import noise
from privacy.noise import discrete_laplace, noisy, variance
from signals.statistics.menu import menu

DRAWS = 40_000
SCALES = sorted({table.scale for table in menu()})


def _seeded() -> noise.Below:
    return random.Random(20).randrange


@pytest.mark.parametrize("scale", SCALES, ids=str)
def test_each_number_is_drawn_as_often_as_the_formula_says(scale: Fraction) -> None:
    below = _seeded()
    drawn = Counter(discrete_laplace(scale, below=below) for _ in range(DRAWS))
    ratio = exp(-1 / scale)
    for number in range(-8, 9):
        chance = (1 - ratio) / (1 + ratio) * ratio ** abs(number)
        assert abs(drawn[number] / DRAWS - chance) < 4.5 * sqrt(chance / DRAWS), number


@pytest.mark.parametrize("scale", SCALES, ids=str)
def test_the_variance_is_that_of_the_draws(scale: Fraction) -> None:
    below = _seeded()
    squares = [discrete_laplace(scale, below=below) ** 2 for _ in range(DRAWS)]
    assert sum(squares) / DRAWS == pytest.approx(variance(scale), rel=0.06)


def test_the_noise_comes_from_the_system() -> None:
    for drawing in (noisy, discrete_laplace):
        assert inspect.signature(drawing).parameters["below"].default is secrets.randbelow


@pytest.mark.parametrize("scale", [Fraction(0), Fraction(-1, 2)])
def test_a_scale_of_zero_or_less_is_refused(scale: Fraction) -> None:
    with pytest.raises(ValueError, match="above 0"):
        discrete_laplace(scale)
