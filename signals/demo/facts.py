"""Facts of two years for the demo, from a seeded model of what such a scheme sees; and their releases.

The rates are those of the field: one signal in five is reached; four or more attempts in several ways reach
37%, one or two 18%, letters alone 6%; some 40% of those reached were not known to help yet. [Divosa 2023]
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, cast

from sqlalchemy import Table
from sqlalchemy.orm import Session

from privacy.bulk import insert_many
from privacy.disclosure.tables import QUARTER, read_period
from privacy.pseudonyms import quarter_of
from signals import reference
from signals.clock import AMSTERDAM, Clock, FixedClock
from signals.demo.progress import Progress
from signals.models import SignalFact
from signals.models.base import new_id
from signals.statistics.counting import last_day_of, quarter_after
from signals.statistics.due_periods import next_due
from signals.statistics.facts import region_of
from signals.statistics.releasing import Releasing
from signals.vocabulary import AttemptKind, ConcernType, Outcome

QUARTERS: Final = 8
_FIRST: Final = 930
_GROWTH: Final = 20
"""Signals in the oldest quarter, and how many more in each after it: about 8,000 in all."""

_SEASON: Final[Mapping[int, float]] = {1: 1.06, 2: 0.97, 3: 0.91, 4: 1.06}
"""Winter shuts people in, in summer carriers walk other rounds: an assumption, for nobody publishes it."""

_CHANCE: Final = 0.03
"""By how much a quarter is above or below its season's."""

_MOST_PERIODS: Final = QUARTERS + 2
"""Among eight quarters in a row are at most two whole years, and a period of four years never."""

_SEED: Final = 2024
_RELEASED_AFTER: Final = timedelta(days=36)
_NEVER_TAKEN_UP: Final = 0.03
_REPEAT: Final = 0.07
_NEWLY_KNOWN: Final = 0.4
_NEXT_QUARTER: Final = 0.22

_TYPES: Final[Mapping[ConcernType, int]] = {
    ConcernType.MAIL_PILING_UP: 30,
    ConcernType.NOT_SEEN: 24,
    ConcernType.SEEMS_LONELY: 26,
    ConcernType.CONFUSED: 12,
    ConcernType.SELF_NEGLECT: 11,
    ConcernType.HOME_NEGLECTED: 14,
    ConcernType.FRAIL: 17,
    ConcernType.OTHER: 19,
}
_HOW_MANY_TYPES: Final = (0, 1, 1, 1, 1, 1, 2, 2, 3)
_TIMES: Final[Mapping[int, int]] = {0: 7, 1: 25, 2: 25, 3: 18, 4: 12, 5: 8, 6: 5}
_ONE_KIND: Final[Mapping[AttemptKind, int]] = {
    AttemptKind.VISIT: 42,
    AttemptKind.PHONE: 14,
    AttemptKind.LETTER: 26,
    AttemptKind.CARD: 10,
    AttemptKind.THROUGH_OTHER: 8,
}
_WHEN_REACHED: Final[Mapping[Outcome, int]] = {
    Outcome.TALK_SUFFICED: 28,
    Outcome.HELP_ACCEPTED: 22,
    Outcome.REFERRED: 18,
    Outcome.NO_CONCERN: 13,
    Outcome.ALREADY_KNOWN: 10,
    Outcome.HELP_DECLINED: 8,
    Outcome.ESCALATED: 1,
}
_WHEN_NOT: Final[Mapping[Outcome, int]] = {
    Outcome.NOT_REACHED: 70,
    Outcome.ALREADY_KNOWN: 14,
    Outcome.NO_CONCERN: 5,
    Outcome.DUPLICATE: 5,
    Outcome.WRONG_ADDRESS: 4,
    Outcome.MISUSE: 2,
}
_HOURS_TO_CLAIM: Final[Mapping[int, int]] = {1: 18, 3: 20, 6: 22, 8: 14, 12: 12, 20: 9, 36: 5}
_HOURS_BETWEEN: Final[Mapping[int, int]] = {1: 24, 4: 26, 8: 22, 14: 15, 26: 9, 48: 4}


class Streams(dict[str, random.Random]):
    """A random stream for each thing, seeded by its name: a change to one leaves the others as they are."""

    def __missing__(self, name: str) -> random.Random:
        return self.setdefault(name, random.Random(f"{_SEED} {name}"))  # noqa: S311 - the same demo every time


def add_facts(session: Session, *, on: date) -> int:
    """Write the facts of the eight quarters before the one of this date; returns how many."""
    facts = list(demo_facts(closed_quarters(on)))
    columns = {name: [fact[name] for fact in facts] for name in facts[0]}
    return insert_many(session.connection(), cast(Table, SignalFact.__table__), columns)


