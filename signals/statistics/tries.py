"""Say how often the k-th attempt led to contact, by the scheme's own released figures."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from signals.models import Publication
from signals.statistics.estimates import noisy
from signals.statistics.intervals import NOTHING, WIDEST, Interval, Split, share
from signals.statistics.menu import ATTEMPTS_COUNTED, NO, YES
from signals.statistics.publications import ReleasedTable, pooled, read_table
from signals.vocabulary import AttemptKind

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
