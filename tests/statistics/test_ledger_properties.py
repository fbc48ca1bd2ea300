"""Properties of the ledger: the cells of all tables and periods add up as the auditor believes."""

from collections import Counter
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy.disclosure.relations import relations
from privacy.disclosure.tables import Cell, read_period
from signals import reference
from signals.statistics import ledger
from signals.statistics.counting import GROUPINGS, Groups
from signals.statistics.divisions import PLACES, division_of
from signals.statistics.facts import region_of
from signals.statistics.old_menu import is_division, menu, tables_for
from signals.vocabulary import AttemptKind, ConcernType, Outcome

pytestmark = pytest.mark.slow  # every table of four years for each example

YEARS = (2023, 2024, 2025, 2026)
QUARTERS = [f"{year}-Q{number}" for year in YEARS for number in range(1, 5)]
WINDOW = "2023-2026"
SOMEWHERE = [None, "GM9999", "GM1696", "GM0370", *list(reference.municipalities())[:6]]


@st.composite
def facts(draw: st.DrawFn) -> dict[str, Any]:
    """Any fact that the product writes, and some that it should not."""
    place = draw(st.sampled_from(SOMEWHERE))
    kinds = draw(st.lists(st.sampled_from(AttemptKind), max_size=5))
    tried = Counter(kind.value for kind in kinds)
    return {
        "quarter": draw(st.sampled_from(QUARTERS)),
        "region_code": draw(st.sampled_from([region_of(place), "GG0111", "GG9999"])),
        "municipality_code": place,
        "concern_types": " ".join(sorted(draw(st.sets(st.sampled_from(ConcernType), max_size=4)))),
        "outcome": draw(st.sampled_from(Outcome)),
        "claimed_in_time": draw(st.booleans()),
        "contacted_in_time": draw(st.booleans()),
        "reached": draw(st.booleans()),
        "newly_known": draw(st.none() | st.booleans()),
        "repeat": draw(st.booleans()),
        "attempts": " ".join(f"{kind}:{number}" for kind, number in sorted(tried.items())),
        "hours_to_claim": draw(st.none() | st.integers(0, 90)),
        "hours_to_contact": draw(st.none() | st.integers(0, 90)),
    }


@given(drawn=st.lists(facts(), max_size=40))
@settings(max_examples=25)
def test_all_tables_of_all_periods_add_up_as_the_auditor_believes(drawn: list[dict[str, Any]]) -> None:
    books = {quarter: ledger.ledger_of(_groups(drawn, quarter)) for quarter in QUARTERS}
    counts: dict[Cell, int] = {}
    for period in (*QUARTERS, *map(str, YEARS), WINDOW):
        whole_book = _sum([books[quarter] for quarter in QUARTERS if _covers(period, quarter)])
        schemas = [schema for schema in tables_for(read_period(period).kind) if not is_division(schema.name)]
        counts |= ledger.cells(whole_book, schemas, period)
    division = division_of(read_period(WINDOW), date(2027, 2, 5), whole_book[PLACES])
    table = division.table(read_period(WINDOW), [])
    counts |= ledger.cells({table.name: division.counts(whole_book[PLACES])}, [table], WINDOW)
    whole = [cell for cell in counts if not cell.measure.startswith("median")]
    checked = 0
    others = [schema for schema in menu() if not is_division(schema.name)]
    for relation in relations([*others, table], whole):
        if all(cell.table for cell in (relation.total, *relation.parts)):
            total, parts_together = counts[relation.total], sum(counts[part] for part in relation.parts)
            assert total == parts_together if relation.exact else total >= parts_together, relation
            checked += 1
    assert checked > 1000


@given(drawn=st.lists(facts(), max_size=20))
def test_a_ledger_is_read_as_it_was_written(drawn: list[dict[str, Any]]) -> None:
    book = ledger.ledger_of(_groups([{**fact, "quarter": QUARTERS[0]} for fact in drawn], QUARTERS[0]))
    for counts in book.values():
        assert ledger.from_text(ledger.as_text(counts)) == counts


def _groups(drawn: list[dict[str, Any]], quarter: str) -> Groups:
    mine = [fact for fact in drawn if fact["quarter"] == quarter]
    return {
        name: Counter(tuple(fact[column] for column in columns) for fact in mine)
        for name, columns in GROUPINGS.items()
    }


def _covers(period: str, quarter: str) -> bool:
    wanted = read_period(period)
    if wanted.quarter:
        return period == quarter
    return wanted.first <= int(quarter[:4]) <= wanted.last


def _sum(books: list[ledger.Ledger]) -> dict[str, Counter[ledger.Place]]:
    total: dict[str, Counter[ledger.Place]] = {}
    for book in books:
        for name, counts in book.items():
            total.setdefault(name, Counter()).update(counts)
    return total