def release_all(releasing: Releasing, now: Clock, *, progress: Progress) -> None:
    """Release everything that is over, each some weeks after its end, as the worker would have done."""
    on = now.now().astimezone(AMSTERDAM).date()
    for _ in progress(range(_MOST_PERIODS), "figures"):
        period = _next(releasing, on)
        if period is None:
            return
        at = datetime.combine(_end_of(period) + _RELEASED_AFTER, time(4), AMSTERDAM).astimezone(UTC)
        releasing.release(FixedClock(min(at, now.now())), period=period)


def demo_facts(quarters: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The values of `SignalFact` rows, the same every time but for their ids."""
    chance = Streams()
    places = {place.code: place.inhabitants for place in reference.municipalities().values()}
    for number, quarter in enumerate(quarters):
        for code in _some(chance["place"], places, _size(chance["size"], number, quarter)):
            yield _fact(chance, quarter, code)


def _size(rng: random.Random, number: int, quarter: str) -> int:
    season = _SEASON[read_period(quarter).quarter]
    return round((_FIRST + _GROWTH * number) * season * rng.uniform(1 - _CHANCE, 1 + _CHANCE))


def closed_quarters(on: date) -> list[str]:
    """The eight quarters before the one of this date, oldest first."""
    day = date(on.year - QUARTERS // 4, on.month, 1)
    quarters = [quarter_of(day)]
    while len(quarters) < QUARTERS:
        quarters.append(quarter_after(quarters[-1]))
    return quarters


def _fact(chance: Streams, quarter: str, municipality_code: str) -> dict[str, Any]:
    common = {
        "id": new_id(),
        "region_code": region_of(municipality_code),
        "municipality_code": municipality_code,
        "received_quarter": quarter,
        "concern_types": _types(chance["types"]),
        "repeat": chance["repeat"].random() < _REPEAT,
        "intake_counted": None,
        "outcome_counted": None,
    }
    untouched = chance["untouched"].random() < _NEVER_TAKEN_UP
    return common | (_untouched() if untouched else _followed_up(chance, quarter))


def _untouched() -> dict[str, Any]:
    """Nobody took it up, and it was purged after four weeks."""
    return {
        "concluded_quarter": None,
        "hours_to_claim": None,
        "hours_to_contact": None,
        "claimed_in_time": False,
        "contacted_in_time": False,
        "attempts": "",
        "attempts_count": 0,
        "reached": False,
        "outcome": None,
        "newly_known": None,
    }


def _followed_up(chance: Streams, quarter: str) -> dict[str, Any]:
    claimed = _one(chance["hours"], _HOURS_TO_CLAIM)
    kinds = _kinds(chance["kinds"], _one(chance["times"], _TIMES))
    contacted = claimed + _one(chance["hours between"], _HOURS_BETWEEN) if kinds else None
    reached = chance["reached"].random() < _chance(kinds)
    return {
        "concluded_quarter": quarter_after(quarter)
        if chance["quarter"].random() < _NEXT_QUARTER
        else quarter,
        "hours_to_claim": claimed,
        "hours_to_contact": contacted,
        "claimed_in_time": claimed <= 8,
        "contacted_in_time": contacted is not None and contacted <= 16,
        "attempts": " ".join(f"{kind}:{kinds.count(kind)}" for kind in sorted(set(kinds))),
        "attempts_count": len(kinds),
        "reached": reached,
        "outcome": _one(chance["outcome"], _WHEN_REACHED if reached else _WHEN_NOT).value,
        "newly_known": chance["known"].random() < _NEWLY_KNOWN if reached else None,
    }


def _types(rng: random.Random) -> str:
    wanted = rng.choice(_HOW_MANY_TYPES)
    chosen: set[str] = set()
    while len(chosen) < wanted:
        chosen.add(_one(rng, _TYPES).value)
    return " ".join(sorted(chosen))


def _kinds(rng: random.Random, times: int) -> list[str]:
    """The more often a team tries, the more often it tries another way."""
    one_way = rng.random() < max(0.12, 0.95 - 0.22 * times)
    first = _one(rng, _ONE_KIND)
    return [(first if one_way else _one(rng, _ONE_KIND)).value for _ in range(times)]


def _chance(kinds: Sequence[str]) -> float:
    """How likely these attempts reach somebody."""
    if not kinds:
        return 0.0
    if set(kinds) == {AttemptKind.LETTER}:
        return 0.06
    if len(kinds) < 3:
        return 0.215  # with the letters among them: 18%
    several = len(set(kinds)) > 1
    return (0.37 if several else 0.2) if len(kinds) > 3 else (0.27 if several else 0.19)


def _one(rng: random.Random, weights: Mapping[Any, int]) -> Any:
    return rng.choices(list(weights), list(weights.values()))[0]


def _some(rng: random.Random, weights: Mapping[str, int], number: int) -> list[str]:
    return rng.choices(list(weights), list(weights.values()), k=number)


def _next(releasing: Releasing, on: date) -> str | None:
    with releasing.sessions() as session:
        return next_due(session, on)


def _end_of(period: str) -> date:
    wanted = read_period(period)
    return last_day_of(period) if wanted.kind == QUARTER else date(wanted.last, 12, 31)
