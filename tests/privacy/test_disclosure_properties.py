"""The auditor finds what trying every count finds; what is protected holds the truth and tells nothing."""

import itertools
import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy.disclosure.auditor import audit, told
from privacy.disclosure.protection import protect
from privacy.disclosure.puzzle import meaning_of, shown_as
from privacy.disclosure.tables import TOTAL, Cell, Measure, Schema
from tests.support.disclosure import SIGNALS, Coins, side, table

pytestmark = pytest.mark.slow

SOAK = settings.default is not None and settings.default.max_examples > 1_000
FEW = settings(max_examples=400 if SOAK else 50)
FEWER = settings(max_examples=200 if SOAK else 12)

MATRIX = table(dimensions=[side("kind", "xy"), side("place", "pq")], periods=("year",))
PARTS = table(
    dimensions=[side("kind", "xy")],
    measures=[SIGNALS, Measure(name="reached", part_of="signals")],
    periods=("year",),
)
GRID = 45
"""Counts that are tried for each smallest cell: 0 to 44, more than any of them can be."""


def _matrix(counts: Iterable[Any]) -> dict[Cell, Any]:
    """The nine cells of MATRIX from its four smallest, numbers or arrays of them."""
    smallest = dict(zip(itertools.product("xy", "pq"), counts, strict=True))
    return {
        cell: sum(
            count
            for keys, count in smallest.items()
            if all(margin in (TOTAL, key) for margin, key in zip(cell.keys, keys, strict=True))
        )
        for cell in MATRIX.cells("2026")
    }


def _parts(counts: Iterable[Any]) -> dict[Cell, Any]:
    """The six cells of PARTS from reached and not reached, of x and y."""
    x_yes, x_no, y_yes, y_no = counts
    values = {"x": (x_yes + x_no, x_yes), "y": (y_yes + y_no, y_yes)}
    values[TOTAL] = (values["x"][0] + values["y"][0], x_yes + y_yes)
    return {cell: values[cell.keys[0]][cell.measure == "reached"] for cell in PARTS.cells("2026")}


def _by_trying(made_of: Any, values: Mapping[Cell, int | None]) -> dict[Cell, tuple[int, int]]:
    """The least and the most of each hidden cell, over every count of the smallest cells that fits."""
    grid = np.meshgrid(*[np.arange(GRID, dtype=np.int16)] * 4, indexing="ij", sparse=True)
    cells = made_of(grid)
    fits = np.ones([GRID] * 4, dtype=bool)
    for cell, value in values.items():
        if value is not None:
            least, most = meaning_of(value)
            fits &= (cells[cell] >= least) & (cells[cell] <= most)
    found = {}
    for cell, value in values.items():
        if value is None:
            seen = np.broadcast_to(cells[cell], fits.shape)[fits]
            found[cell] = (int(seen.min()), int(seen.max()))
            assert len(np.unique(seen)) == np.ptp(seen) + 1, "a value between them is impossible"
    return found


@FEW
@given(
    made=st.sampled_from([(MATRIX, _matrix), (PARTS, _parts)]),
    counts=st.lists(st.integers(0, 16), min_size=4, max_size=4),
    more=st.sets(st.integers(0, 8)),
)
def test_the_auditor_agrees_with_trying_every_count(
    made: tuple[Schema, Any], counts: list[int], more: set[int]
) -> None:
    schema, made_of = made
    values = {cell: shown_as(count) for cell, count in made_of(counts).items()}
    hidden_too = {cell for place, cell in enumerate(sorted(values)) if place in more}
    values = {cell: None if cell in hidden_too else value for cell, value in values.items()}
    tried = _by_trying(made_of, values)
    for one in audit(values, [schema]):
        if one.is_rest:
            continue
        least, most = tried[one.cell]
        assert one.exact
        assert one.least == least
        # Where the auditor finds no end, trying stops at the end of the grid.
        assert (most >= GRID - 1) if one.most is None else (one.most == most)


@FEW
@given(
    counts=st.lists(st.integers(0, 60), min_size=4, max_size=4),
    chance=st.sets(st.integers(0, 8), max_size=3),
    made=st.sampled_from([(MATRIX, _matrix), (PARTS, _parts)]),
)
def test_a_protected_table_holds_the_truth_and_tells_nothing(
    counts: list[int], chance: set[int], made: tuple[Schema, Any]
) -> None:
    schema, made_of = made
    truth = made_of(counts)
    done = protect(truth, [schema], {}, chance=Coins(chance))
    assert set(done.values) == set(truth)
    for cell, value in done.values.items():
        assert value in (None, shown_as(truth[cell]))
    intervals = audit(done.values, [schema])
    assert told(intervals) == ()
    for one in intervals:
        if not one.is_rest:
            assert one.least <= truth[one.cell] <= (math.inf if one.most is None else one.most)


@FEWER
@given(
    quarters=st.lists(st.lists(st.integers(0, 30), min_size=2, max_size=2), min_size=8, max_size=8),
    chance=st.sets(st.integers(0, 5), max_size=2),
)
def test_releases_one_after_another_tell_nothing_together(
    quarters: list[list[int]], chance: set[int]
) -> None:
    schema = table(dimensions=[side("kind", "xy")], periods=("quarter", "year", "window"))
    counts: dict[Cell, int] = {}
    published: dict[Cell, int | None] = {}

    def release(period: str, of: list[list[int]]) -> None:
        x, y = (sum(each[place] for each in of) for place in (0, 1))
        for key, count in (("total", x + y), ("x", x), ("y", y)):
            counts[Cell("figures", period, (key,), "signals")] = count
        earlier = dict(published)
        published.update(protect(counts, [schema], published, chance=Coins(chance)).values)
        assert {cell: published[cell] for cell in earlier} == earlier

    for place, quarter in enumerate(quarters):
        release(f"{2025 + place // 4}-Q{place % 4 + 1}", [quarter])
        if place % 4 == 3:
            release(str(2025 + place // 4), quarters[place - 3 : place + 1])
    release("2025-2026", quarters)
    assert told(audit(published, [schema])) == ()
