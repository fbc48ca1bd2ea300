"""Words that staff read for results, reasons and kinds of areas: these depend on more than one code."""

from collections.abc import Mapping
from typing import Final

from signals.casework.outcomes import ReopenReason
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
