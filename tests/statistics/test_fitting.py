"""The numbers to show: none is negative, the sums fit, and each lies near the noisy one."""

from collections.abc import Callable, Mapping
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from signals.statistics.fitting import fitted
from signals.statistics.menu import Codes, PeriodKind, Table, tables_of
from signals.statistics.publications import ReleasedTable

YEARLY = tables_of(PeriodKind.YEAR)


def _released(table: Table, noisy: Mapping[Codes, int]) -> ReleasedTable:
    return ReleasedTable(**vars(table), period="2026", drawn_on=date(2027, 2, 4), noisy=noisy)


def _year(count: Callable[[Table, Codes], int]) -> list[ReleasedTable]:
    return [_released(table, {cell: count(table, cell) for cell in table.cells}) for table in YEARLY]


@given(st.data())
def test_no_number_is_negative_and_every_sum_is_the_same(data: st.DataObject) -> None:
    tables = _year(lambda _table, _cell: data.draw(st.integers(-200, 400)))
    shown = fitted(tables)
    whole = sum(shown["outcomes"].values())
    assert all(count >= 0 for table in shown.values() for count in table.values())
    assert sum(shown["regions"].values()) == whole
    for flag in ("in_time", "repeat"):
        assert shown["course"][flag, "yes"] + shown["course"][flag, "no"] == whole


def test_numbers_that_fit_stay_as_they_are() -> None:
    sizes = {"regions": 52, "outcomes": 16, "course": 2}
    tables = _year(lambda table, _cell: 832 // sizes.get(table.code, 4))
    assert fitted(tables) == {table.code: dict(table.noisy) for table in tables}


def test_the_sum_follows_the_table_with_the_least_noise() -> None:
    tables = _year(lambda table, _cell: {"outcomes": 50, "regions": 20}.get(table.code, 1))
    whole = sum(fitted(tables)["outcomes"].values())
    assert (
        780 < whole < 900
    )  # outcomes sum to 800 (variance 509), regions to 1,040 (641), the flags to 2 (3,600)


def test_a_year_without_signals_shows_zeros() -> None:
    shown = fitted(_year(lambda _table, _cell: -3))
    assert {count for table in shown.values() for count in table.values()} == {0}


def test_one_table_alone_is_fitted_too() -> None:
    outcomes = next(table for table in YEARLY if table.code == "outcomes")
    noisy = dict(zip(outcomes.cells, [9, 5, -2, *[0] * 13], strict=True))
    assert sum(fitted([_released(outcomes, noisy)])["outcomes"].values()) == 12
