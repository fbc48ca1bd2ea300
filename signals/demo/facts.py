"""Facts of two years for the demo, from a seeded model of such a scheme; and their releases.

The rates are those of the field: one signal in five is reached; four or more attempts in several ways reach
37%, one or two 18%, letters alone 6%; some 40% of those reached were not known to help yet. [Divosa 2023]
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, cast

from sqlalchemy import Connection, Table
from sqlalchemy.orm import Session

from privacy.bulk import insert_many
from privacy.disclosure.tables import read_period
from privacy.pseudonyms import quarter_of
from signals import reference
from signals.clock import AMSTERDAM, FixedClock, today
from signals.demo.data import weights
from signals.models import SignalFact
from signals.models.base import new_id
from signals.operations.jobs import Worker
from signals.organisations.csv_file import Progress
from signals.statistics.counting import last_day_of, located_by, quarter_after
from signals.statistics.facts import region_of
from signals.statistics.releasing import Releasing
from signals.vocabulary import AttemptKind

QUARTERS: Final = 8
_FIRST: Final = 930
_GROWTH: Final = 20
"""Signals in the oldest quarter, and how many more in each after it: about 8,000 in all."""

_SEASON: Final[Mapping[int, float]] = {1: 1.06, 2: 0.97, 3: 0.91, 4: 1.06}
"""People stay indoors in winter, and carriers change rounds in summer: an assumption without a source."""

_CHANCE: Final = 0.03
"""The share by which a quarter may differ from its season."""

_SEED: Final = 2024
_RELEASED_AFTER: Final = timedelta(days=36)
_NEVER_CLAIMED: Final = 0.03
_REPEAT: Final = 0.07
_NEWLY_KNOWN: Final = 0.4
_NEXT_QUARTER: Final = 0.22

_TYPES: Final = weights("concern_types")
_HOW_MANY_TYPES: Final = (0, 1, 1, 1, 1, 1, 2, 2, 3)


class Streams(dict[str, random.Random]):
    """A random stream for each thing, seeded by its name: a change to one leaves the others as they are."""

    def __missing__(self, name: str) -> random.Random:
        return self.setdefault(name, random.Random(f"{_SEED} {name}"))  # noqa: S311 - the same demo every time


def add_facts(session: Session, *, on: date) -> int:
    """Write the facts of the eight quarters before the quarter of this date; return how many."""
    return insert_facts(session.connection(), list(demo_facts(closed_quarters(on))))


def insert_facts(connection: Connection, facts: Sequence[Mapping[str, Any]]) -> int:
    """Insert `demo_facts`; return how many."""
    table = cast(Table, SignalFact.__table__)
    columns = {column.name: [fact.get(column.name) for fact in facts] for column in table.columns}
    return insert_many(connection, table, columns)


def release_all(worker: Worker, chance: random.Random, *, progress: Progress) -> None:
    """Release each quarter and year some weeks after its end, as the worker does."""
    releasing = Releasing(
        sessions=worker.sessions,
        keys=worker.keystore,
        locate=located_by(worker.router),
        chance=chance,
        remembers=False,  # a second demo starts without the ledger of the first
    )
    now = worker.clock.now()
    for quarter in progress(closed_quarters(today(worker.clock)), "figures"):
        at = datetime.combine(last_day_of(quarter) + _RELEASED_AFTER, time(4), AMSTERDAM).astimezone(UTC)
        releasing.release_due(FixedClock(min(at, now)), grace_days=0)


def closed_quarters(on: date) -> list[str]:
    """Return the eight quarters before the quarter of this date, oldest first."""
    quarters = [quarter_of(date(on.year - QUARTERS // 4, on.month, 1))]
    while len(quarters) < QUARTERS:
        quarters.append(quarter_after(quarters[-1]))
    return quarters


def demo_facts(quarters: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield the values of `SignalFact` rows, the same every time except for ids; missing values are null."""
    chance = Streams()
    places = {place.code: place.inhabitants for place in reference.municipalities().values()}
    for number, quarter in enumerate(quarters):
        for code in _draw(chance["place"], places, _size(chance["size"], number, quarter)):
            yield _fact(chance, quarter, code)


