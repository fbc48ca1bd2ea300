"""Protection and auditor on small tables, where a person can see the answer."""

import random

import pytest

from privacy.disclosure.auditor import Interval, audit, told
from privacy.disclosure.protection import protect
from privacy.disclosure.puzzle import Inconsistent, meaning_of, shown_as
from privacy.disclosure.tables import Cell, Measure, Schema
from tests.support.disclosure import SIGNALS, Coins, side, table

ROW = table(dimensions=[side("kind", "xyz")])
MEDIAN = Measure(name="median_hours", derived=True, base="signals")


def _cells(schema: Schema, period: str, *counts: int | None) -> dict[Cell, int | None]:
    cells = [cell for cell in schema.cells(period) if cell.measure == "signals"]
    return dict(zip(cells, counts, strict=True))


def _counts(schema: Schema, period: str, *counts: int) -> dict[Cell, int]:
    return {cell: count or 0 for cell, count in _cells(schema, period, *counts).items()}


def _intervals(values: dict[Cell, int | None]) -> dict[str, tuple[int, int | None]]:
    return {"/".join(one.cell.keys): (one.least, one.most) for one in audit(values, [ROW]) if not one.is_rest}


def test_counts_below_ten_are_hidden_and_others_rounded_to_five() -> None:
    assert [shown_as(count) for count in (0, 9, 10, 12, 13, 17, 18)] == [None, None, 10, 10, 15, 15, 20]


@pytest.mark.parametrize("count", [*range(10, 40), 998, 1_003])
def test_a_shown_count_lies_within_what_its_value_means(count: int) -> None:
    least, most = meaning_of(shown_as(count))
    assert least <= count <= most


def test_a_value_that_no_count_is_shown_as_is_refused() -> None:
    for value in (0, 5, 12):
        with pytest.raises(ValueError, match="not a published value"):
            meaning_of(value)


def test_a_hidden_cell_beside_shown_ones_follows_from_the_total() -> None:
    assert _intervals(_cells(ROW, "2026", 40, 20, 15, None)) == {"z": (0, 11)}
    assert _intervals(_cells(ROW, "2026", 40, 20, 25, None)) == {"z": (0, 1)}


def test_two_hidden_cells_of_a_hidden_total_have_no_upper_bound() -> None:
    found = audit(_cells(ROW, "2026", None, 20, None, None), [ROW])
    assert [one.most for one in found if not one.is_rest] == [None, None, None]
    assert told(found) == ()


def test_a_hidden_cell_that_no_sum_leaves_room_for_is_told() -> None:
    values = _cells(ROW, "2026", 40, 20, 25, None)
    assert told(audit(values, [ROW])) == (
        Interval(Cell("figures", "2026", ("z",), "signals"), least=0, most=1, exact=True),
    )


def test_figures_that_no_counts_give_are_inconsistent() -> None:
    with pytest.raises(Inconsistent):
        audit(_cells(ROW, "2026", 10, 20, 25, None), [ROW])


def test_the_audit_counts_a_cell_as_told_when_the_solver_runs_out_of_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    values = _cells(ROW, "2026", 40, 20, None, None)
    assert told(audit(values, [ROW])) == ()
    monkeypatch.setattr("privacy.disclosure.solver._solve", lambda part, objective: None)
    assert len(told(audit(values, [ROW]))) == 2


def test_the_knowledge_of_a_stronger_adversary_narrows_the_intervals() -> None:
    values = _cells(ROW, "2026", 40, 20, None, None)
    y, z = (Cell("figures", "2026", (key,), "signals") for key in "yz")
    plain = {one.cell: one for one in audit(values, [ROW])}
    strong = {one.cell: one for one in audit(values, [ROW], known={y: (0, 9), z: (0, 9)})}
    assert (plain[z].least, plain[z].most) == (0, 24)
    assert (strong[z].least, strong[z].most) == (7, 9)


def test_a_cell_is_hidden_beside_one_that_the_total_would_tell() -> None:
    done = protect(_counts(ROW, "2026", 42, 18, 23, 1), [ROW], {}, chance=Coins())
    hidden = {"/".join(cell.keys) for cell, value in done.values.items() if value is None}
    assert "z" in hidden
    assert len(hidden) == 2
    assert done.withheld == frozenset()


def test_a_hidden_cell_that_rounding_protects_needs_nothing_beside_it() -> None:
    done = protect(_counts(ROW, "2026", 46, 21, 20, 5), [ROW], {}, chance=Coins())
    assert [value for value in done.values.values() if value is None] == [None]


def test_chance_hides_what_need_not_be_hidden() -> None:
    counts = _counts(ROW, "2026", 90, 30, 30, 30)
    assert None not in protect(counts, [ROW], {}, chance=Coins()).values.values()
    assert None in protect(counts, [ROW], {}, chance=Coins([1])).values.values()


