"""State the differences that chance and noise do not explain, among all that could be stated."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from signals.statistics.estimates import Line
from signals.statistics.intervals import (
    NOTHING,
    Interval,
    Split,
    difference,
    growth_needed,
    share,
    stated,
    surprise,
)
from signals.statistics.menu import Codes
from signals.vocabulary import AttemptKind

_TARGETS = (0.1, 0.05, 0.02, 0.01)


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """Two shares that differ, with the interval of their difference after correction."""

    codes: Codes
    one: Interval
    other: Interval
    difference: Interval


@dataclass(frozen=True, kw_only=True)
class Need:
    """The signals that are still needed to see a difference of `least` between a visit and these codes."""

    codes: Codes
    least: float
    signals: float


def attempts_apart(lines: Sequence[Line]) -> list[Contrast]:
    """Return the kinds that differ from a visit at the same attempt, the most certain first.

    `lines` of the table `attempts`. All four attempts count as looks.
    """
    return _apart(_beside_visits(lines))


def attempts_need(lines: Sequence[Line]) -> Need | None:
    """Return the comparison with a visit that needs the fewest further signals; None without signals."""
    pairs = _beside_visits(lines)
    size = sum(line.signals.value for line in lines if line.codes[0] == "1")
    for least in _TARGETS if size else ():
        growths = {
            codes: growth_needed(one, other, least=least, looks=len(pairs))
            for codes, (one, other) in pairs.items()
        }
        codes = min(growths, key=lambda each: growths[each])
        if growths[codes] > 1:
            return Need(codes=codes, least=least, signals=size * (growths[codes] - 1))
    return None


def regions_apart(lines: Sequence[Line]) -> Mapping[Codes, Interval]:
    """Return the regions that differ from the rest of the country, with the difference.

    `lines` of the table `regions`, without the unknown region: that is no look.
    """
    splits = {line.codes: line.split for line in lines if line.split}
    pairs = {codes: (split, _all_but(codes, splits)) for codes, split in splits.items()}
    return {found.codes: found.difference for found in _apart(pairs)}


def _beside_visits(lines: Iterable[Line]) -> dict[Codes, tuple[Split, Split]]:
    splits = {line.codes: line.split for line in lines if line.split}
    return {
        (attempt, kind): (splits[attempt, AttemptKind.VISIT], split)
        for (attempt, kind), split in splits.items()
        if kind != AttemptKind.VISIT
    }


def _apart(pairs: Mapping[Codes, tuple[Split, Split]]) -> list[Contrast]:
    surprises = {codes: surprise(one, other) for codes, (one, other) in pairs.items()}
    error = stated(list(surprises.values()))
    return [
        Contrast(
            codes=codes,
            one=share(pairs[codes][0]),
            other=share(pairs[codes][1]),
            difference=difference(*pairs[codes], error=error),
        )
        for codes in sorted(surprises, key=lambda each: surprises[each])
        if surprises[codes] <= error
    ]


def _all_but(codes: Codes, splits: Mapping[Codes, Split]) -> Split:
    return sum((split for other, split in splits.items() if other != codes), Split(NOTHING, NOTHING))
