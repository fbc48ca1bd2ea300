"""The published figures as a puzzle: whole numbers within bounds, tied by sums, narrowed without a solver.

What narrowing proves holds for every solution, so it can prove that something is told. That something is not
told takes a solution that shows another value (`privacy.disclosure.solver`).
"""

import math
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from privacy.disclosure.relations import relations
from privacy.disclosure.tables import Cell, Relation, Schema

HIDDEN_BELOW = 10
ROUNDED_TO = 5
_ROUNDS = 40


class Row(NamedTuple):
    """Sum of coefficient x number: equal to 0 when exact, else at least 0."""

    terms: tuple[tuple[int, int], ...]
    exact: bool


@dataclass(frozen=True, slots=True)
class Target:
    """What may not be told: a hidden cell, or what is left of a total when published parts are taken off."""

    cell: Cell
    terms: tuple[tuple[int, int], ...]
    is_rest: bool


class Inconsistent(ValueError):
    """Published figures contradict each other: no counts at all would give them."""


@dataclass
class Puzzle:
    """Numbers, and what ties them; the bounds come with each question."""

    index: dict[Cell, int]
    rows: list[Row]
    targets: list[Target]
    size: int
    rows_of: list[list[int]] = field(default_factory=list)


class Bounds(NamedTuple):
    """The least and the most of each number; the most may be infinite."""

    least: list[float]
    most: list[float]


def puzzle_of(schemas: Sequence[Schema], cells: Iterable[Cell]) -> Puzzle:
    """The puzzle of these cells; ValueError as `relations` raises it."""
    known = sorted({cell for cell in cells if not _is_derived(schemas, cell)})
    found = relations(schemas, known)
    index, size = _numbers(known, found)
    puzzle = Puzzle(index, _rows(index, found), [], size)
    puzzle.targets = [*_cells_as_targets(index, known), *_rests(index, found)]
    puzzle.rows_of = _rows_by_number(puzzle)
    return puzzle


