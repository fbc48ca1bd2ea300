"""Facts of two years for the demo, by simulated teams, and their releases.

The teams obey the desk: they stop at contact, and try three times before "not reached". A first visit
reaches one resident in six, a card or call fewer, a letter few: the figures must find that effect. In all,
one signal in five leads to contact. [Divosa 2023]
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from sqlalchemy.orm import Session

from privacy.keystore import Keystore
from privacy.pseudonyms import quarter_of
from signals import reference
from signals.clock import AMSTERDAM, FixedClock, today
from signals.demo.data import shown, weights
from signals.demo.organisations import examples, organisation_id
from signals.intake.content import Report, Summary
from signals.lifecycle.deadlines import add_working_days
from signals.operations.jobs import Worker
from signals.routing.postcodes import Address
from signals.statistics.counting import located_by
from signals.statistics.facts import Attempt, Course, Fact, fact_from
from signals.statistics.periods import last_day_of, quarter_after
from signals.statistics.releasing import Releasing
from signals.statistics.sealed_facts import store_facts
from signals.vocabulary import AttemptKind, AttemptResult, ConcernType, NotReachedReason, Outcome

QUARTERS: Final = 8
_SIZES: Final = (1_060, 970, 910, 1_060)
"""Signals by quarter: people stay indoors in winter. An assumption without a source."""

_SEED: Final = 2024
_RELEASED_AFTER: Final = timedelta(days=36)
_SOMEWHERE: Final = Address.parse(postcode="1012AB", number=1)
"""Facts keep no address; the municipality stands beside it."""


def add_facts(session: Session, *, keys: Keystore, on: date) -> int:
    """Write the facts of the eight quarters before the quarter of this date; return how many."""
    facts = list(demo_facts(closed_quarters(on)))
    store_facts(session.connection(), keys, facts)
    return len(facts)


def release_all(worker: Worker, chance: random.Random) -> None:
    """Release each quarter and year some weeks after its end, as the worker does."""
    releasing = Releasing(
        sessions=worker.sessions,
        keys=worker.keystore,
        locate=located_by(worker.router),
        ledger=None,  # a second demo starts without the ledger of the first
        below=chance.randrange,
    )
    now = worker.clock.now()
    for quarter in shown(closed_quarters(today(worker.clock)), "figures"):
        at = datetime.combine(last_day_of(quarter) + _RELEASED_AFTER, time(4), AMSTERDAM).astimezone(UTC)
        releasing.release_due(FixedClock(min(at, now)), grace_days=0)


def closed_quarters(on: date) -> list[str]:
    """Return the eight quarters before the quarter of this date, oldest first."""
    quarters = [quarter_of(date(on.year - QUARTERS // 4, on.month, 1))]
    while len(quarters) < QUARTERS:
        quarters.append(quarter_after(quarters[-1]))
    return quarters


def demo_facts(quarters: Sequence[str]) -> Iterator[Fact]:
    """Yield facts, the same every time."""
    chance = random.Random(_SEED)  # noqa: S311 - the same demo every time
    simulator = Simulator(chance=chance)
    places = {place.code: place.inhabitants for place in reference.municipalities().values()}
    teams = {area.area: organisation_id(slug) for slug, team in examples().items() for area in team.areas}
    for quarter in quarters:
        size = _SIZES[int(quarter[-1]) - 1]
        for code in chance.choices(list(places), list(places.values()), k=size):
            course = simulator.course(last_day_of(quarter) - timedelta(days=chance.randrange(90)))
            mine = replace(course, organisation_id=teams.get(code))
            report = Report(address=_SOMEWHERE, summary=Summary(concern_types=simulator.concern_types()))
            yield fact_from(mine, report, code, chance=chance)


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
