"""Primary and complementary suppression and rounding: from counts to what may be published."""

import math
import random
import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from privacy.disclosure.auditor import NEEDED
from privacy.disclosure.medians import without_differences
from privacy.disclosure.pattern import Choice, cheapest
from privacy.disclosure.protocol import protocol_of
from privacy.disclosure.puzzle import (
    HIDDEN_BELOW,
    Bounds,
    Inconsistent,
    Puzzle,
    Target,
    meaning_of,
    narrowed,
    puzzle_of,
    shown_as,
)
from privacy.disclosure.solver import UNSEEN, Range, ranges_of, without_structural_zeros
from privacy.disclosure.tables import Cell, Schema, read_period

SMALL = 52
"""Counts up to here may be hidden by chance; larger ones only where nothing smaller protects a cell."""
_DECOY_IN = 25
_BIG_COSTS = 20
_NEAR = 3


@dataclass(frozen=True, kw_only=True)
class Protected:
    """What may be published of the new cells: rounded, or None for hidden.

    The protocol, in each language that it is written in, is no secret.
    """

    values: Mapping[Cell, int | None]
    withheld: frozenset[str]
    protocol: Mapping[str, str] = field(repr=False)


def protect(
    counts: Mapping[Cell, int],
    schemas: Sequence[Schema],
    published: Mapping[Cell, int | None],
    *,
    chance: random.Random | None = None,
) -> Protected:
    """Decide what is published of the cells in `counts` that `published`, all there ever was, does not have.

    Counts below ten are hidden, zero too, others rounded to five. Beside them as many are hidden as it takes
    that everybody who knows this rule, every release and even which hidden cells are below ten leaves each at
    least five possible values. A few more are hidden by `chance` (the system's by default), so that hiding
    tells nothing. A table in which that cannot be had is withheld: all its new cells are hidden. `counts` may
    repeat cells of `published`: then it is known which of the hidden ones are below ten. A derived cell keeps
    its value where its base is shown and no two of them can be subtracted.

    Inconsistent when counts are no sums of each other, or contradict what was published (never with a count
    in the message); ValueError when schemas and cells do not belong together.
    """
    near = _near(counts, published)
    known = {cell: count for cell, count in counts.items() if cell in near or cell not in published}
    puzzle = puzzle_of(schemas, [*known, *near])
    puzzle.targets = without_structural_zeros(puzzle)
    case = case_of(puzzle, known, near)
    _check_sums(puzzle, case)
    _hide_by_chance(case, chance or secrets.SystemRandom())
    withheld, hopeless = _hide_until_safe(puzzle, case)
    values = {cell: _value_of(puzzle, case, cell, withheld) for cell in case.cells}
    derived = {cell: known[cell] for cell in known if cell not in puzzle.index and cell not in published}
    medians = without_differences(schemas, {**published, **values}, derived, withheld)
    everything = dict(sorted({**values, **medians}.items()))
    protocol = protocol_of(everything, withheld, earlier=len(published), needed=NEEDED, hopeless=hopeless)
    return Protected(values=everything, withheld=withheld, protocol=protocol)


@dataclass
class Case:
    """What is decided, by the puzzle's numbers: equal cells share a number and so a decision."""

    cells: list[Cell]
    counts: dict[int, int]
    new: set[int]
    shown: dict[int, int]
    hidden: set[int]


def _near(counts: Mapping[Cell, int], published: Mapping[Cell, int | None]) -> dict[Cell, int | None]:
    """What can be tied to the new cells: published for years that these, or what is near to them, cover."""
    first, last = _years(cell for cell in counts if cell not in published)
    spans = {cell: read_period(cell.period) for cell in published}
    while True:
        near = [cell for cell, span in spans.items() if span.first <= last and first <= span.last]
        wider = _years(near)
        if first <= wider[0] and wider[1] <= last:
            return {cell: published[cell] for cell in near}
        first, last = min(first, wider[0]), max(last, wider[1])


def _years(cells: Iterable[Cell]) -> tuple[int, int]:
    spans = [read_period(period) for period in {cell.period for cell in cells}]
    return min((span.first for span in spans), default=9999), max((span.last for span in spans), default=0)


def case_of(puzzle: Puzzle, counts: Mapping[Cell, int], near: Mapping[Cell, int | None]) -> Case:
    """Primary suppression and rounding of what `near`, published before, does not have; see `protect`."""
    cells = [cell for cell in counts if cell not in near and cell in puzzle.index]
    case = Case(cells, {}, {puzzle.index[cell] for cell in cells}, {}, set())
    for cell, count in counts.items():
        number = puzzle.index.get(cell)
        if number is not None and case.counts.setdefault(number, count) != count:
            raise Inconsistent(f"{_name(cell)}: counted twice, with different results")
    for cell, value in near.items():
        if cell in puzzle.index:
            _freeze(case, puzzle.index[cell], cell, value)
    for number in sorted(case.new):
        _decide(case, number, shown_as(case.counts[number]))
    return case


def _freeze(case: Case, number: int, cell: Cell, value: int | None) -> None:
    case.new.discard(number)
    if value is None:
        case.hidden.add(number)
        return
    count = case.counts.get(number)
    if case.shown.setdefault(number, value) != value or (count is not None and shown_as(count) != value):
        raise Inconsistent(f"{_name(cell)}: published otherwise than it is counted now")


def _decide(case: Case, number: int, value: int | None) -> None:
    if value is None:
        case.hidden.add(number)
    else:
        case.shown[number] = value


