"""Areas as people read and write them: a name, a code or a postcode."""

from collections.abc import Sequence
from typing import Final

from flask_babel import gettext

from signals import reference
from signals.errors import FieldProblem, Invalid
from signals.routing.areas import Area
from signals.routing.rows import NATIONAL_AREA, CoverageLevel
from signals.web.labels import label
from signals.web.staff_kit import display

_MOST_PLACES: Final = 3


def area_words(area: Area) -> str:
    """Return `municipality: Utrecht, from 1 January 2026`."""
    numbers = f" {area.number_from}-{area.number_to}" if area.number_from is not None else ""
    level = label(CoverageLevel(area.level), display.page_language()).partition(" (")[0]
    place = f"{level.lower()}: {area_name(area.area)}{numbers}"
    if area.valid_until is None:
        return str(gettext("%(place)s, from %(day)s", place=place, day=display.day(area.valid_from)))
    until = display.day(area.valid_until)
    return str(gettext("%(place)s, until %(day)s (that day excluded)", place=place, day=until))


def area_name(area: str) -> str:
    """Return `Amsterdam`; a postcode or an unknown code stays as it is."""
    known = reference.municipalities().get(area) or reference.ggd_regions().get(area)
    return known.name if known else area


def places(areas: Sequence[str]) -> str:
    """Return `Amsterdam, Diemen and 3 more`; empty without an area."""
    names = [
        str(gettext("the whole country")) if area == NATIONAL_AREA else area_name(area) for area in areas
    ]
    words = ", ".join(names[:_MOST_PLACES])
    more = len(names) - _MOST_PLACES
    return str(gettext("%(places)s and %(num)d more", places=words, num=more)) if more > 0 else words


def area_names() -> list[str]:
    """Return the names of municipalities and GGD regions, to choose from."""
    regions = [one.name for one in reference.ggd_regions().values()]
    return sorted([one.name for one in reference.municipalities().values()] + regions)


def named_area(text: str, *, numbered: bool) -> tuple[CoverageLevel, str]:
    """Return level and code of an area as people write it: a name, a code or a postcode.

    `numbered`: house numbers go with it. An unknown name raises `Invalid`.
    """
    wanted = " ".join(text.split()).casefold()
    names = {code: one.name for code, one in reference.municipalities().items()}
    names |= {code: one.name for code, one in reference.ggd_regions().items()}
    for code, name in names.items():
        if wanted in (name.casefold(), code.casefold()):
            is_region = code in reference.ggd_regions()
            return CoverageLevel.GGD_REGION if is_region else CoverageLevel.MUNICIPALITY, code
    code = wanted.replace(" ", "").upper()
    if code == NATIONAL_AREA:
        return CoverageLevel.NATIONAL, code
    if code.isdecimal():
        return CoverageLevel.PC4, code
    if code[:4].isdecimal():
        return CoverageLevel.PC6_RANGE if numbered else CoverageLevel.PC6, code
    raise Invalid(FieldProblem(field="area", code="unknown_area"))
