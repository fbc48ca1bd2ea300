"""An area to cover exists, can be written on an envelope, and starts in this century."""

from datetime import date, timedelta

import pytest

from signals.routing.areas import EARLIEST, Area, area_problems


def problems(level: str, area: str, **more: object) -> list[tuple[str, str]]:
    values: dict[str, object] = {"level": level, "area": area, "valid_from": EARLIEST} | more
    return [(found.field, found.code) for found in area_problems(Area(**values))]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("level", "area"),
    [
        ("pc6", "1012AB"),
        ("pc4", "1012"),
        ("municipality", "GM0363"),
        ("municipality", "GM0402"),
        ("ggd_region", "GG3406"),
        ("national", "NL"),
    ],
)
def test_an_area_that_exists_has_no_problem(level: str, area: str) -> None:
    assert problems(level, area) == []


@pytest.mark.parametrize(
    ("level", "area"),
    [
        ("pc6", "1012ab"),
        ("pc6", "1012 AB"),
        ("pc6", "0999AB"),
        ("pc4", "0999"),
        ("pc4", "1012AB"),
        ("municipality", "GM9999"),
        ("ggd_region", "GG0001"),
        ("national", "BE"),
    ],
)
def test_an_unknown_area_is_a_problem_of_the_area(level: str, area: str) -> None:
    assert problems(level, area) == [("area", "invalid_value")]


@pytest.mark.parametrize("letters", ["SS", "SA", "SD"])
def test_letters_that_are_never_issued_are_called_that(letters: str) -> None:
    assert problems("pc6", f"1234{letters}") == [("area", "letters_not_issued")]
    numbers = {"number_from": 1, "number_to": 9}
    assert problems("pc6_range", f"1234{letters}", **numbers) == [("area", "letters_not_issued")]


@pytest.mark.parametrize("start", [date(1, 1, 1), EARLIEST - timedelta(days=1)])
def test_coverage_does_not_start_before_this_century(start: date) -> None:
    assert problems("pc4", "1012", valid_from=start) == [("valid_from", "too_early")]


@pytest.mark.parametrize(
    ("numbers", "field"),
    [((None, None), "number_from"), ((1, None), "number_from"), ((9, 1), "number_to"), ((0, 1), "number_to")],
)
def test_house_numbers_go_with_a_range_and_are_in_order(
    numbers: tuple[int | None, int | None], field: str
) -> None:
    found = problems("pc6_range", "1012AB", number_from=numbers[0], number_to=numbers[1])
    assert found == [(field, "out_of_range")]
