"""Words for the codes of released tables, and numbers as people write them, in Dutch and English."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Final

from babel.dates import format_date
from babel.numbers import format_decimal, format_percent
from flask_babel import get_locale, gettext

from privacy.disclosure.tables import QUARTER, TOTAL, WINDOW, read_period
from signals import reference
from signals.statistics.old_menu import UNKNOWN, menu, stem
from signals.vocabulary import ConcernType, Outcome
from signals.web.figures.shares import Share
from signals.web.http.i18n import DEFAULT
from signals.web.labels import words_for

_ENUMS: Final = {"outcome": Outcome.__name__, "concern_type": ConcernType.__name__}
"""Dimensions of which the members are an enum; the members of others have a context of their own."""


def language() -> str:
    """Return the language of this page: "nl" or "en"."""
    locale = get_locale()
    return "en" if locale is not None and locale.language == "en" else DEFAULT


def member(dimension: str, code: str) -> str:
    """Return the words for a member of a dimension; `total` is the margin."""
    areas = _AREAS.get(stem(dimension))
    if code == TOTAL:
        return str(gettext("The whole country") if areas else gettext("Total"))
    if areas:
        return str(gettext("Address unknown")) if code == UNKNOWN else areas(code)
    return words_for(context_of(dimension), code, language())


def members(name: str) -> tuple[str, ...]:
    """Return the codes of the members of a dimension, in the order of the menu."""
    return next(side.members for schema in menu() for side in schema.dimensions if side.name == name)


def context_of(dimension: str) -> str:
    """Return the context of the messages for the members of a dimension."""
    return _ENUMS.get(dimension, f"figures.{dimension}")


def breakable(name: str) -> str:
    """Return a name with the places where a narrow screen may break it."""
    return name.replace("/", "/\u200b").replace("heidsregio", "heids\u00adregio")


def dimension(name: str) -> str:
    """Return the words for a dimension."""
    return words_for("figures.dimension", stem(name), language())


def measure(name: str) -> str:
    """Return the words for a measure."""
    return words_for("figures.measure", name, language())


def number(value: float) -> str:
    """Return a number as people write it."""
    return str(format_decimal(value, locale=language()))


def percent(value: float) -> str:
    """Return a share of 1 in whole percents."""
    return str(format_percent(round(value, 2), format="#,##0%", locale=language()))


def with_range(found: Share | None) -> str | None:
    """Return a share and, below it, the range that rounding leaves: `22%`, `(18-26%)`. None: hidden."""
    if found is None:
        return None
    low, high = percent(found.low), percent(found.high)
    return (
        percent(found.value) if low == high else f"{percent(found.value)}\n({low.removesuffix('%')}–{high})"
    )


def period(text: str) -> str:
    """Return a period in words: the third quarter of 2026, 2026, 2023 up to and including 2026."""
    found = read_period(text)
    if found.kind == QUARTER:
        return str(gettext("quarter %(quarter)d of %(year)d", quarter=found.quarter, year=found.first))
    if found.kind == WINDOW:
        return str(gettext("%(first)d up to and including %(last)d", first=found.first, last=found.last))
    return str(found.first)


def short_quarter(text: str) -> str:
    """Return a quarter on two lines, for below a column."""
    found = read_period(text)
    quarter = gettext("Q%(quarter)d", quarter=found.quarter)
    return f"{quarter}\n{found.first}"


def day(value: date) -> str:
    """Return a day as `24 november 2026`."""
    return str(format_date(value, "d MMMM y", locale=language()))


def _region(code: str) -> str:
    found = reference.ggd_regions().get(code)
    return found.name if found else code


def _municipality(member: str) -> str:
    """Return the name, also of a municipality that has ended or changed region: releases keep those."""
    code, _, region = member.partition("-")
    found = reference.municipalities().get(code)
    name = found.name if found else _names_of_others().get(code, code)
    return f"{name} ({_region(region)})" if region else name


def _names_of_others() -> Mapping[str, str]:
    changes = reference.boundary_changes()
    return {each.new_code: each.new_name for each in changes} | {
        each.old_code: each.old_name for each in changes
    }


_AREAS: Final[Mapping[str, Callable[[str], str]]] = {"region": _region, "municipality": _municipality}
