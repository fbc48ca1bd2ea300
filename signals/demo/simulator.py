"""Simulate teams that obey the desk: they stop at contact, and try three times before "not reached".

A first visit reaches one resident in six, a card or call fewer, a letter few. That is the effect that the
figures must find. In all, one signal in five leads to contact. [Divosa 2023]
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Final

from signals.clock import AMSTERDAM
from signals.demo.data import weights
from signals.lifecycle.deadlines import add_working_days
from signals.statistics.facts import Attempt, Course
from signals.vocabulary import AttemptKind, AttemptResult, ConcernType, NotReachedReason, Outcome

CONTACT: Final[Mapping[str, float]] = {
    AttemptKind.VISIT: 0.17,
    AttemptKind.PHONE: 0.12,
    AttemptKind.THROUGH_OTHER: 0.13,
    AttemptKind.CARD: 0.09,
    AttemptKind.LETTER: 0.04,
}
"""The chance of contact at the first attempt of each kind."""

LATER: Final = 0.7
"""The chance of each next attempt, as a part of the one before."""

ENOUGH: Final = 3
_MOST: Final = 6
_GOES_ON: Final = 0.35
_UNTOUCHED: Final = 0.03
_KNOWN_EARLY: Final = 0.05
_REPEAT: Final = 0.07
_NEWLY_KNOWN: Final = 0.4


@dataclass(frozen=True, kw_only=True)
class Simulator:
    """One stream of chance. Other `contact` chances make a country with another effect, or none."""

    chance: random.Random
    contact: Mapping[str, float] = field(default_factory=lambda: CONTACT)
    later: float = LATER

    def course(self, received_on: date) -> Course:
        """Return the follow-up of one signal; a few are never claimed, and end without an outcome."""
        start = self._after(received_on, (0, 0, 0, 1, 1, 2))
        untouched = self.chance.random() < _UNTOUCHED
        attempts, outcome = ([], None) if untouched else self._follow_up(start)
        reached = any(result is AttemptResult.CONTACT for _, result, _ in attempts)
        return Course(
            received_on=received_on,
            contact_by=add_working_days(received_on, 2),
            concluded_on=None if outcome is None else max([start, *(at for *_, at in attempts)]).date(),
            attempts=attempts,
            outcome=outcome,
            newly_known=self.chance.random() < _NEWLY_KNOWN if reached else None,
            repeat=self.chance.random() < _REPEAT,
            reason=self._reason() if outcome is Outcome.NOT_REACHED and len(attempts) < ENOUGH else None,
        )

    def concern_types(self) -> tuple[ConcernType, ...]:
        """Return none to three observations."""
        wanted = self.chance.choice((0, 1, 1, 1, 1, 1, 2, 2, 3))
        return tuple(dict.fromkeys(ConcernType(self._one("concern_types")) for _ in range(wanted)))

    def _follow_up(self, start: datetime) -> tuple[Sequence[Attempt], Outcome]:
        attempts: list[Attempt] = []
        at = start
        while self.chance.random() >= _KNOWN_EARLY:
            kind = self._next_kind([kind for kind, *_ in attempts])
            at = self._after(at.date(), (0, 0, 1) if not attempts else (2, 4, 7))
            reached = self.chance.random() < self.contact[kind] * self.later ** len(attempts)
            result = AttemptResult.CONTACT if reached else AttemptResult.NO_ANSWER
            attempts.append((kind, result, max(at, start)))
            if reached:
                return attempts, Outcome(self._one("reached"))
            if len(attempts) >= ENOUGH and (len(attempts) == _MOST or self.chance.random() >= _GOES_ON):
                return attempts, Outcome.NOT_REACHED
        return attempts, Outcome(self._one("ended_early"))

    def _reason(self) -> NotReachedReason:
        _enough, *others = NotReachedReason
        return self.chance.choice(others)

    def _next_kind(self, tried: Sequence[AttemptKind]) -> AttemptKind:
        """Return another kind than the last one, as the desk suggests."""
        kind = AttemptKind(self._one("kinds"))
        return self._next_kind(tried) if tried[-1:] == [kind] else kind

    def _after(self, day: date, choices: Sequence[int]) -> datetime:
        moved = add_working_days(day, self.chance.choice(choices))
        return datetime.combine(moved, time(self.chance.randint(9, 18)), AMSTERDAM).astimezone(UTC)

    def _one(self, name: str) -> str:
        weighted = weights(name)
        return self.chance.choices(list(weighted), list(weighted.values()))[0]
