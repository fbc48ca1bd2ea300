"""Invented facts for the tests of disclosure control: sparse as the scheme is, over the real menu and places.

Rates follow the design's figures; numbers follow the inhabitants of a municipality. A fact is a mapping from
dimension or measure to a member, counted into cells without the product's own counting.
"""

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import product
from typing import Any

from privacy.disclosure.tables import TOTAL, WINDOW, YEAR, Cell, Schema, read_period
from signals import reference
from signals.statistics.old_menu import CONCLUDED, OUTCOME_GROUPS, RECEIVED, menu
from signals.vocabulary import ConcernType, Outcome

Fact = Mapping[str, Any]

_OUTCOMES = (
    "not_reached", "not_reached", "not_reached", "not_reached", "no_concern", "talk_sufficed",
    "talk_sufficed", "help_accepted", "help_accepted", "referred", "already_known", "already_known",
    "help_declined", "escalated", "duplicate", "wrong_address", "misuse",
)  # fmt: skip
_KINDS = ("visit", "visit", "phone", "letter", "card", "mixed", "mixed", "mixed", "none")


def facts_of_year(year: int, number: int, chance: random.Random) -> list[Fact]:
    """So many facts received in a year; most are concluded in the quarter of receipt, others in the next."""
    places = chance.choices(*_places(), k=number)
    return [_fact(year, code, chance) for code in places]


def counts_of(facts: Sequence[Fact], periods: Iterable[str], schemas: Sequence[Schema]) -> dict[Cell, int]:
    """Every cell of these periods that its schema publishes for such a period, zeros included, no medians."""
    counts: dict[Cell, int] = {}
    for period, schema in product(periods, schemas):
        if read_period(period).kind in schema.periods:
            counts.update(_counts_of_table(facts, period, schema))
    return counts


def schemas_of_menu() -> tuple[Schema, ...]:
    """The product's own menu."""
    return menu()


def periods_of(years: Iterable[int]) -> list[list[str]]:
    """Releases in their order: quarters, with the year after its last and the window after its last."""
    releases = []
    for year in years:
        releases += [[f"{year}-Q{quarter}"] for quarter in (1, 2, 3, 4)]
        releases[-1].append(str(year))
        if year % 4 == 2:
            releases[-1].append(f"{year - 3}-{year}")
    return releases


@lru_cache(maxsize=1)
def _places() -> tuple[list[str], list[int]]:
    places = reference.municipalities()
    return list(places), [place.inhabitants or 1 for place in places.values()]


def _fact(year: int, code: str, chance: random.Random) -> Fact:
    received = chance.randrange(4)
    concluded = received + (chance.random() < 0.3)
    kinds = chance.choice(_KINDS)
    tried = kinds != "none"
    number = "0" if not tried else chance.choice(("1-2", "1-2", "3", "4+"))
    reached = tried and chance.random() < {"1-2": 0.18, "3": 0.25, "4+": 0.37}[number]
    outcome = chance.choice(_OUTCOMES)
    asked = chance.random() < 0.6
    in_time = chance.random() < 0.7
    return {
        RECEIVED: f"{year}-Q{received + 1}",
        CONCLUDED: f"{year + concluded // 4}-Q{concluded % 4 + 1}",
        "municipality": code,
        "region": reference.municipalities()[code].ggd_code,
        "concern_type": {t.value for t in ConcernType if chance.random() < 0.2},
        "kinds": kinds,
        "number": number,
        "reached": "yes" if reached else "no",
        "tried": "yes" if tried else "no",
        "tried_in_time": "yes" if tried and in_time else "no",
        "outcome": outcome,
        "outcome_group": OUTCOME_GROUPS[Outcome(outcome)],
        "claimed_in_time": chance.random() < 0.8,
        "known_asked": asked,
        "newly_known": asked and chance.random() < 0.4,
        "repeats": chance.random() < 0.06,
    }


def _counts_of_table(facts: Sequence[Fact], period: str, schema: Schema) -> dict[Cell, int]:
    counts: Counter[Cell] = Counter()
    for fact in facts:
        if _within(fact[schema.counted_by], period):
            sides = [_members(fact[dimension.name]) for dimension in schema.dimensions]
            for measure in schema.measures:
                if not measure.derived and _counts(fact, schema, measure.name):
                    counts.update(Cell(schema.name, period, keys, measure.name) for keys in product(*sides))
    return {cell: counts[cell] for cell in schema.cells(period) if not schema.measure(cell.measure).derived}


def _within(quarter: str, period: str) -> bool:
    span = read_period(period)
    if span.kind in (YEAR, WINDOW):
        return span.first <= int(quarter[:4]) <= span.last
    return quarter == period


def _members(value: str | set[str]) -> list[str]:
    return [TOTAL, *([value] if isinstance(value, str) else sorted(value))]


def _counts(fact: Fact, schema: Schema, name: str) -> bool:
    """Whether the measure counts the fact: by its alias where it has one, and by what it is part of."""
    measure = schema.measure(name)
    if measure.part_of is None:
        return True
    own = fact[measure.same_as[0]] == measure.same_as[1] if measure.same_as else bool(fact[name])
    return own and _counts(fact, schema, measure.part_of)
