"""Count signals in groups: stored facts by SQL, live signals by the fact that a purge would write now.

A signal counts once as received and once as concluded, in the first quarter that is counted afterwards. Facts
and signals carry the quarter that counted them. Drills are no signals and have no facts.
"""

import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, Protocol, cast

from sqlalchemy import ColumnElement, Connection, Table, and_, case, func, null, or_, select, update
from sqlalchemy.orm import Session

from signals.casework.access import open_for_job
from signals.clock import AMSTERDAM
from signals.intake.content import CaseKeys
from signals.models import Signal, SignalFact
from signals.routing.postcodes import Address
from signals.routing.snapshot import Router
from signals.statistics.courses import courses_of
from signals.statistics.facts import fact_from
from signals.statistics.pool import PoolKeys, move_facts
from signals.vocabulary import SignalState

Locate = Callable[[Address, date], str | None]
"""Return the municipality code of an address on a date; None when it lies nowhere."""

Groups = Mapping[str, Counter[tuple[Any, ...]]]
"""The number of signals for each combination of values, in the order of `GROUPINGS`."""

INTAKE: Final[Mapping[str, tuple[str, ...]]] = {
    "areas": ("region_code", "municipality_code"),
    "types": ("concern_types",),
}
OUTCOMES: Final[Mapping[str, tuple[str, ...]]] = {
    "courses": (
        "region_code",
        "outcome",
        "claimed_in_time",
        "contacted_in_time",
        "reached",
        "newly_known",
        "repeat",
        "attempts",
    ),
    "hours_to_claim": ("hours_to_claim",),
    "hours_to_contact": ("hours_to_contact",),
}
GROUPINGS: Final = {**INTAKE, **OUTCOMES}
"""The columns of a fact by which signals are grouped: intake by receipt, outcomes by conclusion."""

_BATCH: Final = 500
_facts: Final = cast(Table, SignalFact.__table__).c
_signals: Final = cast(Table, Signal.__table__).c
_READ: Final = (
    _signals.id, _signals.organisation_id, _signals.state, _signals.received_on, _signals.repeat,
    _signals.case_key_id, _signals.schema_version, _signals.content, _signals.summary, _signals.claim_by,
    _signals.contact_by, _signals.concluded_at, _signals.outcome, _signals.newly_known,
    _signals.intake_counted, _signals.outcome_counted,
)  # fmt: skip


class CountingKeys(CaseKeys, PoolKeys, Protocol):
    """The keys of live signals and of facts in the pool; the keystore on the desk side."""

    def has_secret(self, name: str) -> bool:
        """Return whether a named secret exists."""
        ...


@dataclass(frozen=True, kw_only=True)
class Counted:
    """The groups of one quarter, and their live signals, which `mark` marks as counted."""

    groups: Groups
    intake_ids: Sequence[uuid.UUID] = field(repr=False)
    outcome_ids: Sequence[uuid.UUID] = field(repr=False)


def count(session: Session, *, keys: CountingKeys, locate: Locate, quarter: str, on: date) -> Counted:
    """Count signals received or concluded until the end of a quarter that no counted quarter has yet.

    `on`: the date by which addresses are located, as a purge would. Facts that wait in the pool are written
    first, however few they are: figures leave none out. The caller sees to it that facts and signals are read
    at one moment (one snapshot), and marks what was counted (`mark`).
    """
    move_facts(session, keys=keys)
    connection = session.connection()
    groups = {name: Counter[tuple[Any, ...]]() for name in GROUPINGS}
    _add_facts(connection, groups, quarter)
    intake_ids: list[uuid.UUID] = []
    outcome_ids: list[uuid.UUID] = []
    for signal_id, fact in live_facts(connection, keys=keys, locate=locate, quarter=quarter, on=on):
        if _is_new_intake(fact, quarter):
            intake_ids.append(signal_id)
            _add(groups, INTAKE, fact)
        if _is_new_outcome(fact, quarter):
            outcome_ids.append(signal_id)
            _add(groups, OUTCOMES, fact)
    return Counted(groups=groups, intake_ids=intake_ids, outcome_ids=outcome_ids)


def mark(session: Session, counted: Counted, *, quarter: str) -> bool:
    """Mark the counted signals, so that no later quarter counts them; return False when one went meanwhile.

    Empties the municipality and the types of the facts, because only intake tables need them.
    """
    connection = session.connection()
    connection.execute(update(SignalFact).where(or_(*_new(quarter))).values(_emptied(quarter)))
    marks = {"intake_counted": counted.intake_ids, "outcome_counted": counted.outcome_ids}
    return all(_mark_signals(connection, name, ids, quarter) for name, ids in marks.items())


