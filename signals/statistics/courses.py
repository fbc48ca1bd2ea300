"""Read the follow-up of many signals in bulk, without loading them as objects."""

import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, NamedTuple, cast

from sqlalchemy import Connection, Table, select
from sqlalchemy.orm import Session

from privacy.keystore import Keystore
from signals.comparisons.draws import draws_of
from signals.models import ContactAttempt, Publication, StatusChange
from signals.statistics.estimates import noisy
from signals.statistics.facts import Attempt, Course
from signals.statistics.intervals import NOTHING, WIDEST, Interval, Split, share
from signals.statistics.menu import ATTEMPTS_COUNTED, NO, YES
from signals.statistics.publications import ReleasedTable, pooled, read_table
from signals.vocabulary import Action, AttemptKind, NotReachedReason

_attempts: Final = cast(Table, ContactAttempt.__table__).c
_changes: Final = cast(Table, StatusChange.__table__).c


class _Conclusion(NamedTuple):
    first_on: date
    reason: str | None


def courses_of(connection: Connection, keys: Keystore, signals: Sequence[Any]) -> Iterator[Course]:
    """Yield the course of each signal, in their order; the rows have the columns of a `Course`."""
    ids = [signal.id for signal in signals]
    concluded, attempts = _conclusions(connection, ids), _attempts_of(connection, ids)
    draws = draws_of(connection, keys, ids)
    for signal in signals:
        conclusion = concluded.get(signal.id)
        yield Course(
            received_on=signal.received_on,
            contact_by=signal.contact_by,
            concluded_on=conclusion.first_on if conclusion else None,
            attempts=attempts.get(signal.id, ()),
            outcome=signal.outcome,
            newly_known=signal.newly_known,
            repeat=signal.repeat,
            reason=NotReachedReason(conclusion.reason) if conclusion and conclusion.reason else None,
            organisation_id=signal.organisation_id,
            draw=draws.get(signal.id),
        )


def _conclusions(connection: Connection, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, _Conclusion]:
    """Return the day of the first conclusion of each signal, and the reason of the last."""
    query = select(_changes.signal_id, _changes.changed_on, _changes.reason)
    query = query.where(_changes.signal_id.in_(ids), _changes.action == Action.CONCLUDE)
    found: dict[uuid.UUID, _Conclusion] = {}
    for signal_id, on, reason in connection.execute(query.order_by(_changes.sequence)):
        first = found.get(signal_id)
        found[signal_id] = _Conclusion(first.first_on if first else on, reason)
    return found


def _attempts_of(connection: Connection, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[Attempt]]:
    query = select(_attempts.signal_id, _attempts.kind, _attempts.result, _attempts.attempted_at)
    found: dict[uuid.UUID, list[Attempt]] = {}
    query = query.where(_attempts.signal_id.in_(ids), _attempts.replaced_by_id.is_(None))
    for signal_id, *attempt in connection.execute(query):
        found.setdefault(signal_id, []).append(cast(Attempt, tuple(attempt)))
    return found


LEAST_CLOSED: Final = 100
"""The fewest closed signals of which the figures are worth a sentence."""


@dataclass(frozen=True, kw_only=True)
class Tries:
    """The share of the k-th attempts that led to contact; `kind` is None for all kinds together."""

    period: str
    attempt: int
    kind: AttemptKind | None
    share: Interval


def tries_of(session: Session, *, attempt: int, kind: AttemptKind) -> Tries | None:
    """Return the share at this attempt: of one kind, else of all kinds; None while neither says enough.

    A fourth or later attempt counts as the fourth, as in the released table.
    """
    drawn = select(Publication).where(Publication.code == "attempts").order_by(Publication.period.desc())
    tables = [read_table(row) for row in session.scalars(drawn)]
    if not tables:
        return None
    table, at = pooled(tables), min(attempt, ATTEMPTS_COUNTED)
    if _split(table, 1, AttemptKind).total.value < LEAST_CLOSED:
        return None
    for kinds in ((kind,), tuple(AttemptKind)):
        found = share(_split(table, at, kinds))
        if found.width <= WIDEST:
            only = kind if len(kinds) == 1 else None
            return Tries(period=table.period, attempt=at, kind=only, share=found)
    return None


def _split(table: ReleasedTable, attempt: int, kinds: Iterable[AttemptKind]) -> Split:
    cells = (Split(*(noisy(table, (str(attempt), kind, contact)) for contact in (YES, NO))) for kind in kinds)
    return sum(cells, Split(NOTHING, NOTHING))
