"""Disclosure control: how long a proof takes, and how much of each table stays visible by which pattern."""

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from random import Random

from privacy.disclosure.auditor import NEEDED, audit, told
from privacy.disclosure.pattern import cheapest
from privacy.disclosure.protection import Case, bounds_for, case_of, choices_for, hide, protect, told_targets
from privacy.disclosure.puzzle import Puzzle, Target, puzzle_of, shown_as
from privacy.disclosure.solver import Range, without_structural_zeros
from privacy.disclosure.tables import TOTAL, Cell, Dimension
from tests.bench.results import Line
from tests.support.disclosure import Coins, history_of, table
from tests.support.invented_facts import counts_of, facts_of_year, schemas_of_menu

_YEAR = "2026"
_REPORTS = 850
_DRAWS = 10
_OPTIMUM_SECONDS = 60.0


def measure_disclosure(group: str, *, years: int) -> Iterator[Line]:
    """A regional table by kind, years of sparse releases, utility of patterns on one year; in CPU seconds."""
    yield from _two_way(group)
    yield from _years(group, years)
    yield from _utility(group)


def _two_way(group: str) -> Iterator[Line]:
    regions = Dimension(name="region", members=tuple(f"r{number}" for number in range(25)))
    kinds = Dimension(name="kind", members=tuple(f"k{number}" for number in range(9)))
    schema = table(dimensions=[regions, kinds], periods=("year",))
    chance = Random(5)
    counts = dict.fromkeys(schema.cells(_YEAR), 0)
    for region in regions.members:
        for kind in kinds.members:
            count = int(chance.lognormvariate(2.7, 0.9))
            for keys in ((region, kind), (region, TOTAL), (TOTAL, kind), (TOTAL, TOTAL)):
                counts[Cell(schema.name, _YEAR, keys, "signals")] += count
    values = {cell: shown_as(count) for cell, count in counts.items()}
    started = time.process_time()
    intervals = audit(values, [schema])
    seconds = time.process_time() - started
    hidden = sum(value is None for value in values.values())
    what = f"audit of 25 x 9, {hidden} hidden, every interval solved to its ends"
    assert all(one.exact for one in intervals)
    yield Line(group=group, what=what, value=seconds, unit="s", at_most=5.0)


def _years(group: str, years: int) -> Iterator[Line]:
    started = time.process_time()
    history = history_of(range(2026 - years + 1, 2027), seed=3)
    yield Line(
        group=group,
        what=f"{years} years of releases, protected",
        value=time.process_time() - started,
        unit="s",
    )
    started = time.process_time()
    found = audit(history.published, history.schemas, enough=NEEDED)
    seconds = time.process_time() - started
    hidden = sum(value is None for value in history.published.values())
    what = f"{years} years of releases together, {hidden} hidden cells, audited"
    yield Line(group=group, what=what, value=seconds, unit="s", at_most=30.0)
    yield Line(group=group, what="of these narrowed to fewer than 5", value=len(told(found)), at_most=0)


def _utility(group: str) -> Iterator[Line]:
    """One year at the scheme's size: what stays visible under each pattern, table by table."""
    schemas = schemas_of_menu()
    counts = counts_of(facts_of_year(int(_YEAR), _REPORTS, Random(11)), [_YEAR], schemas)
    primary = {cell: shown_as(count) for cell, count in counts.items()}
    yield from _shares(f"{group}, below ten only (not safe)", counts, [primary])
    ours = [protect(counts, schemas, {}, chance=Random(seed)).values for seed in range(_DRAWS)]
    yield from _shares(f"{group}, ours (mean of {_DRAWS} draws)", counts, ours)
    without = protect(counts, schemas, {}, chance=Coins()).values
    yield from _shares(f"{group}, ours without chance", counts, [without])
    puzzle = puzzle_of(schemas, counts)
    puzzle.targets = without_structural_zeros(puzzle)
    greedy = _greedy(puzzle, case_of(puzzle, counts, {}))
    yield from _shares(f"{group}, greedy", counts, [_values(puzzle, greedy)])
    started = time.process_time()
    best = _optimum(puzzle, counts)
    yield Line(group=f"{group}, optimum", what="solved to the end", value=float(best is not None))
    yield Line(group=f"{group}, optimum", what="solving", value=time.process_time() - started, unit="s")
    if best is not None:
        yield from _shares(f"{group}, optimum", counts, [_values(puzzle, best)])


def _values(puzzle: Puzzle, case: Case) -> dict[Cell, int | None]:
    return {cell: case.shown.get(puzzle.index[cell]) for cell in case.cells}


def _shares(
    group: str, counts: Mapping[Cell, int], published: Sequence[Mapping[Cell, int | None]]
) -> Iterator[Line]:
    """The share of inner cells that are shown, and of the reports in them; margins do not count."""
    tables: dict[str, list[Cell]] = defaultdict(list)
    for cell in counts:
        if TOTAL not in cell.keys:
            tables[cell.table].append(cell)
    for name, cells in tables.items():
        shown = [cell for values in published for cell in cells if values[cell] is not None]
        share = len(shown) / len(published) / len(cells)
        reports = sum(counts[cell] for cell in shown) / len(published) / sum(counts[cell] for cell in cells)
        yield Line(group=group, what=f"{name}: cells", value=100 * share, unit="%")
        yield Line(group=group, what=f"{name}: reports", value=100 * reports, unit="%")


def _greedy(puzzle: Puzzle, case: Case) -> Case:
    """The usual way: beside a cell that is told hide the smallest shown one of its sums, until none is."""
    ranges: dict[Target, Range] = {}
    while found := told_targets(puzzle, case, ranges):
        for target in found:
            near = {
                n
                for number, _ in target.terms
                for row in puzzle.rows_of[number]
                for n, _ in puzzle.rows[row].terms
            }
            choices = sorted((case.shown[n], n) for n in near if n in case.shown and n in case.new)
            if not choices:
                choices = sorted((value, n) for n, value in case.shown.items() if n in case.new)
            hide(case, choices[0][1])
    return case


def _optimum(puzzle: Puzzle, counts: Mapping[Cell, int]) -> Case | None:
    """The cheapest pattern there is; targets that it makes itself are added until it makes no more."""
    targets: set[Target] = set()
    while True:
        case = case_of(puzzle, counts, {})
        if targets:
            wanted = sorted(targets, key=lambda target: target.cell)
            started = time.monotonic()
            more = cheapest(
                puzzle,
                bounds_for(puzzle, case),
                choices_for(case),
                wanted,
                needed=NEEDED,
                seconds=_OPTIMUM_SECONDS,
            )
            if more is None or time.monotonic() - started > _OPTIMUM_SECONDS:
                return None
            for number in more:
                hide(case, number)
        found = told_targets(puzzle, case, {})
        if not found:
            return case
        if targets >= set(found):
            return None
        targets |= set(found)