def _size(rng: random.Random, number: int, quarter: str) -> int:
    season = _SEASON[read_period(quarter).quarter]
    return round((_FIRST + _GROWTH * number) * season * rng.uniform(1 - _CHANCE, 1 + _CHANCE))


def _fact(chance: Streams, quarter: str, municipality_code: str) -> dict[str, Any]:
    claimed = chance["untouched"].random() >= _NEVER_CLAIMED
    return {
        "id": new_id(),
        "region_code": region_of(municipality_code),
        "municipality_code": municipality_code,
        "received_quarter": quarter,
        "concern_types": _types(chance["types"]),
        "repeat": chance["repeat"].random() < _REPEAT,
        **(_followed_up(chance, quarter) if claimed else _NOT_CLAIMED),
    }


_NOT_CLAIMED: Final[Mapping[str, Any]] = {
    "claimed_in_time": False,
    "contacted_in_time": False,
    "attempts": "",
    "attempts_count": 0,
    "reached": False,
}
"""Nobody claimed the signal, and it was purged after four weeks."""


def _followed_up(chance: Streams, quarter: str) -> dict[str, Any]:
    claimed = _number(chance["hours"], "hours_to_claim")
    kinds = _kinds(chance["kinds"], _number(chance["times"], "attempts"))
    contacted = claimed + _number(chance["hours between"], "hours_between") if kinds else None
    reached = chance["reached"].random() < _chance(kinds)
    later = chance["quarter"].random() < _NEXT_QUARTER
    return {
        "concluded_quarter": quarter_after(quarter) if later else quarter,
        "hours_to_claim": claimed,
        "hours_to_contact": contacted,
        "claimed_in_time": claimed <= 8,
        "contacted_in_time": contacted is not None and contacted <= 16,
        "attempts": " ".join(f"{kind}:{kinds.count(kind)}" for kind in sorted(set(kinds))),
        "attempts_count": len(kinds),
        "reached": reached,
        "outcome": _one(chance["outcome"], weights("reached" if reached else "not_reached")),
        "newly_known": chance["known"].random() < _NEWLY_KNOWN if reached else None,
    }


def _types(rng: random.Random) -> str:
    wanted = rng.choice(_HOW_MANY_TYPES)
    chosen: set[str] = set()
    while len(chosen) < wanted:
        chosen.add(_one(rng, _TYPES))
    return " ".join(sorted(chosen))


def _kinds(rng: random.Random, times: int) -> list[str]:
    """Draw the kinds of attempts: a team that tries more often is more likely to vary them."""
    one_kind = rng.random() < max(0.12, 0.95 - 0.22 * times)
    first = _one(rng, weights("kinds"))
    return [first if one_kind else _one(rng, weights("kinds")) for _ in range(times)]


def _chance(kinds: Sequence[str]) -> float:
    """Return the chance that these attempts reach somebody."""
    if not kinds:
        return 0.0
    if set(kinds) == {AttemptKind.LETTER}:
        return 0.06
    if len(kinds) < 3:
        return 0.215  # with the letters among them: 18%
    several = len(set(kinds)) > 1
    return (0.37 if several else 0.2) if len(kinds) > 3 else (0.27 if several else 0.19)


def _number(rng: random.Random, name: str) -> int:
    return int(_one(rng, weights(name)))


def _one(rng: random.Random, weighted: Mapping[str, int]) -> str:
    return _draw(rng, weighted, 1)[0]


def _draw(rng: random.Random, weighted: Mapping[str, int], number: int) -> list[str]:
    return rng.choices(list(weighted), list(weighted.values()), k=number)