def _check_sums(puzzle: Puzzle, case: Case) -> None:
    names = {number: cell for cell, number in sorted(puzzle.index.items(), reverse=True)}
    for row in puzzle.rows:
        if all(number in case.counts for number, _ in row.terms):
            total = sum(factor * case.counts[number] for number, factor in row.terms)
            if total < 0 or (row.exact and total):
                cells = "; ".join(_name(names[number]) for number, _ in row.terms[:6])
                raise Inconsistent(f"the counts are no sums of each other: {cells}")


def _name(cell: Cell) -> str:
    return " ".join((cell.table, cell.period, "/".join(cell.keys), cell.measure))


def _hide_by_chance(case: Case, chance: random.Random) -> None:
    for number in sorted(case.new & case.shown.keys()):
        if chance.randrange(_DECOY_IN) == 0 and case.shown[number] <= SMALL:
            hide(case, number)


def hide(case: Case, number: int) -> None:
    """Hide a shown number, in all its cells."""
    del case.shown[number]
    case.hidden.add(number)


def _hide_until_safe(puzzle: Puzzle, case: Case) -> tuple[frozenset[str], int]:
    """Hide further cells until every target keeps enough values.

    Returns the tables that were withheld for it, and how many targets of earlier releases nothing could help.
    """
    withheld: set[str] = set()
    ranges: dict[Target, Range] = {}
    hopeless: set[Target] = set()
    while told := told_targets(puzzle, case, ranges, hopeless):
        for target in told:
            if not _cover(puzzle, case, ranges, target) and not _withhold(puzzle, case, target, withheld):
                hopeless.add(target)
    return frozenset(withheld), len(hopeless)


def told_targets(
    puzzle: Puzzle, case: Case, ranges: dict[Target, Range], hopeless: Collection[Target] = ()
) -> list[Target]:
    """All with fewer values than needed but the hopeless; `ranges` keeps what is proven between calls."""
    asked = [
        target
        for target in puzzle.targets
        if (target.is_rest or target.terms[0][0] in case.hidden)
        and target not in hopeless
        and (target not in ranges or is_told(target, ranges[target]))
    ]
    return _told(puzzle, case, ranges, asked)


def _told(puzzle: Puzzle, case: Case, ranges: dict[Target, Range], asked: Sequence[Target]) -> list[Target]:
    """Those with fewer values than needed: hiding only widens, so what was proven stays proven."""
    bounds = narrowed(puzzle, bounds_for(puzzle, case))
    found = ranges_of(puzzle, bounds, asked, enough=NEEDED, seen=[ranges.get(t, UNSEEN) for t in asked])
    ranges.update(zip(asked, found, strict=True))
    return [target for target in asked if is_told(target, ranges[target])]


def _cover(puzzle: Puzzle, case: Case, ranges: dict[Target, Range], target: Target) -> bool:
    """Hide what it takes beside a target: judged by what is near, and by everything if that fell short."""
    for hops in (_NEAR, None):
        if not _told(puzzle, case, ranges, [target]):
            return True
        bounds, choices = bounds_for(puzzle, case), choices_for(case)
        for number in cheapest(puzzle, bounds, choices, [target], needed=NEEDED, hops=hops) or ():
            hide(case, number)
    return not _told(puzzle, case, ranges, [target])


def is_told(target: Target, found: Range) -> bool:
    """Whether too few values are proven possible; a rest that is large for certain is nobody's secret."""
    return found.possibilities < NEEDED and not (target.is_rest and found.floor >= HIDDEN_BELOW)


def bounds_for(puzzle: Puzzle, case: Case) -> Bounds:
    """What somebody knows who can even tell which hidden cells are below ten, and which are not small."""
    bounds = Bounds([0.0] * puzzle.size, [math.inf] * puzzle.size)
    for number, value in case.shown.items():
        bounds.least[number], bounds.most[number] = meaning_of(value)
    for number in case.hidden & case.counts.keys():
        bounds.least[number], bounds.most[number] = _class_of(case.counts[number])
    return bounds


def _class_of(count: int) -> tuple[float, float]:
    if count < HIDDEN_BELOW:
        return 0, HIDDEN_BELOW - 1
    return (HIDDEN_BELOW, SMALL) if count <= SMALL else (SMALL + 1, math.inf)


def choices_for(case: Case) -> dict[int, Choice]:
    """What may be hidden yet: shown and new. Hiding costs the reports that go out of sight, and the cell."""
    return {
        number: Choice(*_class_of(case.counts[number]), _cost(value))
        for number, value in case.shown.items()
        if number in case.new
    }


def _cost(value: int) -> float:
    return value + 20 if value <= SMALL else _BIG_COSTS * value


def _withhold(puzzle: Puzzle, case: Case, target: Target, withheld: set[str]) -> bool:
    """Hide whole tables: the target's own, else all that are new; False when nothing is left to hide."""
    tables = {cell.table for cell in case.cells}
    for chosen in ({target.cell.table} & tables, tables):
        numbers = {puzzle.index[cell] for cell in case.cells if cell.table in chosen}
        still = {number for number in numbers & case.new if number in case.shown}
        if still:
            withheld |= chosen
            for number in still:
                hide(case, number)
            return True
    return False


def _value_of(puzzle: Puzzle, case: Case, cell: Cell, withheld: frozenset[str]) -> int | None:
    return None if cell.table in withheld else case.shown.get(puzzle.index[cell])
