"""Subtracting published figures: between quarters and years, areas, tables, releases. The naive way falls."""

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import chain, combinations, product
from typing import Any

import pytest

from privacy.disclosure.auditor import audit, told
from privacy.disclosure.protection import protect
from privacy.disclosure.puzzle import Inconsistent
from privacy.disclosure.tables import TOTAL, Cell, Dimension, Measure, Schema
from tests.support.disclosure import (
    SIGNALS,
    Coins,
    History,
    as_published,
    knowing_what_is_small,
    naively,
    narrowed_down,
    side,
    table,
)

AREAS = Dimension(name="region", members=("N", "Z"))
TOWNS = Dimension(
    name="town",
    members=("a", "b", "c", "d", "e"),
    parent={"a": "N", "b": "N", "c": "N", "d": "Z", "e": "Z"},
    within="region",
)


def _of(schema: Schema, period: str, counts: Mapping[Any, int], measure: str = "signals") -> dict[Cell, int]:
    """All cells of a table from those of its members: margins are added up."""
    cells: Counter[Cell] = Counter()
    for keys, count in counts.items():
        for margin in product(*((key, TOTAL) for key in keys)):
            cells[Cell(schema.name, period, margin, measure)] += count
    return {cell: cells[cell] for cell in schema.cells(period) if cell.measure == measure}


def _assert_only_naive_falls(history: History) -> None:
    hidden = [cell for cell, value in history.published.items() if value is None]
    published = as_published(history.published)
    small = [cell for cell, count in history.counts.items() if count < 5]
    assert hidden
    assert narrowed_down(history.schemas, published, hidden) == []
    assert narrowed_down(history.schemas, published, hidden, knowing_what_is_small(history)) == []
    assert told(audit(history.published, history.schemas)) == ()
    assert len(narrowed_down(history.schemas, naively(history.counts), small)) > 0


def test_a_year_minus_its_quarters_tells_no_quarter() -> None:
    schema = table(dimensions=[side("kind", "xy")], periods=("quarter", "year"))
    history = History([schema])
    quarters = {"2026-Q1": (31, 12), "2026-Q2": (18, 22), "2026-Q3": (27, 3), "2026-Q4": (14, 19)}
    for quarter, (x, y) in quarters.items():
        history.release(_of(schema, quarter, {("x",): x, ("y",): y}), Coins())
    x, y = (sum(counts[place] for counts in quarters.values()) for place in (0, 1))
    history.release(_of(schema, "2026", {("x",): x, ("y",): y}), Coins())
    _assert_only_naive_falls(history)


def test_a_year_tells_nothing_of_a_quarter_that_is_not_released_yet() -> None:
    schema = table(periods=("quarter", "year"))
    history = History([schema])
    for quarter, count in (("2026-Q1", 23), ("2026-Q2", 13), ("2026-Q3", 18)):
        history.release({Cell("figures", quarter, (), "signals"): count}, Coins())
    history.release({Cell("figures", "2026", (), "signals"): 54}, Coins())
    assert history.published[Cell("figures", "2026", (), "signals")] is None


def test_windows_that_overlap_tell_no_year() -> None:
    schema = table(dimensions=[side("kind", "xyz")], periods=("window",))
    history = History([schema])
    first, both, last = (21, 3, 14), (9, 12, 25), (1, 14, 13)
    for window, years in (("2020-2022", (first, both)), ("2021-2023", (both, last))):
        sums = [sum(counts) for counts in zip(*years, strict=True)]
        history.release(_of(schema, window, dict(zip((("x",), ("y",), ("z",)), sums, strict=True))), Coins())
    hidden = [cell for cell, value in history.published.items() if value is None]
    assert narrowed_down(history.schemas, as_published(history.published), hidden) == []


def test_a_country_minus_regions_minus_municipalities_tells_none_of_them() -> None:
    towns = table("towns", dimensions=[TOWNS], periods=("window",))
    regions = table("regions", dimensions=[AREAS], periods=("year", "window"))
    history = History([towns, regions])
    counts = {("a",): 41, ("b",): 17, ("c",): 2, ("d",): 26, ("e",): 15}
    by_area = {("N",): 60, ("Z",): 41}
    history.release(_of(regions, "2023", {("N",): 33, ("Z",): 18}), Coins())
    history.release(_of(regions, "2024", {("N",): 27, ("Z",): 23}), Coins())
    # The regions of the long period are not among them: they follow from the years.
    history.release(_of(towns, "2023-2024", counts), Coins())
    history.release(_of(regions, "2023-2024", by_area), Coins())
    _assert_only_naive_falls(history)


