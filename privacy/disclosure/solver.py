"""The smallest and largest value of what is hidden, over everything published: by integer programming.

Every solution found is checked in whole numbers and proves that the values in it are possible. So one
solution serves all targets at once, and a target is asked about alone only where that left something open.
"""

import math
import random
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from privacy.disclosure.puzzle import (
    Bounds,
    Inconsistent,
    Puzzle,
    Target,
    components,
    join,
    reach,
    root,
)
from privacy.disclosure.whole_numbers import Matrix, Solution, least

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SECONDS_PER_QUESTION = 20.0
_TRIES = 16
_AS_GOOD = 1e-6  # objectives of single questions are whole numbers


class Range(NamedTuple):
    """Values of a target that were seen in solutions, and how far they can reach at all."""

    least: float
    most: float
    floor: float
    ceiling: float

    @property
    def exact(self) -> bool:
        """Whether nothing beyond the seen values is possible."""
        return self.least == self.floor and self.most == self.ceiling

    @property
    def possibilities(self) -> float:
        """How many values were proven possible, as the distance of the outermost ones."""
        return self.most - self.least + 1


UNSEEN = Range(math.inf, -math.inf, -math.inf, math.inf)


class Part(NamedTuple):
    """A component of the puzzle with its numbers renumbered, and the targets in it."""

    numbers: list[int]
    matrix: Matrix
    upper: "NDArray[np.float64]"
    least: "NDArray[np.float64]"
    most: "NDArray[np.float64]"
    targets: list[int]
    wanted: Matrix
    cap: float


def ranges_of(
    puzzle: Puzzle,
    bounds: Bounds,
    targets: Sequence[Target],
    *,
    enough: int | None,
    seen: Sequence[Range] = (),
    advance: Callable[[int], None] | None = None,
) -> list[Range]:
    """The range of each target under narrowed `bounds`; with `enough`, until so many values are proven.

    `seen` are ranges under narrower bounds, whose values stay possible. Inconsistent when there is no
    solution.
    """
    known = seen or [UNSEEN] * len(targets)
    ranges = [_begun(target, bounds, old) for target, old in zip(targets, known, strict=True)]
    open_ones = [place for place, found in enumerate(ranges) if not settled(found, enough)]
    if advance:
        advance(len(targets) - len(open_ones))
    for part in _parts(puzzle, bounds, targets, open_ones):
        _explore(part, ranges, enough, advance)
    return ranges


def without_structural_zeros(puzzle: Puzzle) -> list[Target]:
    """The targets that can be other than 0 at all, whatever is published: the rest is nobody's secret.

    The rows and "0 or more" alone describe a cone, so one solution shows every target above 0 that can be.
    ValueError when a cell is always 0: its table should say so (`impossible`) and not publish it.
    """
    import numpy as np

    if not puzzle.rows:
        return puzzle.targets
    count = len(puzzle.targets)
    place = {number: number for number in range(puzzle.size + count)}
    reached = [((puzzle.size + n, -1), *target.terms) for n, target in enumerate(puzzle.targets)]
    matrix = _matrix([row.terms for row in puzzle.rows] + reached, place)
    upper = [0.0 if row.exact else np.inf for row in puzzle.rows] + [np.inf] * count
    numbers, ends = np.zeros(puzzle.size), np.ones(count)
    result = least(
        np.concatenate([numbers, -ends]),
        numbers=(np.zeros(len(place)), np.concatenate([numbers + np.inf, ends])),
        matrix=matrix,
        sums=(np.zeros(len(upper)), np.array(upper)),
        whole=False,
    )
    if result.numbers is None:
        raise Inconsistent("the published figures contradict each other: no counts would give them")
    reachable = result.numbers[puzzle.size :]
    never = {t for t, end in zip(puzzle.targets, reachable, strict=True) if end < 0.5}
    for target in puzzle.targets:
        if target in never and not target.is_rest:
            raise ValueError(f"table {target.cell.table}: {'/'.join(target.cell.keys)} can only be 0")
    return [target for target in puzzle.targets if target not in never]


def settled(found: Range, enough: int | None) -> bool:
    """Whether there is nothing to ask about a target any more."""
    return found.exact or (enough is not None and found.possibilities >= enough)


def _begun(target: Target, bounds: Bounds, old: Range) -> Range:
    floor, ceiling = reach(target.terms, bounds)
    return Range(old.least, old.most, floor, ceiling)


def _parts(
    puzzle: Puzzle, bounds: Bounds, targets: Sequence[Target], open_ones: Sequence[int]
) -> Iterable[Part]:
    """Components, joined where a target spans several, that hold a target."""
    found = components(puzzle, bounds)
    home = {number: place for place, (numbers, _) in enumerate(found) for number in numbers}
    together: dict[int, set[int]] = {}
    inside: dict[int, list[int]] = {}
    groups = list(range(len(found)))
    for target in (targets[place] for place in open_ones):
        homes = [home[number] for number, _ in target.terms]
        for other in homes[1:]:
            join(groups, homes[0], other)
    for place in open_ones:
        first = root(groups, home[targets[place].terms[0][0]])
        inside.setdefault(first, []).append(place)
    for place in range(len(found)):
        together.setdefault(root(groups, place), set()).add(place)
    for first in inside:
        places = together[first]
        numbers = sorted(number for place in places for number in found[place][0])
        rows = [row for place in places for row in found[place][1]]
        yield _part(puzzle, bounds, numbers, rows, inside[first], targets)