def test_chance_never_hides_a_large_figure() -> None:
    counts = {Cell("figures", "2026", (), "signals"): 53}
    assert protect(counts, [table()], {}, chance=Coins([0])).values == {next(iter(counts)): 55}


def test_an_earlier_release_is_taken_into_account_and_stays_as_it_is() -> None:
    schema = table(periods=("quarter", "year"))
    quarters = {
        Cell("figures", f"2026-Q{n}", (), "signals"): count for n, count in enumerate((22, 22, 22), 1)
    }
    published: dict[Cell, int | None] = dict(protect(quarters, [schema], {}, chance=Coins()).values)
    assert set(published.values()) == {20}
    last = {Cell("figures", "2026-Q4", (), "signals"): 0, Cell("figures", "2026", (), "signals"): 66}
    done = protect({**quarters, **last}, [schema], published, chance=Coins())
    assert set(done.values) == set(last)
    assert told(audit({**published, **done.values}, [schema])) == ()


def test_a_table_is_withheld_when_nothing_else_helps() -> None:
    """The year and three quarters leave the fourth too little room, and none of them can be taken back."""
    schema = table(periods=("quarter", "year"))
    published: dict[Cell, int | None] = {Cell("figures", f"2026-Q{n}", (), "signals"): 20 for n in (1, 2, 3)}
    published[Cell("figures", "2026-Q4", (), "signals")] = None
    year = Cell("figures", "2026", (), "signals")
    done = protect({year: 55}, [schema], published, chance=Coins())
    assert done.values == {year: None}


def test_the_protocol_says_so_when_an_earlier_release_had_told_a_cell_already() -> None:
    schema = table(dimensions=[side("kind", "x")], periods=("quarter", "year"))
    # With one member the quarter and its margin are one number, in two cells.
    quarters = {Cell("figures", f"2026-Q{n}", ("x",), "signals"): 20 for n in (1, 2, 3)}
    last, year = (Cell("figures", period, ("x",), "signals") for period in ("2026-Q4", "2026"))
    new = {Cell("figures", "2026-Q4", ("total",), "signals"): 1}
    done = protect(new, [schema], {**quarters, last: None, year: 55}, chance=Coins())
    assert "Behalve voor 2 uit eerdere vrijgaven" in done.protocol["nl"]
    assert "Except for 2 of earlier releases" in done.protocol["en"]
    assert "Except" not in protect(new, [schema], {**quarters, last: None}, chance=Coins()).protocol["en"]


def test_counts_that_are_no_sums_of_each_other_are_refused_without_naming_a_count() -> None:
    with pytest.raises(Inconsistent) as caught:
        protect(_counts(ROW, "2026", 77, 19, 23, 1), [ROW], {}, chance=Coins())
    assert "77" not in str(caught.value)


def test_the_protocol_is_readable_and_tells_no_count() -> None:
    done = protect(_counts(ROW, "2026", 1_243, 1_219, 23, 1), [ROW], {}, chance=random.Random(1))
    assert list(done.protocol) == ["nl", "en"]
    for text in done.protocol.values():
        assert "| figures | 2026 | 4 |" in text
        assert all(word not in text for word in ("1243", "1219", "complementary", "{", "}"))


def test_a_median_is_shown_only_on_a_shown_base() -> None:
    schema = table(dimensions=[side("kind", "xy")], measures=[SIGNALS, MEDIAN])
    counts = _counts(schema, "2026", 45, 38, 7)
    medians = {Cell("figures", "2026", (key,), "median_hours"): 12 for key in ("total", "x", "y")}
    done = protect({**counts, **medians}, [schema], {}, chance=Coins())
    shown = {cell.keys[0] for cell in medians if done.values[cell] is not None}
    assert "y" not in shown
    assert len(shown) == 1, "a median of x beside that of the total would tell of the seven others"


def test_medians_of_all_parts_stand_beside_that_of_the_total() -> None:
    schema = table(dimensions=[side("kind", "xy")], measures=[SIGNALS, MEDIAN])
    medians = {Cell("figures", "2026", (key,), "median_hours"): 12 for key in ("total", "x", "y")}
    done = protect({**_counts(schema, "2026", 45, 25, 20), **medians}, [schema], {}, chance=Coins())
    assert {done.values[cell] for cell in medians} == {12}


def test_a_cell_that_can_only_be_nought_must_be_declared_impossible() -> None:
    sides = [side("kind", "xy"), side("size", "sl")]
    schema = table(dimensions=sides, impossible=[("x", "s"), ("x", "l")])
    counts = {cell: 0 if cell.keys[0] == "x" else 20 for cell in schema.cells("2026")}
    counts |= {cell: 40 for cell in counts if cell.keys in (("y", "total"), ("total", "total"))}
    with pytest.raises(ValueError, match="can only be 0"):
        protect(counts, [schema], {}, chance=Coins())
