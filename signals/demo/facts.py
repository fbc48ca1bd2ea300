"""Facts of two years for the demo, simulated; and their releases."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from sqlalchemy.orm import Session

from privacy.keystore import Keystore
from privacy.pseudonyms import quarter_of
from signals import reference
from signals.clock import AMSTERDAM, FixedClock, today
from signals.demo.data import shown
from signals.demo.organisations import examples, organisation_id
from signals.demo.simulator import Simulator
from signals.intake.content import Report, Summary
from signals.operations.jobs import Worker
from signals.routing.postcodes import Address
from signals.statistics.counting import located_by
from signals.statistics.facts import Fact, fact_from
from signals.statistics.periods import last_day_of, quarter_after
from signals.statistics.releasing import Releasing
from signals.statistics.sealed_facts import store_facts

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
            yield fact_from(mine, _report(simulator), code, chance=chance)


def _report(simulator: Simulator) -> Report:
    return Report(address=_SOMEWHERE, summary=Summary(concern_types=simulator.concern_types()))
