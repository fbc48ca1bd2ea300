"""The auditor: for each hidden cell, the least and the most that fit everything ever published."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from privacy.disclosure.puzzle import HIDDEN_BELOW, bounds_of, meaning_of, narrowed, puzzle_of
from privacy.disclosure.solver import Range, ranges_of, without_structural_zeros
from privacy.disclosure.tables import Cell, Schema

NEEDED = 5


@dataclass(frozen=True, order=True, slots=True)
class Interval:
    """What an outsider can find out about a hidden cell, or about what is left of a total without its parts.

    `most` is None without an upper bound. When not `exact`, more values may be possible, never fewer.
    """

    cell: Cell
    least: int
    most: int | None
    exact: bool
    is_rest: bool = False

    @property
    def possibilities(self) -> float:
        """How many values are left; infinite without an upper bound."""
        return math.inf if self.most is None else self.most - self.least + 1

    @property
    def told(self) -> bool:
        """Whether fewer values are left than must be."""
        return self.possibilities < NEEDED


def audit(
    values: Mapping[Cell, int | None],
    schemas: Sequence[Schema],
    *,
    known: Mapping[Cell, tuple[float, float]] | None = None,
    enough: int | None = None,
    advance: Callable[[int], None] | None = None,
) -> tuple[Interval, ...]:
    """The interval of every hidden cell of `values` (None is hidden), and of every rest that may be small.

    Solved to the end, unless `enough` says after how many proven possibilities to stop. `known` are bounds
    that a stronger adversary has beside what is published. `advance` hears how many intervals were done since
    its last call. Inconsistent when no counts give these values, ValueError when schemas and cells do not
    belong together.
    """
    puzzle = puzzle_of(schemas, values)
    ranges = {cell: meaning_of(values[cell]) for cell in values if cell in puzzle.index}
    bounds = bounds_of(puzzle, ranges)
    for cell, (least, most) in (known or {}).items():
        number = puzzle.index[cell]
        bounds.least[number] = max(bounds.least[number], least)
        bounds.most[number] = min(bounds.most[number], most)
    bounds = narrowed(puzzle, bounds)
    targets = without_structural_zeros(puzzle)
    cells = [target for target in targets if not target.is_rest and values[target.cell] is None]
    rests = [target for target in targets if target.is_rest]
    found = ranges_of(puzzle, bounds, cells, enough=enough, advance=advance)
    left = ranges_of(puzzle, bounds, rests, enough=enough or NEEDED, advance=advance)
    return (
        *(_interval(target.cell, one) for target, one in zip(cells, found, strict=True)),
        *(
            _interval(target.cell, one, is_rest=True)
            for target, one in zip(rests, left, strict=True)
            if one.floor < HIDDEN_BELOW
        ),
    )


def told(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    """Those with fewer than five possibilities."""
    return tuple(interval for interval in intervals if interval.told)


def _interval(cell: Cell, found: Range, *, is_rest: bool = False) -> Interval:
    if (
        found.least > found.most
    ):  # the solver found nothing in its time: nothing is proven, so nothing is safe
        return Interval(cell, int(found.floor), int(found.floor), exact=False, is_rest=is_rest)
    most = None if math.isinf(found.most) else int(found.most)
    return Interval(cell, int(found.least), most, found.exact, is_rest)
