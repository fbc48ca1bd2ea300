"""Count the signals of a period: stored facts of purged ones, and the facts of those that still live.

A signal belongs to a period by days that never change: its receipt and its first conclusion. So none enters
a table twice, also after it is reopened, after a restore, or when a job runs twice. Drills have no facts.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any, Final, cast
from uuid import UUID

from sqlalchemy import Connection, Table, func, select

from privacy.keystore import Keystore
from signals.casework.access import open_for_job
from signals.models import OrganisationYear, Signal, SignalFact, StatusChange
from signals.routing.postcodes import Address
from signals.routing.snapshot import Router
from signals.statistics.courses import courses_of
from signals.statistics.facts import Fact, cells_of, fact_from, stored_facts
from signals.statistics.menu import Codes, PeriodKind, tables_of
from signals.statistics.periods import first_day_of, last_day_of
from signals.vocabulary import Action, SignalState

Locate = Callable[[Address, date], str | None]
"""Return the municipality code of an address on a date; None when it lies nowhere."""

Counts = Mapping[str, Counter[Codes]]
"""The true count of each cell, by code of the table."""

_BATCH: Final = 500
_facts: Final = cast(Table, SignalFact.__table__).c
_signals: Final = cast(Table, Signal.__table__).c
_NO_FLOOD: Final = _signals.state != SignalState.SET_ASIDE
_changes: Final = cast(Table, StatusChange.__table__).c
_READ: Final = (
    _signals.id, _signals.organisation_id, _signals.received_on, _signals.repeat, _signals.case_key_id,
    _signals.schema_version, _signals.content, _signals.summary, _signals.contact_by, _signals.outcome,
    _signals.newly_known,
)  # fmt: skip


def count_quarter(connection: Connection, quarter: str) -> Counts:
    """Count the signals received in a quarter."""
    stored = select(func.count()).select_from(SignalFact).where(_facts.received_quarter == quarter)
    within = _signals.received_on.between(first_day_of(quarter), last_day_of(quarter))
    live = select(func.count()).select_from(Signal).where(within, _NO_FLOOD)
    return {"received": Counter({(): sum(connection.scalar(each) or 0 for each in (stored, live))})}


def count_year(
    connection: Connection, year: str, *, keys: Keystore, locate: Locate, on: date
) -> tuple[Counts, list[OrganisationYear]]:
    """Count the signals first concluded in a year, and the totals of each organisation.

    `on`: the day by which addresses are located. The connection must read everything as of one moment.
    """
    stored = stored_facts(connection, keys, since=year)
    facts = stored + Counter(_live_facts(connection, year, keys=keys, locate=locate, on=on))
    concluded = {fact: number for fact, number in facts.items() if fact.concluded == year}
    known = {table.code: frozenset(table.cells) for table in tables_of(PeriodKind.YEAR)}
    counts: dict[str, Counter[Codes]] = {code: Counter() for code in known}
    for fact, number in concluded.items():
        for code, cell in cells_of(fact):
            if cell in known[code]:
                counts[code][cell] += number
    return counts, _own_totals(year, concluded, _received(connection, stored, year))


def located_by(router: Router) -> Locate:
    """Return the function that finds the municipality of an address; a purge uses the same."""

    def locate(address: Address, on: date) -> str | None:
        return router.route(address.postcode, address.number, on).municipality_code

    return locate


def _live_facts(
    connection: Connection, year: str, *, keys: Keystore, locate: Locate, on: date
) -> Iterator[Fact]:
    """Yield the fact of each live signal that was first concluded in a year and has an outcome."""
    first_on = func.min(_changes.changed_on)
    ended = select(_changes.signal_id).where(_changes.action == Action.CONCLUDE).group_by(_changes.signal_id)
    ended = ended.having(first_on.between(first_day_of(year), last_day_of(year)))
    concluded = select(_signals.id).where(_signals.state == SignalState.CONCLUDED, _signals.id.in_(ended))
    ids = connection.scalars(concluded).all()
    for start in range(0, len(ids), _BATCH):
        some = select(*_READ).where(_signals.id.in_(ids[start : start + _BATCH]))
        rows: list[Any] = list(connection.execute(some))
        reports = open_for_job(keys, rows)
        for row, course in zip(rows, courses_of(connection, rows), strict=True):
            report = reports.get(row.id)
            yield fact_from(course, report, locate(report.address, on) if report else None)


def _received(connection: Connection, stored: Mapping[Fact, int], year: str) -> Counter[str]:
    """Return the signals that each organisation received in a year, by its id."""
    within = _signals.received_on.between(first_day_of(year), last_day_of(year))
    live = select(_signals.organisation_id, func.count())
    live = live.where(within, _NO_FLOOD).group_by(_signals.organisation_id)
    found = Counter({str(organisation): number for organisation, number in connection.execute(live)})
    for fact, number in stored.items():
        if fact.received.startswith(year):
            found[fact.organisation] += number
    return found


def _own_totals(
    year: str, concluded: Mapping[Fact, int], received: Mapping[str, int]
) -> list[OrganisationYear]:
    groups: defaultdict[str, list[tuple[Fact, int]]] = defaultdict(list, {key: [] for key in received})
    for fact, number in concluded.items():
        groups[fact.organisation].append((fact, number))
    groups.pop("", None)  # the demo's facts belong to no organisation
    return [_total(year, key, received.get(key, 0), facts) for key, facts in groups.items()]


def _total(year: str, organisation: str, received: int, facts: list[tuple[Fact, int]]) -> OrganisationYear:
    outcomes = Counter[str]()
    for fact, number in facts:
        outcomes[fact.outcome or ""] += number
    return OrganisationYear(
        organisation_id=UUID(organisation),
        year=year,
        received=received,
        concluded=sum(outcomes.values()),
        in_time=sum(number for fact, number in facts if fact.in_time),
        reached=sum(number for fact, number in facts if fact.reached),
        outcomes=json.dumps(outcomes, sort_keys=True),
    )
