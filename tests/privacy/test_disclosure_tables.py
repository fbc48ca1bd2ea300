"""Tables and relations: what is tied to what, and what a schema refuses to be."""

import json
from typing import Any

import pytest

from privacy.disclosure.relations import relations
from privacy.disclosure.tables import Cell, Dimension, Measure, Period, Relation, Schema, read_period
from signals.statistics.old_menu import menu
from tests.support.disclosure import SIGNALS, side, table

SIDES = [side("kind", "xy")]
REACHED = Measure(name="reached", part_of="signals")


def _cell(period: str, *keys: str, name: str = "figures", measure: str = "signals") -> Cell:
    return Cell(name, period, keys, measure)


def _all(schema: Schema, *periods: str) -> list[Cell]:
    return [cell for period in periods for cell in schema.cells(period)]


def test_members_add_up_to_the_margin() -> None:
    schema = table(dimensions=SIDES)
    found = relations([schema], _all(schema, "2026"))
    assert found == [Relation(_cell("2026", "total"), (_cell("2026", "x"), _cell("2026", "y")), exact=True)]


def test_members_of_which_several_may_apply_are_each_at_most_the_margin() -> None:
    schema = table(dimensions=[side("kind", "xy", exclusive=False)])
    found = relations([schema], _all(schema, "2026"))
    assert {(relation.total, relation.parts, relation.exact) for relation in found} == {
        (_cell("2026", "total"), (_cell("2026", member),), False) for member in "xy"
    }


def test_a_year_is_its_four_quarters_and_at_least_three_of_them() -> None:
    schema = table()
    quarters = [_cell(f"2026-Q{number}") for number in (1, 2, 3, 4)]
    assert relations([schema], [_cell("2026"), *quarters]) == [
        Relation(_cell("2026"), tuple(quarters), exact=True)
    ]
    assert relations([schema], [_cell("2026"), *quarters[:3]]) == [
        Relation(_cell("2026"), tuple(quarters[:3]), exact=False)
    ]


def test_quarters_meet_a_window_in_years_that_nobody_published() -> None:
    schema = table()
    quarters = [_cell(f"{year}-Q{number}") for year in (2025, 2026) for number in (1, 2, 3, 4)]
    found = relations([schema], [_cell("2025-2026"), *quarters])
    assert {relation.total.table for relation in found} == {"", "figures"}
    assert len(found) == 3


def test_towns_add_up_to_a_region_that_another_table_shows() -> None:
    towns = Dimension(name="town", members=("a", "b"), parent={"a": "N", "b": "N"}, within="region")
    schemas = [table("towns", dimensions=[towns]), table("regions", dimensions=[side("region", "N")])]
    found = relations(schemas, [cell for schema in schemas for cell in schema.cells("2026")])
    parts = tuple(_cell("2026", town, name="towns") for town in "ab")
    assert Relation(_cell("2026", "N", name="regions"), parts, exact=True) in found


def test_the_same_fact_in_two_tables_is_one_number() -> None:
    one = table("one", dimensions=SIDES)
    other = table("other", measures=[SIGNALS, Measure(name="of_x", part_of="signals", same_as=("kind", "x"))])
    found = relations([one, other], [*_all(one, "2026"), *_all(other, "2026")])
    same = Relation(
        _cell("2026", "x", name="one"), (_cell("2026", name="other", measure="of_x"),), exact=True
    )
    assert same in found


def test_tables_that_count_other_things_are_not_tied() -> None:
    one, other = table("one"), table("other", counted_by="concluded")
    assert relations([one, other], [_cell("2026", name="one"), _cell("2026", name="other")]) == []


def test_a_sub_count_is_at_most_what_it_is_part_of() -> None:
    schema = table(measures=[SIGNALS, REACHED])
    assert relations([schema], _all(schema, "2026")) == [
        Relation(_cell("2026"), (_cell("2026", measure="reached"),), exact=False)
    ]


def test_cells_that_cannot_occur_are_no_cells_and_complete_the_sum_without_them() -> None:
    schema = table(dimensions=[side("kind", "xyz")], impossible=[("z",)])
    cells = _all(schema, "2026")
    assert _cell("2026", "z") not in cells
    assert [relation.exact for relation in relations([schema], cells)] == [True]


def test_a_median_is_in_no_relation() -> None:
    median = Measure(name="median_hours", derived=True, base="signals")
    schema = table(dimensions=SIDES, measures=[SIGNALS, median])
    found = relations([schema], _all(schema, "2026"))
    assert {cell.measure for one in found for cell in (one.total, *one.parts)} == {"signals"}


def test_tables_that_disagree_on_a_dimension_are_refused() -> None:
    one, other = (
        table("one", dimensions=[side("kind", "xy")]),
        table("other", dimensions=[side("kind", "xyz")]),
    )
    with pytest.raises(ValueError, match="do not agree"):
        relations([one, other], [])


@pytest.mark.parametrize(
    "cell",
    [
        _cell("2026", "w"),
        _cell("2026"),
        _cell("2026", "x", measure="other"),
        _cell("2026", "x", name="other"),
        _cell("2026-Q5", "x"),
        _cell("2026-2025", "x"),
    ],
)
def test_a_cell_of_no_table_is_refused(cell: Cell) -> None:
    with pytest.raises(ValueError, match=r"no such cell|not a period"):
        relations([table(dimensions=SIDES)], [cell])


def test_a_period_of_a_kind_that_is_not_published_is_refused() -> None:
    with pytest.raises(ValueError, match="not published per quarter"):
        relations([table(periods=["year"])], [_cell("2026-Q1")])


def test_periods_are_taken_apart() -> None:
    assert read_period("2026-Q3") == Period("quarter", 2026, 2026, 3)
    assert read_period("2026") == Period("year", 2026, 2026, 0)
    assert read_period("2023-2026") == Period("window", 2023, 2026, 0)


@pytest.mark.parametrize("schema", menu(), ids=lambda schema: schema.name)
def test_every_table_of_the_menu_survives_its_json(schema: Schema) -> None:
    assert Schema.from_json(json.loads(json.dumps(schema.as_json()))) == schema


@pytest.mark.parametrize(
    "change",
    [
        {"name": "Naam met spaties"},
        {"measures": []},
        {"measures": [{"name": "signals", "part_of": "nothing"}]},
        {"measures": [{"name": "a", "part_of": "b"}, {"name": "b", "part_of": "a"}]},
        {"measures": [{"name": "hours", "derived": True}]},
        {"measures": [{"name": "signals", "same_as": ["kind", "x"]}]},
        {"dimensions": [{"name": "kind", "members": ["total"], "exclusive": True}]},
        {"dimensions": [{"name": "kind", "members": ["x", "x"], "exclusive": True}]},
        {"dimensions": [{"name": "kind", "members": ["x"], "exclusive": "yes"}]},
        {"dimensions": [{"name": "kind", "members": ["x"], "exclusive": True, "parent": {"x": "N"}}]},
        {"dimensions": "kind"},
        {"periods": ["month"]},
        {"impossible": [["x", "y"]]},
        {"counted_by": None},
        {"surprise": 1},
    ],
)
def test_a_schema_that_makes_no_sense_is_refused_in_words(change: dict[str, Any]) -> None:
    good = table(dimensions=SIDES).as_json()
    Schema.from_json(good)
    with pytest.raises(ValueError, match=r"^(table|dimension|measure|name|dimensions|members|counted_by)"):
        Schema.from_json({**good, **change})
