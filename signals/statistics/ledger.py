"""The true counts of each quarter: a year is the sum of its quarters to the last signal.

The ledger holds numbers for each table and no rows about people. For medians it holds the number of signals
for each number of hours, as rounded in the facts. Only the releasing process reads it.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from privacy.disclosure.tables import TOTAL, Cell, Measure, Schema
from signals.models import CountedTable
from signals.statistics import old_menu as menu
from signals.statistics.counting import Groups
from signals.statistics.divisions import PLACES
from signals.statistics.old_menu import MIXED, NO_ATTEMPT, NONE, UNKNOWN

Place = tuple[tuple[str, ...], str]
"""The keys of a cell, margins among them, and its measure."""

Ledger = Mapping[str, Counter[Place]]
"""For each table, and for `hours` and `places`, the counts that are not 0."""

HOURS: Final = "hours"
_MEDIANS: Final[Mapping[str, str]] = {
    "median_hours_to_claim": "hours_to_claim",
    "median_hours_to_contact": "hours_to_contact",
}


def ledger_of(groups: Groups) -> Ledger:
    """Return the counts of every table of the menu, also of those for longer periods only.

    Of municipalities, which a window divides in its own way, the places.
    """
    counted = {
        "intake": _intake(groups),
        "regions_received": _regions(groups),
        PLACES: _places(groups),
    }
    courses = list(_courses(groups))
    for name, keys in _KEYS.items():
        counted[name] = _of_courses(courses, _measures_of(name), keys)
    return {**counted, HOURS: _hours(groups)}


def store(session: Session, ledger: Ledger, *, quarter: str) -> None:
    """Write the ledger of a quarter, once and for ever."""
    rows = [{"quarter": quarter, "name": name, "counts": as_text(found)} for name, found in ledger.items()]
    session.execute(insert(CountedTable), rows)


def load(session: Session, quarters: Iterable[str]) -> Ledger:
    """Return the sum of the ledgers of these quarters."""
    total: dict[str, Counter[Place]] = {}
    query = select(CountedTable).where(CountedTable.quarter.in_(list(quarters)))
    for row in session.scalars(query):
        total.setdefault(row.name, Counter()).update(from_text(row.counts))
    return total


def cells(ledger: Ledger, schemas: Iterable[Schema], period: str) -> dict[Cell, int]:
    """Return the count of every cell of these tables in a period, zeros and medians too."""
    found: dict[Cell, int] = {}
    for schema in schemas:
        derived = {measure.name for measure in schema.measures if measure.derived}
        for cell in schema.cells(period):
            if cell.measure not in derived:
                found[cell] = ledger.get(schema.name, Counter())[cell.keys, cell.measure]
            elif (median := _median(ledger, cell.measure)) is not None:
                found[cell] = median
    return found


def _intake(groups: Groups) -> Counter[Place]:
    counts: Counter[Place] = Counter()
    members = set(menu.menu()[0].dimensions[0].members)
    for (types,), number in groups["types"].items():
        for key in (TOTAL, *(members & set(types.split()))):
            counts[(key,), "signals"] += number
    return counts


def _places(groups: Groups) -> Counter[Place]:
    """Count by municipality and its region at that time: a window needs both, even after the map changes."""
    counts: Counter[Place] = Counter()
    regions = _regions_of_menu()
    for (region, code), number in groups["areas"].items():
        area = (region, code) if region in regions and code else (UNKNOWN, UNKNOWN)
        counts[area, "signals"] += number
    return counts


def _regions(groups: Groups) -> Counter[Place]:
    counts: Counter[Place] = Counter()
    for ((region, _code), measure), number in _places(groups).items():
        for key in (TOTAL, region):
            counts[(key,), measure] += number
    return counts


def _regions_of_menu() -> frozenset[str]:
    schema = next(table for table in menu.menu() if table.name == "regions_received")
    return frozenset(schema.dimensions[0].members) - {UNKNOWN}


def _courses(groups: Groups) -> Iterator[tuple[dict[str, Any], int]]:
    """Yield each course of concluded signals in the codes of the menu, with the number of signals."""
    regions = _regions_of_menu()
    for values, number in groups["courses"].items():
        region, outcome, claimed, contacted, reached, newly_known, repeat, attempts = values
        kinds, band = _attempts(attempts)
        tried = kinds != NONE
        words = {
            "region": region if region in regions else UNKNOWN,
            "outcome": str(outcome),
            "outcome_group": menu.OUTCOME_GROUPS[outcome],
            "kinds": kinds,
            "number": band,
            "reached": "yes" if reached and tried else "no",
            "measures": {
                "signals": True,
                "claimed_in_time": claimed,
                "contacted": tried,
                "contacted_in_time": contacted and tried,
                "reached": reached and tried,
                "helped": menu.OUTCOME_GROUPS[outcome] == "helped",
                "known_asked": newly_known is not None,
                "newly_known": bool(newly_known),
                "repeats": repeat,
            },
        }
        yield words, number


def _hours(groups: Groups) -> Counter[Place]:
    counts: Counter[Place] = Counter()
    for name in _MEDIANS.values():
        for (taken,), number in groups[name].items():
            if taken is not None:
                counts[(str(taken),), name] += number
    return counts


def kinds_and_number(tried: Mapping[str, int]) -> tuple[str, str]:
    """Return the members of `kinds` and `number` for attempts by kind."""
    times = sum(tried.values())
    if not times:
        return NONE, NO_ATTEMPT
    few, three, many = menu.NUMBERS
    band = few if times < 3 else three if times == 3 else many
    return (next(iter(tried)) if len(tried) == 1 else MIXED), band


def _attempts(text: str) -> tuple[str, str]:
    """Return the members of `kinds` and `number` for a text like `letter:1 visit:2`."""
    parts = (part.split(":") for part in text.split())
    return kinds_and_number({kind: int(number) for kind, number in parts})


_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "follow_up": (),
    "outcome_groups": ("outcome_group",),
    "outcomes": ("outcome",),
    "attempts": ("kinds", "number", "reached"),
    "regions_follow_up": ("region",),
}
"""The tables of concluded signals by what they are split by."""


def _measures_of(name: str) -> tuple[Measure, ...]:
    schema = next(table for table in menu.menu() if table.name == name)
    return tuple(measure for measure in schema.measures if not measure.derived)


def _of_courses(
    courses: Iterable[tuple[Mapping[str, Any], int]], measures: Iterable[Measure], keys: tuple[str, ...]
) -> Counter[Place]:
    counts: Counter[Place] = Counter()
    names = [measure.name for measure in measures]
    for words, number in courses:
        places = list(_with_margins([words[key] for key in keys]))
        for name in names:
            if words["measures"][name]:
                for place in places:
                    counts[place, name] += number
    return counts


def _with_margins(keys: list[str]) -> Iterator[tuple[str, ...]]:
    """Yield every cell that these keys count in: `(a, b)`, `(total, b)`, `(a, total)`, `(total, total)`."""
    for chosen in range(2 ** len(keys)):
        yield tuple(TOTAL if chosen >> place & 1 else key for place, key in enumerate(keys))


def _median(ledger: Ledger, measure: str) -> int | None:
    """Return the lower median in whole working hours; None without a signal that has such hours."""
    name = _MEDIANS[measure]
    hours = {
        int(keys[0]): n for (keys, counted), n in ledger.get(HOURS, Counter()).items() if counted == name
    }
    middle, seen = (sum(hours.values()) + 1) // 2, 0
    for taken in sorted(hours):
        seen += hours[taken]
        if seen >= middle:
            return taken
    return None


def as_text(counts: Mapping[Place, int]) -> str:
    """Return canonical JSON: `[[keys, measure, number], ...]` in order."""
    rows = sorted([list(keys), measure, number] for (keys, measure), number in counts.items())
    return json.dumps(rows, separators=(",", ":"))


def from_text(text: str) -> dict[Place, int]:
    """Return the counts that `as_text` wrote."""
    return {(tuple(keys), measure): number for keys, measure, number in json.loads(text)}
