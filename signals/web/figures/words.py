"""Words for the codes of released tables, and numbers as people write them, in Dutch and English."""

from datetime import date
from enum import StrEnum
from fractions import Fraction
from typing import Final

from babel.dates import format_date
from babel.numbers import format_decimal, format_percent
from flask_babel import get_locale, gettext

from signals import reference
from signals.statistics.intervals import Interval
from signals.vocabulary import AttemptKind, ConcernType, Outcome
from signals.web.http.i18n import DEFAULT
from signals.web.labels import words_for

REGION: Final = "region"
_ENUMS: Final[dict[str, type[StrEnum]]] = {
    "outcome": Outcome,
    "concern_type": ConcernType,
    "kind": AttemptKind,
}
"""Dimensions of which members are an enum; other members have a context of their own."""


def language() -> str:
    """Return the language of this page: "nl" or "en"."""
    locale = get_locale()
    return "en" if locale is not None and locale.language == "en" else DEFAULT


def member(dimension: str, code: str, in_language: str = "") -> str:
    """Return the words for a member of a dimension, in the language of the page or another."""
    region = reference.ggd_regions().get(code) if dimension == REGION else None
    if region:
        return region.name
    return words_for(context_of(dimension, code), code, in_language or language())


def context_of(dimension: str, code: str) -> str:
    """Return the context of the message for a member of a dimension."""
    enum = _ENUMS.get(dimension)
    return enum.__name__ if enum and code in set(enum) else f"figures.{dimension}"


def dimension(name: str) -> str:
    """Return the words for a dimension."""
    return words_for("figures.dimension", name, language())


def measure(name: str) -> str:
    """Return the words for a measure."""
    return words_for("figures.measure", name, language())


def title(table: str, in_language: str = "") -> str:
    """Return the title of a table, in the language of the page or another."""
    return words_for("figures.table", table, in_language or language())


def breakable(name: str) -> str:
    """Return a name with the places where a narrow screen may break it."""
    return name.replace("/", "/\u200b").replace("heidsregio", "heids\u00adregio")


def number(value: float) -> str:
    """Return a whole number as people write it."""
    return str(format_decimal(round(value), locale=language()))


def decimal(value: Fraction) -> str:
    """Return a number with two decimals."""
    return str(format_decimal(float(value), format="0.00", locale=language()))


def percent(value: float) -> str:
    """Return a share of 1 in whole percents."""
    return str(format_percent(round(value, 2), format="#,##0%", locale=language()))


def percents(found: Interval) -> str:
    """Return the interval of a share: `14-20%`."""
    return f"{percent(found.low).removesuffix('%')}–{percent(found.high)}"


def numbers(found: Interval) -> str:
    """Return the interval of a count: `410-470`."""
    return f"{number(found.low)}–{number(found.high)}"


def points(found: Interval) -> str:
    """Return the interval of a difference in percentage points, without its sign; it excludes zero."""
    low, high = sorted((abs(found.low), abs(found.high)))
    least = number(100 * low) if low >= 0.005 else _tenths(max(100 * low, 0.1))
    return f"{least}–{number(100 * high)}"


def signed(value: float) -> str:
    """Return a difference in percentage points with its sign: `+8`."""
    return str(format_decimal(round(100 * value), format="+#,##0;-#,##0", locale=language()))


def signed_range(found: Interval) -> str:
    """Return the interval of a difference: `-1 to +17`."""
    return str(gettext("%(low)s to %(high)s", low=signed(found.low), high=signed(found.high)))


def _tenths(value: float) -> str:
    return str(format_decimal(value, format="0.0", locale=language()))


def period(text: str) -> str:
    """Return a period in words: the third quarter of 2026, 2026, 2024 up to and including 2026."""
    year, _, rest = text.partition("-")
    if rest.startswith("Q"):
        return str(gettext("quarter %(quarter)s of %(year)s", quarter=rest[1:], year=year))
    if rest:
        return str(gettext("%(first)s up to and including %(last)s", first=year, last=rest))
    return year


def day(value: date) -> str:
    """Return a day as `24 november 2026`."""
    return str(format_date(value, "d MMMM y", locale=language()))


def reliability() -> list[str]:
    """Return the sentences that hold for every released number."""
    return [
        gettext(
            "Each number has a little noise: an amount drawn by chance. It hides what happened to one "
            "resident. The noise was drawn once, and a release never changes."
        ),
        gettext(
            "The range beside a number holds the true value in 95 of 100 cases. It covers the noise and the "
            "chance by which one year differs from another."
        ),
    ]


def little() -> str:
    """Return the words for a number whose interval says too little."""
    return str(gettext("there is too little here to say anything yet"))


def pale_key() -> str:
    """Return the meaning of a pale number."""
    return str(gettext("Grey, and an open dot in the chart: %(little)s.", little=little()))