def test_two_tables_of_the_same_signals_tell_nothing_that_each_of_them_hides() -> None:
    outcomes = table("outcomes", dimensions=[side("reached", "yn")], periods=("year",))
    follow_up = table(
        "follow_up",
        dimensions=[side("kind", "pq")],
        measures=[SIGNALS, Measure(name="reached", part_of="signals", same_as=("reached", "y"))],
        periods=("year",),
    )
    history = History([outcomes, follow_up])
    history.release(_of(outcomes, "2026", {("y",): 24, ("n",): 30}), Coins())
    signals = _of(follow_up, "2026", {("p",): 31, ("q",): 23})
    history.release(signals | _of(follow_up, "2026", {("p",): 21, ("q",): 3}, "reached"), Coins())
    _assert_only_naive_falls(history)


def test_nearly_all_of_a_shown_group_is_not_told_to_have_been_reached() -> None:
    schema = table(measures=[SIGNALS, Measure(name="reached", part_of="signals")], periods=("year",))
    counts = {Cell("figures", "2026", (), "signals"): 11, Cell("figures", "2026", (), "reached"): 11}
    shown = dict.fromkeys(counts, 10)
    assert [one.is_rest for one in told(audit(shown, [schema]))] == [True]
    assert None in protect(counts, [schema], {}, chance=Coins()).values.values()


def test_a_report_added_later_changes_nothing_published_and_tells_nothing() -> None:
    schema = table(dimensions=[side("kind", "xyz")], periods=("quarter", "year"))
    before = {("x",): 21, ("y",): 4, ("z",): 9}
    after = {**before, ("y",): 5}
    history = History([schema])
    history.release(_of(schema, "2026-Q1", before), Coins())
    released = dict(history.published)
    again = protect(_of(schema, "2026-Q1", before), [schema], released, chance=Coins())
    assert again.values == {}
    naive_before, naive_after = (naively(_of(schema, "2026-Q1", counts)) for counts in (before, after))
    assert sum(naive_before[cell] != naive_after[cell] for cell in naive_before) > 1
    # By rule the late report counts in the next quarter, and the year is the sum of what was released.
    for quarter, counts in (("2026-Q2", (25, 13, 12)), ("2026-Q3", (14, 2, 31)), ("2026-Q4", (22, 11, 3))):
        history.release(_of(schema, quarter, dict(zip(before, counts, strict=True))), Coins())
    year = {key: before[key] + rest for key, rest in zip(before, (61, 26, 46), strict=True)}
    history.release(_of(schema, "2026", year), Coins())
    assert {cell: history.published[cell] for cell in released} == released
    _assert_only_naive_falls(history)


def test_a_released_figure_cannot_be_released_anew_with_one_report_more() -> None:
    schema = table(periods=("quarter", "year"))
    cell = Cell("figures", "2026-Q1", (), "signals")
    with pytest.raises(Inconsistent):
        protect({cell: 13, Cell("figures", "2026", (), "signals"): 30}, [schema], {cell: 10}, chance=Coins())


def _small_truths() -> Iterator[dict[Cell, int]]:
    schema = table(dimensions=[side("kind", "xy")], periods=("year",))
    for x, y in product(range(18), repeat=2):
        if x + y < 18:
            yield _of(schema, "2026", {("x",): x, ("y",): y})


def _publications(*, by_chance: bool) -> dict[tuple[int | None, ...], set[tuple[int, ...]]]:
    """Every publication of the small table, with all counts that can lead to it."""
    schema = table(dimensions=[side("kind", "xy")], periods=("year",))
    sources: dict[tuple[int | None, ...], set[tuple[int, ...]]] = {}
    for counts in _small_truths():
        without = Coins()
        protect(counts, [schema], {}, chance=without)
        places = range(without.asked if by_chance else 0)
        for coins in chain.from_iterable(combinations(places, size) for size in range(len(places) + 1)):
            values = protect(counts, [schema], {}, chance=Coins(coins)).values
            key = tuple(values[cell] for cell in sorted(counts))
            sources.setdefault(key, set()).add(tuple(counts[cell] for cell in sorted(counts)))
    return sources


def _narrowed(sources: Mapping[tuple[int | None, ...], set[tuple[int, ...]]]) -> int:
    return sum(
        value is None and len({counts[place] for counts in truths}) < 5
        for values, truths in sources.items()
        for place, value in enumerate(values)
    )


@pytest.mark.slow
def test_an_attacker_who_tries_all_counts_on_the_program_learns_nothing_more() -> None:
    """The minimality attack: what is hidden tells why, unless chance may have hidden it."""
    assert _narrowed(_publications(by_chance=True)) == 0
    assert _narrowed(_publications(by_chance=False)) > 0