def _part(
    puzzle: Puzzle,
    bounds: Bounds,
    numbers: list[int],
    rows: list[int],
    inside: list[int],
    targets: Sequence[Target],
) -> Part:
    import numpy as np

    place = {number: column for column, number in enumerate(numbers)}
    fixed = {n for row in rows for n, _ in puzzle.rows[row].terms if n not in place}
    fixed |= {n for target in inside for n, _ in targets[target].terms if n not in place}
    numbers = [*numbers, *sorted(fixed)]
    place = {number: column for column, number in enumerate(numbers)}
    finite = [bounds.most[n] for n in numbers if math.isfinite(bounds.most[n])]
    cap = 2 * (sum(finite) + sum(bounds.least[n] for n in numbers)) + 1000
    return Part(
        numbers,
        _matrix([puzzle.rows[row].terms for row in rows], place),
        np.array([0.0 if puzzle.rows[row].exact else np.inf for row in rows]),
        np.array([bounds.least[n] for n in numbers], dtype=float),
        np.array([min(bounds.most[n], cap) for n in numbers], dtype=float),
        inside,
        _matrix([targets[target].terms for target in inside], place),
        cap,
    )


def _matrix(rows: Sequence[Sequence[tuple[int, int]]], place: dict[int, int]) -> Matrix:
    entries = [(line, place[number], factor) for line, row in enumerate(rows) for number, factor in row]
    return Matrix(entries, (len(rows), len(place)))


def _explore(
    part: Part, ranges: list[Range], enough: int | None, advance: Callable[[int], None] | None
) -> None:
    if part.matrix.shape[0]:
        _ask_together(part, ranges, enough)
    else:
        _free_ends(part, ranges)
    for line, target in enumerate(part.targets):
        for sign in (1, -1):
            if not settled(ranges[target], enough):
                _ask(part, ranges, line, sign)
        if advance:
            advance(1)


def _free_ends(part: Part, ranges: list[Range]) -> None:
    """Without rows every value within the bounds is possible."""
    for target in part.targets:
        found = ranges[target]
        ranges[target] = found._replace(least=found.floor, most=found.ceiling)


def _ask_together(part: Part, ranges: list[Range], enough: int | None) -> None:
    """Solutions that push many targets at once, as long as they teach something."""
    import numpy as np

    chance = random.Random(len(part.numbers))  # noqa: S311 - a direction to look in, nothing secret
    for attempt in range(_TRIES):
        weights = np.array(
            [0.0 if settled(ranges[t], enough) else 1 + chance.random() / 2 for t in part.targets]
        )
        if not weights.any():
            return
        if attempt >= 2:
            weights *= np.array([chance.choice((-1, 1)) for _ in part.targets])
        solution = _solve(part, part.wanted.weighted(weights if attempt % 2 else -weights))
        if solution is not None:
            _learn(part, ranges, solution)


def _ask(part: Part, ranges: list[Range], line: int, sign: int) -> None:
    """The end of one target, the least for sign 1, the most for -1."""
    objective = sign * part.wanted.line(line)
    solution = _solve(part, objective)
    if solution is None:
        return
    _learn(part, ranges, solution)
    target = part.targets[line]
    found = ranges[target]
    value = float((part.wanted @ solution)[line])
    if sign > 0:
        ranges[target] = found._replace(floor=value)
    elif value < part.cap / 2:
        ranges[target] = found._replace(ceiling=value)
    else:
        ranges[target] = found._replace(most=math.inf, ceiling=math.inf)


def _learn(part: Part, ranges: list[Range], solution: "NDArray[np.float64]") -> None:
    values = part.wanted @ solution
    for target, value in zip(part.targets, values.tolist(), strict=True):
        found = ranges[target]
        if value < found.least or value > found.most:
            ranges[target] = found._replace(least=min(found.least, value), most=max(found.most, value))


def _solve(part: Part, objective: "NDArray[np.float64]") -> "NDArray[np.float64] | None":
    """A best solution, checked; None when the solver ran out of time, Inconsistent when there is none.

    Fractions are allowed first: nothing in whole numbers is better than the best of those, and where that is
    whole already, as it mostly is, it was found twenty times as quickly.
    """
    relaxed = _solved(part, objective, whole=False)
    solution = _checked(part, relaxed)
    if solution is not None and objective @ solution <= relaxed.objective + _AS_GOOD:
        return solution
    return _checked(part, _solved(part, objective, whole=True))


def _solved(part: Part, objective: "NDArray[np.float64]", *, whole: bool) -> Solution:
    """What the solver answers; Inconsistent when nothing fits, with fractions or without."""
    import numpy as np

    result = least(
        objective,
        numbers=(part.least, part.most),
        matrix=part.matrix,
        sums=(np.zeros(len(part.upper)), part.upper),
        whole=whole,
        mip_rel_gap=0.0,
        time_limit=SECONDS_PER_QUESTION,
    )
    if result.impossible:
        raise Inconsistent("the published figures contradict each other: no counts would give them")
    return result


def _checked(part: Part, result: Solution) -> "NDArray[np.float64] | None":
    """Its solution in whole numbers, when it was solved and they fit."""
    import numpy as np

    if not result.best or result.numbers is None:
        return None
    solution: NDArray[np.float64] = np.rint(result.numbers)
    sums = part.matrix @ solution
    fits = ((solution >= part.least) & (solution <= part.most)).all() and (
        (sums >= 0) & (sums <= part.upper)
    ).all()
    return solution if fits else None
