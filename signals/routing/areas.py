"""The areas that an organisation can cover: one set of rules for page, API, CSV file and stored coverage."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final, Protocol

from signals import reference
from signals.errors import FieldProblem
from signals.routing.postcodes import HIGHEST_HOUSE_NUMBER, InvalidPostcode, parse_postcode
from signals.routing.rows import NATIONAL_AREA, CoverageLevel

EARLIEST: Final = date(2000, 1, 1)
"""No coverage starts before this day: boundary changes begin in 2021, an earlier year is a slip."""

_PC4: Final = re.compile("[1-9][0-9]{3}")
_POSTCODES: Final = frozenset({CoverageLevel.PC6, CoverageLevel.PC6_RANGE})


class AnyArea(Protocol):
    """An area with its dates and house numbers; `CoverageRow` describes them."""

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


@dataclass(frozen=True, kw_only=True)
class Area:
    """An area to cover from a date; `level` and `area` as in `CoverageArea`."""

    level: str
    area: str
    valid_from: date
    valid_until: date | None = None
    number_from: int | None = None
    number_to: int | None = None


def areas_overlap(one: AnyArea, other: AnyArea) -> bool:
    """Return whether two rows of the same area share a date and a house number."""
    last_day = min(one.valid_until or date.max, other.valid_until or date.max)
    last = min(one.number_to or HIGHEST_HOUSE_NUMBER, other.number_to or HIGHEST_HOUSE_NUMBER)
    shares_number = max(one.number_from or 1, other.number_from or 1) <= last
    return shares_number and max(one.valid_from, other.valid_from) < last_day


def area_problems(area: AnyArea) -> Iterator[FieldProblem]:
    """Yield the problems of an area to cover, by field.

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
    """Return whether an area can exist; municipalities of later dates pass, postcodes by their shape."""
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
    """Return whether a postcode can be issued, or the area is `NL`; new postcodes appear every month."""
    match level:
        case CoverageLevel.NATIONAL:
            return area == NATIONAL_AREA
        case CoverageLevel.PC4:
            return _PC4.fullmatch(area) is not None
        case _:
            return _issued(area)


def not_issued(postcode: str) -> bool:
    """Return whether the letters of a postcode are never issued (SA, SD, SS)."""
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
