"""Which areas can be covered, and from when: one rule for what is given and for what is there already."""

import re
from collections.abc import Iterator
from datetime import date
from typing import Final, Protocol

from signals import reference
from signals.errors import FieldProblem
from signals.routing.postcodes import HIGHEST_HOUSE_NUMBER, InvalidPostcode, parse_postcode
from signals.routing.table import NATIONAL_AREA, CoverageLevel

EARLIEST: Final = date(2000, 1, 1)
"""No coverage starts before this day: the shipped boundary changes reach back to 2021, and an earlier year
is a slip of the pen."""

_PC4: Final = re.compile("[1-9][0-9]{3}")
_POSTCODES: Final = frozenset({CoverageLevel.PC6, CoverageLevel.PC6_RANGE})


class AnyArea(Protocol):
    """An area and the dates and house numbers that go with it, as `CoverageRow` describes them."""

    @property
    def level(self) -> str: ...
    @property
    def area(self) -> str: ...
    @property
    def number_from(self) -> int | None: ...
    @property
    def number_to(self) -> int | None: ...
    @property
    def valid_from(self) -> date: ...
    @property
    def valid_until(self) -> date | None: ...


def area_problems(area: AnyArea) -> Iterator[FieldProblem]:
    """What is wrong with an area to cover, by field.

    Codes: `invalid_value` and `letters_not_issued` for `area`, `out_of_range` for numbers and `valid_until`,
    `too_early` for `valid_from`.
    """
    level = CoverageLevel(area.level)
    if level in _POSTCODES and not_issued(area.area):
        yield FieldProblem(field="area", code="letters_not_issued")
    elif not area_exists(level, area.area):
        yield FieldProblem(field="area", code="invalid_value")
    yield from _number_problems(level, area)
    if area.valid_from < EARLIEST:
        yield FieldProblem(field="valid_from", code="too_early")
    if area.valid_until is not None and area.valid_until <= area.valid_from:
        yield FieldProblem(field="valid_until", code="out_of_range")


def area_exists(level: CoverageLevel, area: str) -> bool:
    """Municipalities of any date pass: coverage is prepared before a merger. Postcodes by their shape."""
    match level:
        case CoverageLevel.MUNICIPALITY:
            geography = reference.geography()
            merged = {change.new_code for change in geography.boundary_changes}
            return area in geography.municipalities or area in merged
        case CoverageLevel.GGD_REGION:
            return area in reference.ggd_regions()
        case _:
            return has_shape(level, area)


def has_shape(level: CoverageLevel, area: str) -> bool:
    """Whether a postcode can be issued, or the nation is this one; new postcodes come every month."""
    match level:
        case CoverageLevel.NATIONAL:
            return area == NATIONAL_AREA
        case CoverageLevel.PC4:
            return _PC4.fullmatch(area) is not None
        case _:
            return _issued(area)


def not_issued(postcode: str) -> bool:
    """Whether the letters of a postcode are among those that are never issued (SA, SD, SS)."""
    try:
        parse_postcode(postcode)
    except InvalidPostcode as problem:
        return problem.code == "letters_not_issued"
    return False


def _issued(postcode: str) -> bool:
    try:
        return parse_postcode(postcode) == postcode
    except InvalidPostcode:
        return False


def _number_problems(level: CoverageLevel, area: AnyArea) -> Iterator[FieldProblem]:
    first, last = area.number_from, area.number_to
    wanted = 2 if level is CoverageLevel.PC6_RANGE else 0
    if (first is not None) + (last is not None) != wanted:
        yield FieldProblem(field="number_from", code="out_of_range")
    elif first is not None and last is not None and not 1 <= first <= last <= HIGHEST_HOUSE_NUMBER:
        yield FieldProblem(field="number_to", code="out_of_range")
