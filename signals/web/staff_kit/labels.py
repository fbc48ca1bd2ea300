"""Words for results, reasons, kinds of areas and periods: these depend on more than one code."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from babel.dates import format_timedelta

from signals.casework.outcomes import ReopenReason
from signals.retention.expiry import RECORDS_KEPT_DAYS
from signals.routing.rows import CoverageLevel
from signals.staff.departures import ACCOUNT_DISABLED, ROLE_CHANGED
from signals.vocabulary import AttemptKind, AttemptResult, DeferralReason, NotReachedReason, ReferralReason
from signals.web.labels import label, mark, text

_OF_THE_SYSTEM: Final[Mapping[str, str]] = {
    ACCOUNT_DISABLED: mark("The account was shut"),
    ROLE_CHANGED: mark("The colleague has another role"),
}
_WITHOUT_ANSWER: Final = frozenset({AttemptKind.LETTER, AttemptKind.CARD})
"""Mail in a letter box: nobody can fail to answer it."""
_VOWEL_MARKS: Final = re.compile(r"[\u064b-\u0652]")
"""Arabic does without them. Above a letter they would break the word for a screen reader."""


def result_label(kind: AttemptKind, result: AttemptResult, language: str) -> str:
    """Return the words for the result of an attempt; a letter without an answer was delivered."""
    if result is AttemptResult.NO_ANSWER and kind in _WITHOUT_ANSWER:
        return text(mark("Delivered, no reply yet"), language)
    return label(result, language)


def reason_label(code: str, language: str) -> str:
    """Return the words for a reason in the history, or nothing for another code of the system."""
    if code in _OF_THE_SYSTEM:
        return text(_OF_THE_SYSTEM[code], language)
    for codes in (NotReachedReason, ReopenReason, ReferralReason, DeferralReason):
        if code in codes.__members__.values():
            return label(codes(code), language)
    return ""


def level_words(level: str, language: str) -> str:
    """Return the words for a kind of area as the trail names it; another text stays as it is."""
    return label(CoverageLevel(level), language) if level in CoverageLevel.__members__.values() else level


def in_days(days: int, language: str) -> str:
    """Return a number of days in words, never as weeks or months."""
    never_weeks = float(days + 1)  # babel takes a larger unit from this number of it on
    words = format_timedelta(timedelta(days=days), "day", never_weeks, locale=language)
    return _VOWEL_MARKS.sub("", words)


def kept_after_deletion(language: str) -> list[str]:
    """Return what stays after the deletion of a report, as letters and the answer of art. 15 AVG say it."""
    record = mark(
        "After that we keep for %(days)s that there was a report, without the address. We keep for 24"
        " months who opened it, also without the address. It still counts in figures that show no person."
    )
    code = mark(
        "Only a code made from this address is kept for 12 months. With it we see whether another"
        " report comes in. The address itself is not in it."
    )
    return [text(record, language, days=in_days(RECORDS_KEPT_DAYS, language)), text(code, language)]
