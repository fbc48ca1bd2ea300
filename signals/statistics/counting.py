"""Count the signals of a period: stored facts of purged ones, and the facts of those that still live.

A signal belongs to a period by days that never change: its receipt and its first conclusion. So none enters
a table twice, also after it is reopened, after a restore, or when a job runs twice. Drills have no facts.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from itertools import islice
from typing import Any, Final, cast

from sqlalchemy import Connection, Table, func, select

from privacy.keystore import Keystore
from signals.casework.access import open_for_job
from signals.models import OrganisationYear, Signal, SignalFact, StatusChange
from signals.routing.postcodes import Address
from signals.routing.snapshot import Router
from signals.statistics.courses import courses_of
from signals.statistics.facts import CELLS, Fact, fact_from
from signals.statistics.menu import Codes, table_of
from signals.statistics.own_figures import CONCLUDED, NO_FLOOD, RECEIVED, Groups, own_totals
from signals.statistics.periods import first_day_of, last_day_of
from signals.statistics.sealed_facts import stored_facts
from signals.vocabulary import Action, SignalState

Locate = Callable[[Address, date], str | None]
"""Return the municipality code of an address on a date; None when it lies nowhere."""

Counts = Mapping[str, Counter[Codes]]
"""The true count of each cell, by code of the table."""

_BATCH: Final = 500
_CHUNK: Final = 10_000
_Fields = tuple[str, ...]
_facts: Final = cast(Table, SignalFact.__table__).c
_signals: Final = cast(Table, Signal.__table__).c
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
    live = select(func.count()).select_from(Signal).where(within, NO_FLOOD)
    return {"received": Counter({(): sum(connection.scalar(each) or 0 for each in (stored, live))})}


def count_year(
    connection: Connection, year: str, *, keys: Keystore, locate: Locate, on: date
) -> tuple[Counts, list[OrganisationYear]]:
    """Count the signals first concluded in a year, and the totals of each organisation.

    `on`: the day by which addresses are located. The connection must read everything as of one moment.
    """
    stored = _grouped(stored_facts(connection, keys, since=year))
    live = _grouped(_live_facts(connection, year, keys=keys, locate=locate, on=on))
    concluded = {fields: stored[fields] + live[fields] for fields in stored}
    counts = {code: _cells(code, concluded[_needed(code)], year) for code in CELLS}
    return counts, own_totals(connection, year, received=stored[RECEIVED], concluded=concluded[CONCLUDED])


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
        for row, course in zip(rows, courses_of(connection, keys, rows), strict=True):
            report = reports.get(row.id)
            yield fact_from(course, report, locate(report.address, on) if report else None)


def _grouped(facts: Iterator[Fact]) -> dict[_Fields, Counter[tuple[str, ...]]]:
    """Count facts by each set of fields that is needed, column by column: a million take seconds."""
    found = {fields: Counter[tuple[str, ...]]() for fields in (RECEIVED, CONCLUDED, *map(_needed, CELLS))}
    while chunk := list(islice(facts, _CHUNK)):
        columns = dict(zip(Fact._fields, zip(*chunk, strict=True), strict=True))
        for fields, counter in found.items():
            counter.update(zip(*(columns[field] for field in fields), strict=True))
    return found


def _needed(code: str) -> _Fields:
    return ("concluded", *CELLS[code][0])


def _cells(code: str, groups: Groups, year: str) -> Counter[Codes]:
    """Return the counts of a table in a year; a cell that the table lacks is left out."""
    known, counts = set(table_of(code).cells), Counter[Codes]()
    for (concluded, *values), number in groups.items():
        for cell in CELLS[code][1](*values) if concluded == year else ():
            if cell in known:
                counts[cell] += number
    return counts