def shown_as(count: int) -> int | None:
    """What is published of a count: None below ten, else the nearest multiple of five."""
    if count < HIDDEN_BELOW:
        return None
    return (count + ROUNDED_TO // 2) // ROUNDED_TO * ROUNDED_TO


def meaning_of(value: int | None) -> tuple[int, float]:
    """The least and the most that an outsider reads in a published value; ValueError when none is."""
    if value is None:
        return 0, math.inf
    if value < HIDDEN_BELOW or value % ROUNDED_TO:
        raise ValueError(f"{value} is not a published value: it is below ten or no multiple of five")
    return max(HIDDEN_BELOW, value - ROUNDED_TO // 2), value + ROUNDED_TO // 2


def bounds_of(puzzle: Puzzle, ranges: Mapping[Cell, tuple[float, float]]) -> Bounds:
    """The bounds that cells set on their numbers, not yet narrowed. Cells that are not named: 0 or more."""
    bounds = Bounds([0] * puzzle.size, [math.inf] * puzzle.size)
    for cell, (least, most) in ranges.items():
        number = puzzle.index[cell]
        bounds.least[number] = max(bounds.least[number], least)
        bounds.most[number] = min(bounds.most[number], most)
    return bounds


def narrowed(puzzle: Puzzle, bounds: Bounds) -> Bounds:
    """The bounds that follow from the rows, one row at a time; Inconsistent when none are left."""
    new = Bounds(list(bounds.least), list(bounds.most))
    waiting = deque(range(len(puzzle.rows)))
    queued = set(waiting)
    left = _ROUNDS * len(puzzle.rows)
    _check_bounds(new, range(puzzle.size))
    while waiting and left:
        left -= 1
        number = waiting.popleft()
        queued.discard(number)
        changed = _narrow_row(puzzle.rows[number], new)
        _check_bounds(new, changed)
        for row in (row for variable in changed for row in puzzle.rows_of[variable]):
            if row not in queued:
                queued.add(row)
                waiting.append(row)
    return new


def reach(terms: Iterable[tuple[int, int]], bounds: Bounds) -> tuple[float, float]:
    """The least and the most of a sum, from bounds alone."""
    least: float = 0
    most: float = 0
    for number, factor in terms:
        low, high = bounds.least[number], bounds.most[number]
        least += factor * (low if factor > 0 else high)
        most += factor * (high if factor > 0 else low)
    return least, most


def components(puzzle: Puzzle, bounds: Bounds) -> list[tuple[list[int], list[int]]]:
    """Numbers and rows that hang together, given narrowed bounds: what is settled joins nothing."""
    rows = [number for number, row in enumerate(puzzle.rows) if ties(row, bounds)]
    group = list(range(puzzle.size))
    for number in rows:
        free = [variable for variable, _ in puzzle.rows[number].terms if is_free(variable, bounds)]
        for variable in free[1:]:
            join(group, free[0], variable)
    members: dict[int, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for variable in range(puzzle.size):
        members[root(group, variable)][0].append(variable)
    for number in rows:
        first = next((v for v, _ in puzzle.rows[number].terms if is_free(v, bounds)), None)
        if first is not None:
            members[root(group, first)][1].append(number)
    return list(members.values())


def _is_derived(schemas: Sequence[Schema], cell: Cell) -> bool:
    return any(
        schema.name == cell.table
        and any(measure.name == cell.measure and measure.derived for measure in schema.measures)
        for schema in schemas
    )


def _numbers(known: Sequence[Cell], found: Sequence[Relation]) -> tuple[dict[Cell, int], int]:
    """A number for each cell; cells that are equal by a relation share one."""
    cells = sorted({*known, *(cell for relation in found for cell in (relation.total, *relation.parts))})
    place = {cell: number for number, cell in enumerate(cells)}
    group = list(range(len(cells)))
    for relation in found:
        if relation.exact and len(relation.parts) == 1:
            join(group, place[relation.total], place[relation.parts[0]])
    roots = {root: number for number, root in enumerate(sorted({root(group, n) for n in range(len(cells))}))}
    return {cell: roots[root(group, number)] for cell, number in place.items()}, len(roots)


def _rows(index: Mapping[Cell, int], found: Iterable[Relation]) -> list[Row]:
    rows = {Row(_terms(index, relation), relation.exact) for relation in found}
    return sorted(row for row in rows if row.terms)


def _terms(index: Mapping[Cell, int], relation: Relation) -> tuple[tuple[int, int], ...]:
    factors: dict[int, int] = defaultdict(int)
    factors[index[relation.total]] += 1
    for part in relation.parts:
        factors[index[part]] -= 1
    return tuple(sorted((number, factor) for number, factor in factors.items() if factor))


def _cells_as_targets(index: Mapping[Cell, int], known: Iterable[Cell]) -> list[Target]:
    return [Target(cell, ((index[cell], 1),), is_rest=False) for cell in known]


def _rests(index: Mapping[Cell, int], found: Iterable[Relation]) -> list[Target]:
    targets: dict[tuple[tuple[int, int], ...], Target] = {}
    for relation in found:
        terms = _terms(index, relation)
        if not relation.exact and relation.total.table and terms:
            targets.setdefault(terms, Target(_rest_cell(relation), terms, is_rest=True))
    return list(targets.values())


def _rest_cell(relation: Relation) -> Cell:
    total, first = relation.total, relation.parts[0]
    differences = [
        *(
            part
            for part, whole in ((first.measure, total.measure), (first.period, total.period))
            if part != whole
        ),
        *(key for key in first.keys if key not in total.keys),
    ]
    more = f" and {len(relation.parts) - 1} more" if len(relation.parts) > 1 else ""
    return Cell(
        total.table, total.period, total.keys, f"{total.measure} without {' '.join(differences)}{more}"
    )


def _rows_by_number(puzzle: Puzzle) -> list[list[int]]:
    rows_of: list[list[int]] = [[] for _ in range(puzzle.size)]
    for place, row in enumerate(puzzle.rows):
        for number, _ in row.terms:
            rows_of[number].append(place)
    return rows_of


def _narrow_row(row: Row, bounds: Bounds) -> list[int]:
    """Narrow the bounds of a row's numbers in place; which ones changed."""
    changed = []
    least, most = reach(row.terms, bounds)
    for number, factor in row.terms:
        low, high = bounds.least[number], bounds.most[number]
        own_low, own_high = (low, high) if factor > 0 else (-high, -low)
        # The other terms reach from rest_low to rest_high; infinite ones are summed anew.
        rest_low = least - own_low if math.isfinite(least) else _rest(row, number, bounds)[0]
        rest_high = most - own_high if math.isfinite(most) else _rest(row, number, bounds)[1]
        new_low = max(own_low, -rest_high)
        new_high = min(own_high, -rest_low) if row.exact else own_high
        if factor < 0:
            new_low, new_high = -new_high, -new_low
        size = abs(factor)
        new_low = new_low if size == 1 or math.isinf(new_low) else math.ceil(new_low / size)
        new_high = new_high if size == 1 or math.isinf(new_high) else math.floor(new_high / size)
        if new_low > low or new_high < high:
            bounds.least[number], bounds.most[number] = max(low, new_low), min(high, new_high)
            changed.append(number)
            least, most = reach(row.terms, bounds)
    return changed


def _rest(row: Row, left_out: int, bounds: Bounds) -> tuple[float, float]:
    return reach((term for term in row.terms if term[0] != left_out), bounds)


def _check_bounds(bounds: Bounds, numbers: Iterable[int]) -> None:
    if any(bounds.least[number] > bounds.most[number] for number in numbers):
        raise Inconsistent("the published figures contradict each other: no counts would give them")


def ties(row: Row, bounds: Bounds) -> bool:
    """Whether the row still says something: a lower bound that always holds does not."""
    if all(not is_free(number, bounds) for number, _ in row.terms):
        return False
    return row.exact or reach(row.terms, bounds)[0] < 0


def is_free(number: int, bounds: Bounds) -> bool:
    return bounds.least[number] != bounds.most[number]


def root(group: list[int], number: int) -> int:
    while group[number] != number:
        group[number] = group[group[number]]
        number = group[number]
    return number


def join(group: list[int], one: int, other: int) -> None:
    group[root(group, one)] = root(group, other)
