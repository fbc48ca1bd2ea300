"""Small tables, releases and an attacker, for the tests of disclosure control."""

import random
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from privacy.disclosure.protection import protect
from privacy.disclosure.puzzle import Target, bounds_of, meaning_of, narrowed, puzzle_of, reach
from privacy.disclosure.solver import ranges_of, without_structural_zeros
from privacy.disclosure.tables import Cell, Dimension, Measure, Schema
from tests.support.invented_facts import counts_of, facts_of_year, periods_of, schemas_of_menu

SIGNALS = Measure(name="signals")
NEEDED = 5


class Coins(random.Random):
    """Chance that hides exactly the places given, in the order of what it is asked about; none by default."""

    def __init__(self, places: Collection[int] = ()) -> None:
        super().__init__(0)
        self.places = places
        self.asked = 0

    def randrange(self, start: int, stop: int | None = None, step: int = 1) -> int:
        self.asked += 1
        return 0 if self.asked - 1 in self.places else 1


@dataclass
class History:
    """What was released, and what it was made of."""

    schemas: Sequence[Schema]
    counts: dict[Cell, int] = field(default_factory=dict)
    published: dict[Cell, int | None] = field(default_factory=dict)
    withheld: int = 0

    def release(self, counts: Mapping[Cell, int], chance: random.Random) -> None:
        """Release the new cells beside what there is."""
        self.counts |= counts
        done = protect(self.counts, self.schemas, self.published, chance=chance)
        self.published |= done.values
        self.withheld += len(done.withheld)


def history_of(years: Iterable[int], seed: int) -> History:
    """Years of invented sparse reports, 600 to 1,100 a year, over the real menu, released as they came."""
    chance = random.Random(seed)
    history = History(schemas_of_menu())
    years = list(years)
    facts = [fact for year in years for fact in facts_of_year(year, chance.randint(600, 1_100), chance)]
    for periods in periods_of(years):
        history.release(counts_of(facts, periods, history.schemas), chance)
    return history


def table(
    name: str = "figures",
    *,
    dimensions: Sequence[Dimension] = (),
    measures: Sequence[Measure] = (SIGNALS,),
    counted_by: str = "received",
    periods: Sequence[str] = ("quarter", "year", "window"),
    impossible: Sequence[tuple[str, ...]] = (),
) -> Schema:
    """A table with a short name and no title worth reading."""
    return Schema(
        name=name,
        title={"en": name},
        dimensions=tuple(dimensions),
        measures=tuple(measures),
        counted_by=counted_by,
        periods=tuple(periods),
        impossible=tuple(impossible),
    )


def side(name: str, members: str, *, exclusive: bool = True) -> Dimension:
    """A dimension with one-letter members."""
    return Dimension(name=name, members=tuple(members), exclusive=exclusive)


def naively(counts: Mapping[Cell, int]) -> dict[Cell, tuple[float, float]]:
    """What naive suppression tells: counts below five are hidden, the rest is published exactly."""
    return {cell: (0, 4) if count < 5 else (count, count) for cell, count in counts.items()}


def as_published(values: Mapping[Cell, int | None]) -> dict[Cell, tuple[float, float]]:
    """What our publication tells anybody."""
    return {cell: meaning_of(value) for cell, value in values.items()}


def narrowed_down(
    schemas: Sequence[Schema],
    ranges: Mapping[Cell, tuple[float, float]],
    hidden: Collection[Cell],
    known: Mapping[Cell, tuple[float, float]] | None = None,
) -> list[Cell]:
    """The attack: hidden cells that all that is published, with what is `known`, leaves under five values.

    Raises Inconsistent when nothing fits.
    """
    puzzle = puzzle_of(schemas, ranges)
    bounds = bounds_of(puzzle, {cell: ranges[cell] for cell in ranges if cell in puzzle.index})
    for cell, (least, most) in (known or {}).items():
        place = puzzle.index[cell]
        bounds.least[place] = max(bounds.least[place], least)
        bounds.most[place] = min(bounds.most[place], most)
    bounds = narrowed(puzzle, bounds)
    wanted = set(hidden)
    targets = [
        target for target in without_structural_zeros(puzzle) if target.cell in wanted and not target.is_rest
    ]
    proven: list[Target] = []
    asked: list[Target] = []
    for target in targets:
        least, most = reach(target.terms, bounds)
        (proven if most - least + 1 < NEEDED else asked).append(target)
    found = ranges_of(puzzle, bounds, asked, enough=NEEDED)
    return [target.cell for target in proven] + [
        target.cell for target, one in zip(asked, found, strict=True) if one.possibilities < NEEDED
    ]


def knowing_what_is_small(history: History) -> dict[Cell, tuple[float, float]]:
    """Beside all publications: which hidden cells are below ten, as if read in the machine."""
    return {
        cell: (0, 9) if history.counts[cell] < 10 else (10, float("inf"))
        for cell, value in history.published.items()
        if value is None
    }
