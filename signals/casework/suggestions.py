"""Suggest what to try next, from the figures of signals of debts [Divosa 2023]."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, TypeVar

from signals.clock import AMSTERDAM
from signals.models import ContactAttempt, Signal
from signals.vocabulary import OPEN_STATES, AttemptKind, AttemptResult

_Choice = TypeVar("_Choice")

REACHED: Final = frozenset({AttemptResult.CONTACT, AttemptResult.REFUSED})
"""Results that mean that a worker spoke with the resident, also when the resident refused help."""

DIVOSA: Final = "divosa_2023"
_KINDS: Final = (
    AttemptKind.VISIT,
    AttemptKind.CARD,
    AttemptKind.PHONE,
    AttemptKind.THROUGH_OTHER,
    AttemptKind.LETTER,  # last: a letter alone reaches one in sixteen
)
_AT_A_TIME: Final = frozenset({AttemptKind.VISIT, AttemptKind.PHONE})
_NOTHING_MORE_TO_TRY: Final = REACHED | {AttemptResult.WRONG_ADDRESS}
_FIGURES: Final[Mapping[str, Mapping[str, int]]] = {
    "first_attempt": {"one_or_two_attempts": 18, "four_or_more_mixed": 37},
    "other_kind_other_time": {"one_or_two_attempts": 18, "four_or_more_mixed": 37},
    "letter_alone_reaches_few": {"letter_only": 6, "four_or_more_mixed": 37},
    "as_agreed": {},
    "drawn": {},
    "urgent": {},
}


class PartOfDay(StrEnum):
    """Divide a day by the clock in Amsterdam: before 12, 12 to 17, from 17 on."""

    MORNING = "morning"
    AFTERNOON = "afternoon"
    EVENING = "evening"


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """Hold the next best attempt; `part_of_day` is None if it does not matter.

    `figures`: percent reached, by `source`: Divosa, or the years of this scheme's own released figures, which
    are about one kind of attempt (`figures_of`) or about all (None).
    """

    kind: AttemptKind
    part_of_day: PartOfDay | None
    reason_code: str
    figures: Mapping[str, int]
    source: str = DIVOSA
    figures_of: AttemptKind | None = None


def next_best_attempt(
    signal: Signal,
    attempts: Sequence[ContactAttempt],
    drawn: Sequence[AttemptKind] = (),
    *,
    without: Container[AttemptKind] = (),
) -> Suggestion | None:
    """Return what to try next: another kind, at another part of the day; None when nothing is left.

    `drawn`: the order of the first two attempts that a comparison drew; an urgent signal gets a visit first.
    `without`: kinds that no suggestion names, because by the scheme's figures they reach nobody.
    No report holds a telephone number, so somebody must have called before: then a number is known.

    Figures [Divosa 2023], percent reached: one or two attempts 18, four or more mixed 37, letters only 6.
    """
    tried = sorted(attempts, key=lambda attempt: attempt.attempted_at)
    last = tried[-1] if tried else None
    if signal.state not in OPEN_STATES or (last and last.result in _NOTHING_MORE_TO_TRY):
        return None
    if last and last.result is AttemptResult.POSTPONED and last.postponed_until == signal.postponed_until:
        return _suggest(last.kind, tried, "as_agreed")
    if signal.urgent and not tried:
        return _suggest(AttemptKind.VISIT, tried, "urgent")
    if not signal.urgent and (kind := next_of_order(drawn, tried)):
        return _suggest(kind, tried, "drawn")
    used = [attempt.kind for attempt in tried]
    kinds = tuple(
        kind for kind in _KINDS if kind not in without and (kind is not AttemptKind.PHONE or kind in used)
    )
    return _suggest(_least_used(kinds, used), tried, _why(tried)) if kinds else None


def next_of_order(drawn: Sequence[AttemptKind], tried: Sequence[ContactAttempt]) -> AttemptKind | None:
    """Return the first attempt of a drawn order that was not tried yet; None once two were tried."""
    if len(tried) >= len(drawn):
        return None
    kinds = {attempt.kind for attempt in tried}
    return next((kind for kind in drawn if kind not in kinds), None)


def _why(tried: Sequence[ContactAttempt]) -> str:
    if not tried:
        return "first_attempt"
    if all(attempt.kind is AttemptKind.LETTER for attempt in tried):
        return "letter_alone_reaches_few"
    return "other_kind_other_time"


def _suggest(kind: AttemptKind, tried: Sequence[ContactAttempt], reason_code: str) -> Suggestion:
    parts = [part_of_day(attempt.attempted_at) for attempt in tried if attempt.kind in _AT_A_TIME]
    part = _least_used(tuple(PartOfDay), parts) if kind in _AT_A_TIME else None
    return Suggestion(kind=kind, part_of_day=part, reason_code=reason_code, figures=_FIGURES[reason_code])


def part_of_day(moment: datetime) -> PartOfDay:
    """Return the part of the day in Amsterdam."""
    hour = moment.astimezone(AMSTERDAM).hour
    if hour < 12:
        return PartOfDay.MORNING
    return PartOfDay.AFTERNOON if hour < 17 else PartOfDay.EVENING


def _least_used(choices: tuple[_Choice, ...], used: Sequence[_Choice]) -> _Choice:
    """Return the choice used least, the one used last only if it is the only one; the first of equals."""
    others = [choice for choice in choices if not used or choice != used[-1]]
    return min(others or choices, key=used.count)
