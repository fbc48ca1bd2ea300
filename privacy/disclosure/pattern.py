"""Which shown cells to hide beside a hidden one, so that it keeps enough values: the cheapest ones."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from privacy.disclosure.puzzle import Bounds, Puzzle, Target, is_free, narrowed, reach, ties
from privacy.disclosure.whole_numbers import Matrix, least

SECONDS_PER_PATTERN = 5.0
_FURTHER = 60


class Choice(NamedTuple):
    """A shown number that may be hidden: what is known of it then, and what hiding it costs."""

    least: float
    most: float
    cost: float


def cheapest(
    puzzle: Puzzle,
    bounds: Bounds,
    choices: Mapping[int, Choice],
    targets: Sequence[Target],
    *,
    needed: int,
    hops: int | None = None,
    seconds: float = SECONDS_PER_PATTERN,
) -> frozenset[int] | None:
    """The numbers to hide so that each target has `needed` values; None when hiding all is not enough.

    `bounds` are those of the cells, not narrowed. For each target there must be two solutions that far apart;
    what is hidden is hidden for all of them. A target that is a choice itself needs them only when it is
    hidden. When the time is over the answer is a good one instead of the cheapest, or None. With `hops` only
    so many sums away from a target are looked at: quicker, and perhaps not enough.
    """
    widest = narrowed(puzzle, _widened(bounds, choices))
    if any(_is_out_of_reach(target, widest, choices, needed) for target in targets):
        return None
    copies = [_surroundings(puzzle, widest, target, hops) for target in targets]
    return _solved(_programme(puzzle, bounds, widest, choices, targets, copies, needed), seconds)


def _widened(bounds: Bounds, choices: Mapping[int, Choice]) -> Bounds:
    wide = Bounds(list(bounds.least), list(bounds.most))
    for number, choice in choices.items():
        wide.least[number] = min(wide.least[number], choice.least)
        wide.most[number] = max(wide.most[number], choice.most)
    return wide


def _is_out_of_reach(target: Target, widest: Bounds, choices: Mapping[int, Choice], needed: int) -> bool:
    least, most = reach(target.terms, widest)
    return most - least + 1 < needed and _own_choice(target, choices) is None


def _own_choice(target: Target, choices: Mapping[int, Choice]) -> int | None:
    number = target.terms[0][0]
    return number if len(target.terms) == 1 and number in choices else None


class _Programme(NamedTuple):
    """Rows over one copy of the numbers for each goal, then one switch for each choice."""

    entries: list[tuple[int, int, float]]
    low: list[float]
    high: list[float]
    least: list[float]
    most: list[float]
    switches: list[int]
    costs: list[float]


def _programme(
    puzzle: Puzzle,
    bounds: Bounds,
    widest: Bounds,
    choices: Mapping[int, Choice],
    targets: Sequence[Target],
    copies: Sequence[tuple[list[int], list[int]]],
    needed: int,
) -> _Programme:
    made = _Programme([], [], [], [], [], [], [])
    made.switches.extend(sorted({n for numbers, _ in copies for n in numbers if n in choices}))
    made.costs.extend(choices[number].cost for number in made.switches)
    first = 2 * sum(len(numbers) for numbers, _ in copies)
    switch = {number: first + place for place, number in enumerate(made.switches)}
    for target, (numbers, rows) in zip(targets, copies, strict=True):
        high, low = (_add_copy(made, puzzle, bounds, widest, numbers, rows, switch) for _ in range(2))
        apart = [(high[n], float(f)) for n, f in target.terms] + [
            (low[n], -float(f)) for n, f in target.terms
        ]
        own = _own_choice(target, choices)
        if own is None:
            _add_row(made, apart, needed - 1, math.inf)
        else:
            _add_row(made, [*apart, (switch[own], 1 - needed)], 0, math.inf)
    made.least.extend(0 for _ in made.switches)
    made.most.extend(1 for _ in made.switches)
    return made


def _surroundings(
    puzzle: Puzzle, widest: Bounds, target: Target, hops: int | None
) -> tuple[list[int], list[int]]:
    """The numbers and rows that a target hangs together with, so many hops away; settled ones join none."""
    numbers = newest = {number for number, _ in target.terms}
    rows: set[int] = set()
    while newest and hops != 0:
        hops = None if hops is None else hops - 1
        new_rows = {row for n in newest for row in puzzle.rows_of[n] if ties(puzzle.rows[row], widest)} - rows
        found = {number for row in new_rows for number, _ in puzzle.rows[row].terms} - numbers
        newest = {number for number in found if is_free(number, widest)}
        rows, numbers = rows | new_rows, numbers | found
    return sorted(numbers), sorted(rows)


def _add_copy(
    made: _Programme,
    puzzle: Puzzle,
    bounds: Bounds,
    widest: Bounds,
    numbers: Sequence[int],
    rows: Sequence[int],
    switch: Mapping[int, int],
) -> dict[int, int]:
    """Another solution's numbers and rows; the column of each number."""
    column = {number: len(made.least) + offset for offset, number in enumerate(numbers)}
    for number in numbers:
        made.least.append(widest.least[number])
        made.most.append(widest.most[number])
        if number in switch:
            _let_switch_widen(made, column[number], switch[number], bounds.least[number], bounds.most[number])
    for row in rows:
        terms = [(column[number], float(factor)) for number, factor in puzzle.rows[row].terms]
        _add_row(made, terms, 0, 0 if puzzle.rows[row].exact else math.inf)
    return column


def _let_switch_widen(made: _Programme, column: int, switch: int, least: float, most: float) -> None:
    made.most[column] = min(made.most[column], most + _FURTHER)
    _add_row(made, [(column, 1), (switch, least - made.least[column])], least, math.inf)
    _add_row(made, [(column, 1), (switch, most - made.most[column])], -math.inf, most)


def _add_row(made: _Programme, terms: Sequence[tuple[int, float]], low: float, high: float) -> None:
    line = len(made.low)
    made.entries.extend((line, column, factor) for column, factor in terms)
    made.low.append(low)
    made.high.append(high)


def _solved(made: _Programme, seconds: float) -> frozenset[int] | None:
    import numpy as np

    size = len(made.least)
    objective = np.zeros(size)
    objective[size - len(made.switches) :] = made.costs
    found = least(
        objective,
        numbers=(np.array(made.least, dtype=float), np.array(made.most, dtype=float)),
        matrix=Matrix(made.entries, (len(made.low), size)),
        sums=(np.array(made.low, dtype=float), np.array(made.high, dtype=float)),
        time_limit=seconds,
    )
    if found.numbers is None:
        return None
    chosen = found.numbers[size - len(made.switches) :]
    return frozenset(number for number, on in zip(made.switches, chosen, strict=True) if on > 0.5)
