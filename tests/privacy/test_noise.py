"""The noise: exact in distribution, in whole numbers, and drawn from the system."""

import inspect
import random
import secrets
from collections import defaultdict
from collections.abc import Callable, Sequence
from fractions import Fraction
from math import exp

import pytest

from privacy import noise
from privacy.noise import Below, _happens, discrete_laplace, noisy, variance
from signals.statistics.menu import menu

SCALES = sorted({table.scale for table in menu()})


class _Undecided(Exception):
    """The path of choices ends here: the next one is among these, each with its chance."""

    def __init__(self, chances: Sequence[float]) -> None:
        self.chances = chances


class _Rejected(Exception):
    """The sampler begins anew: its result then has the same distribution again."""


class _Path:
    """Answers each choice of a run from a list, and asks for the next one at its end."""

    def __init__(self, choices: tuple[int, ...]) -> None:
        self._choices = iter(choices)
        self._begun = False

    def choose(self, *chances: float) -> int:
        for choice in self._choices:
            return choice
        raise _Undecided(chances)

    def below(self, bound: int) -> int:
        if bound > 2 and self._begun:
            raise _Rejected
        self._begun = self._begun or bound > 2
        return self.choose(*[1 / bound] * bound)

    def happens(self, numerator: int, denominator: int, _below: Below) -> bool:
        chance = exp(-numerator / denominator)
        return self.choose(chance, 1 - chance) == 0


def _distribution(run: Callable[[_Path], int]) -> dict[int, float]:
    """Return the chance of every result over all paths of a run; drop paths that hardly ever happen."""
    found: defaultdict[int, float] = defaultdict(float)
    waiting: list[tuple[tuple[int, ...], float]] = [((), 1.0)]
    while waiting:
        choices, chance = waiting.pop()
        try:
            found[run(_Path(choices))] += chance
        except _Undecided as next_one:
            branches = enumerate(next_one.chances)
            waiting += [((*choices, n), chance * each) for n, each in branches if chance * each > 1e-13]
        except _Rejected:
            pass
    return found


@pytest.mark.parametrize(("numerator", "denominator"), [(0, 5), (1, 5), (3, 5), (39, 40), (1, 1)])
def test_a_coin_falls_with_the_chance_that_the_formula_says(numerator: int, denominator: int) -> None:
    """Over all paths: nothing is drawn, so nothing depends on luck."""

    def toss(path: _Path) -> int:
        def below(bound: int) -> int:  # all numbers below the numerator lead on, and all others end it
            chance = numerator / bound
            return 0 if numerator and path.choose(chance, 1 - chance) == 0 else numerator

        return _happens(numerator, denominator, below)

    assert _distribution(toss)[True] == pytest.approx(exp(-numerator / denominator), abs=1e-9)


@pytest.mark.parametrize("scale", SCALES, ids=str)
def test_each_number_is_as_likely_as_the_formula_says(
    scale: Fraction, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over all paths, with a coin that falls as above."""

    def draw(path: _Path) -> int:
        monkeypatch.setattr(noise, "_happens", path.happens)
        return discrete_laplace(scale, below=path.below)

    found = _distribution(draw)
    accepted, ratio = sum(found.values()), exp(-1 / scale)
    for number in range(-20, 21):
        expected = (1 - ratio) / (1 + ratio) * ratio ** abs(number)
        assert found[number] / accepted == pytest.approx(expected, rel=1e-8), number


@pytest.mark.parametrize("scale", SCALES, ids=str)
def test_the_variance_is_that_of_the_draws(scale: Fraction) -> None:
    below = random.Random(20).randrange
    squares = [discrete_laplace(scale, below=below) ** 2 for _ in range(40_000)]
    assert sum(squares) / len(squares) == pytest.approx(variance(scale), rel=0.06)


def test_the_noise_comes_from_the_system() -> None:
    for drawing in (noisy, discrete_laplace):
        assert inspect.signature(drawing).parameters["below"].default is secrets.randbelow


@pytest.mark.parametrize("scale", [Fraction(0), Fraction(-1, 2)])
def test_a_scale_of_zero_or_less_is_refused(scale: Fraction) -> None:
    with pytest.raises(ValueError, match="above 0"):
        discrete_laplace(scale)
