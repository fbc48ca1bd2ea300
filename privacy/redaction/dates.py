"""Dates: of birth and others, in figures and with the month's name."""

import re
from typing import Final

from privacy.redaction.canvas import Canvas

MONTHS: Final = (
    "januari|jan|februari|feb|maart|mrt|april|apr|mei|juni|jun|juli|jul|augustus|aug|"
    "september|sept|sep|oktober|okt|november|nov|december|dec"
)
FULL: Final = re.compile(
    r"(?<![\d.-])(?:\d{1,2} ?[-/.] ?\d{1,2} ?[-/.] ?(?:19|20)\d\d|"
    r"(?:19|20)\d\d[-/.]\d{1,2}[-/.]\d{1,2})(?!\d)"
)
_SHORT: Final = re.compile(r"(?<![\d.-])(\d{1,2}) ?[-/.] ?(\d{1,2}) ?[-/.] ?'?\d\d(?![\d.-]\d|\d)")
WITH_MONTH: Final = re.compile(
    rf"(?<!\d)\d{{1,2}}(?:e|de|ste)?[ .-]{{0,2}}(?:{MONTHS})\b(?:[ .,-]{{1,3}}(?:(?:19|20)\d\d|'\d\d)\b)?"
)
_MONTH_YEAR: Final = re.compile(rf"\b(?:{MONTHS})[ .]{{1,2}}(?:(?:19|20)\d\d|'\d\d)\b")
_YEAR: Final = re.compile(r"(?:19|20|')\d\d\b")
_DAY_MONTH: Final = re.compile(
    r"(?:(?<=\bop )|(?<=\bsinds )|(?<=\bvanaf )|(?<=\bdd )|(?<=\bdatum ))(\d{1,2})[-/](\d{1,2})(?![\d-])"
    r"|(?<![\d-])(\d\d)[-/](\d\d)(?![\d-])"
)
_BIRTH: Final = re.compile(
    r"\b(?:geb\b|geboren|geborn|gebore|geboortejaar|geboortedatum|gebdatum|bouwjaar|jaargang)[ .:]{0,3}"
    r"(?:(?:in|is|op|van|jaar) ){0,2}"
    r"('?\d{2}\b|(?:19|20)\d\d\b|\d{1,2}[-/ .]\d{1,2}[-/ .]\d{2,4}\b|\d{6,8}\b)"
)
_OF_YEAR: Final = re.compile(r"\b(?:van|uit) (19[0-9]\d|'[0-9]\d)\b")
_UNIT_AFTER: Final = re.compile(
    r" ?(?:keer|x\b|dag|week|wek|maand|uur|ure|min|jaar|pakk|pers|mens|stuk|graden)"
)


def find_full_dates(canvas: Canvas) -> None:
    """Day, month and a year of four figures, in any order that is used; before telephone numbers."""
    if canvas.has_digits:
        canvas.take_all(FULL, "date")


def find_dates(canvas: Canvas) -> None:
    """All other dates; `2-3 weken`, `14.30 uur` and a month alone stay."""
    if not canvas.has_digits:
        return
    if "geb" in canvas.lower or "jaar" in canvas.lower:
        canvas.take_all(_BIRTH, "date", 1)
    for match in _SHORT.finditer(canvas.lower):
        if _is_day_month(match[1], match[2]):
            canvas.take(*match.span(), "date")
    canvas.take_all(WITH_MONTH, "date")
    if _YEAR.search(canvas.lower):
        canvas.take_all(_MONTH_YEAR, "date")
        canvas.take_all(_OF_YEAR, "date", 1)
    for match in _DAY_MONTH.finditer(canvas.lower):
        if _is_day_month(match[1] or match[3], match[2] or match[4]) and not _has_unit(canvas, match.end()):
            canvas.take(*match.span(), "date")


def _is_day_month(day: str, month: str) -> bool:
    low, high = sorted((int(day), int(month)))
    return 1 <= low <= 12 and high <= 31


def _has_unit(canvas: Canvas, position: int) -> bool:
    return _UNIT_AFTER.match(canvas.lower, position) is not None
