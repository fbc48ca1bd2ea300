"""Intervals for noise and chance together, and the differences that survive many looks.

A released number is a true count plus discrete Laplace noise of a known variance. An interval here covers
the probability (or the mean) behind that count. Start at `share`; `stated` corrects for many looks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, hypot, log, sqrt
from statistics import NormalDist
from typing import Final

ERROR: Final = 0.05
"""The error of every interval and of all stated differences together."""

WIDEST: Final = 0.25
"""A share with a wider interval says little."""

_MOST_SURPRISING: Final = 30.0
"""The natural logarithm of the smallest p-value, negated."""

_HALVINGS: Final = 20

_LEAST: Final = -0.75
"""The lowest count that an interval takes at its word, in bounds of its noise."""


@dataclass(frozen=True, slots=True)
class Noisy:
    """A released count: the number with its noise, and the variance of that noise."""

    value: float
    variance: float = 0.0

    def __add__(self, other: "Noisy") -> "Noisy":
        """Return the sum of two counts with independent noise."""
        return Noisy(self.value + other.value, self.variance + other.variance)


NOTHING: Final = Noisy(0.0)
"""The empty sum."""


@dataclass(frozen=True, slots=True)
class Split:
    """Signals in two cells with independent noise: those with what is asked, and those without."""

    yes: Noisy
    no: Noisy

    @property
    def total(self) -> Noisy:
        """Return all signals."""
        return self.yes + self.no

    def __add__(self, other: "Split") -> "Split":
        """Return two groups as one, such as two years."""
        return Split(self.yes + other.yes, self.no + other.no)


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with the bounds of its interval."""

    value: float
    low: float
    high: float

    @property
    def width(self) -> float:
        """Return the distance between the bounds."""
        return self.high - self.low


def share(split: Split, *, error: float = ERROR) -> Interval:
    """Return the share of `yes`, from 0 to 1.

    The interval holds every p for which `yes - p * total` is no surprise: Wilson's interval with the noise of
    both cells added (Fieller). Without information it is 0 to 1.
    """
    chance, noise = _squares(error)
    of_yes, of_no = noise * split.yes.variance, noise * split.no.variance
    # A count far below zero contradicts every p: without this bound the interval shrinks to nothing.
    yes, no = max(split.yes.value, _LEAST * sqrt(of_yes)), max(split.no.value, _LEAST * sqrt(of_no))
    total = max(yes + no, 0.0)
    value = min(max(yes / total, 0.0), 1.0) if total else 0.5
    square = total**2 + chance * total - of_yes - of_no
    if square <= 0:
        return Interval(value, 0.0, 1.0)
    middle = yes * total + chance * total / 2 - of_yes
    root = sqrt(max(middle**2 - square * (yes**2 - of_yes), 0.0))
    return Interval(value, max((middle - root) / square, 0.0), min((middle + root) / square, 1.0))


def count(number: Noisy, *, error: float = ERROR) -> Interval:
    """Return the mean behind a count: the interval of Poisson's scores with the noise added."""
    value = max(number.value, 0.0)
    chance, noise = _squares(error)
    half = sqrt(chance * (value + chance / 4) + noise * number.variance)
    return Interval(value, max(value + chance / 2 - half, 0.0), value + chance / 2 + half)


def difference(first: Split, second: Split, *, error: float = ERROR) -> Interval:
    """Return the first share less the second, by Newcombe's method on the intervals of `share`."""
    one, other = share(first, error=error), share(second, error=error)
    value = one.value - other.value
    low = value - hypot(one.value - one.low, other.high - other.value)
    return Interval(value, low, value + hypot(one.high - one.value, other.value - other.low))


def surprise(first: Split, second: Split) -> float:
    """Return the p-value of no difference: the error at which the interval of `difference` touches zero."""
    low, high = 0.0, _MOST_SURPRISING
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        found = difference(first, second, error=exp(-middle))
        if found.low > 0 or found.high < 0:
            low = middle
        else:
            high = middle
    return exp(-low)


def stated(surprises: Sequence[float], *, error: float = ERROR) -> float:
    """Return the error at which differences may be stated, 0 for none: Benjamini and Hochberg (1995).

    `surprises` holds the p-value of every difference that the reader could have been told. A difference with
    a p-value up to the result is stated, with its interval at that error (Benjamini and Yekutieli, 2005).
    """
    ranked = sorted(surprises)
    bounds = (error * rank / len(ranked) for rank in range(len(ranked), 0, -1))
    pairs = zip(reversed(ranked), bounds, strict=True)
    return next((bound for found, bound in pairs if found <= bound), 0.0)


def growth_needed(first: Split, second: Split, *, least: float, looks: int) -> float:
    """Return how many times as many signals show a difference of `least`, among so many looks.

    More years add chance and noise alike, so the width of an interval shrinks by the root of the growth.
    """
    found = difference(first, second, error=ERROR / looks)
    return (found.width / 2 / least) ** 2


def _squares(error: float) -> tuple[float, float]:
    """Return how often chance and noise count their variances at an error.

    Chance is about normal. Laplace noise has heavier tails, and its own quantile.
    """
    return NormalDist().inv_cdf(1 - error / 2) ** 2, log(error) ** 2 / 2