def located_by(router: Router) -> Locate:
    """Return the function that finds the municipality of an address; a purge uses the same."""

    def locate(address: Address, on: date) -> str | None:
        return router.route(address.postcode, address.number, on).municipality_code

    return locate


def live_facts(
    connection: Connection, *, keys: CaseKeys, locate: Locate, quarter: str, on: date
) -> Iterator[tuple[uuid.UUID, Mapping[str, Any]]]:
    """Yield the facts that a purge on this date would write of live signals that a quarter must count."""
    query = select(*_READ).where(or_(*_new_signals(quarter)))
    ids = connection.scalars(query.with_only_columns(_signals.id)).all()
    for start in range(0, len(ids), _BATCH):
        some = ids[start : start + _BATCH]
        rows = connection.execute(select(*_READ).where(_signals.id.in_(some))).all()
        reports = open_for_job(keys, rows)
        for row, course in zip(rows, courses_of(connection, rows), strict=True):
            report = reports.get(row.id)
            yield row.id, fact_from(course, report, locate(report.address, on) if report else None)


def _add_facts(connection: Connection, groups: Mapping[str, Counter[tuple[Any, ...]]], quarter: str) -> None:
    is_new_intake, is_new_outcome = _new(quarter)
    for name, columns in GROUPINGS.items():
        chosen = [_facts[column] for column in columns]
        query = select(*chosen, func.count()).group_by(*chosen)
        query = query.where(is_new_intake if name in INTAKE else is_new_outcome)
        for *values, number in connection.execute(query):
            groups[name][tuple(values)] += number


def _add(
    groups: Mapping[str, Counter[tuple[Any, ...]]],
    groupings: Mapping[str, Iterable[str]],
    fact: Mapping[str, Any],
) -> None:
    for name, columns in groupings.items():
        groups[name][tuple(fact[column] for column in columns)] += 1


def _is_new_intake(fact: Mapping[str, Any], quarter: str) -> bool:
    return fact["intake_counted"] is None and fact["received_quarter"] <= quarter


def _is_new_outcome(fact: Mapping[str, Any], quarter: str) -> bool:
    concluded = fact["concluded_quarter"]
    is_whole = fact["outcome"] is not None and concluded is not None
    return fact["outcome_counted"] is None and is_whole and concluded <= quarter


def _new(quarter: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Return the conditions for facts that a quarter counts; late ones of earlier quarters too."""
    return (
        and_(_facts.intake_counted.is_(None), _facts.received_quarter <= quarter),
        and_(
            _facts.outcome_counted.is_(None), _facts.concluded_quarter <= quarter, _facts.outcome.is_not(None)
        ),
    )


def _new_signals(quarter: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    after = first_day_after(quarter)
    midnight = datetime.combine(after, time(), AMSTERDAM).astimezone(UTC)
    return (
        and_(_signals.intake_counted.is_(None), _signals.received_on < after),
        and_(
            _signals.outcome_counted.is_(None),
            _signals.state == SignalState.CONCLUDED,
            _signals.concluded_at < midnight,
        ),
    )


def _emptied(quarter: str) -> dict[str, Any]:
    is_new_intake, is_new_outcome = _new(quarter)
    return {
        "intake_counted": case((is_new_intake, quarter), else_=_facts.intake_counted),
        "municipality_code": case((is_new_intake, null()), else_=_facts.municipality_code),
        "concern_types": case((is_new_intake, ""), else_=_facts.concern_types),
        "outcome_counted": case((is_new_outcome, quarter), else_=_facts.outcome_counted),
    }


def _mark_signals(connection: Connection, name: str, ids: Sequence[uuid.UUID], quarter: str) -> bool:
    done = 0
    for start in range(0, len(ids), _BATCH):
        those = _signals.id.in_(ids[start : start + _BATCH])
        done += connection.execute(update(Signal).where(those).values({name: quarter})).rowcount
    return done == len(ids)


def first_day_after(quarter: str) -> date:
    """Return the first day after a quarter."""
    year, number = int(quarter[:4]), int(quarter[-1])
    return date(year + number // 4, number % 4 * 3 + 1, 1)


def last_day_of(quarter: str) -> date:
    """Return the last day of a quarter."""
    return first_day_after(quarter) - timedelta(days=1)


def quarter_after(quarter: str) -> str:
    """Return the next quarter."""
    following = first_day_after(quarter)
    return f"{following.year:04d}-Q{following.month // 3 + 1}"
