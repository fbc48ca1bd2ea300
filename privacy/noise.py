"""Draw discrete Laplace noise exactly: in whole numbers only, from the system's random source.

Source: Canonne, Kamath and Steinke, "The Discrete Gaussian for Differential Privacy" (2020), section 5.
Floating point would round the noise, and its gaps give values away (Mironov 2012).
"""

from collections.abc import Callable, Hashable, Mapping
from fractions import Fraction
from math import exp
from secrets import randbelow
from typing import TypeVar

Below = Callable[[int], int]
"""Return a uniform whole number from 0 up to, and without, the bound."""

_Key = TypeVar("_Key", bound=Hashable)


def noisy(counts: Mapping[_Key, int], scale: Fraction, *, below: Below = randbelow) -> dict[_Key, int]:
    """Return each count with noise of its own.

    If one signal changes the counts by `d` in all, no two likelihoods differ by more than exp(d / scale).
    """
    return {key: count + discrete_laplace(scale, below=below) for key, count in counts.items()}


def discrete_laplace(scale: Fraction, *, below: Below = randbelow) -> int:
    """Return x with probability proportional to exp(-abs(x) / scale); raise `ValueError` for a scale <= 0."""
    if scale <= 0:
        raise ValueError("the scale of noise is above 0")
    whole, part = scale.numerator, scale.denominator
    while True:
        rest = below(whole)
        if not _happens(rest, whole, below):
            continue
        times = 0
        while _happens(1, 1, below):
            times += 1
        size = (rest + whole * times) // part
        is_negative = below(2)
        if size or not is_negative:  # otherwise 0 would count twice
            return -size if is_negative else size


def variance(scale: Fraction) -> float:
    """Return the variance of the noise, to compute with; no draw depends on it."""
    ratio = exp(-1 / scale)
    return 2 * ratio / (1 - ratio) ** 2


def _happens(numerator: int, denominator: int, below: Below) -> bool:
    """Return True with probability exp(-numerator / denominator), for a fraction from 0 to 1."""
    tries = 1
    while below(denominator * tries) < numerator:
        tries += 1
    return tries % 2 == 1
