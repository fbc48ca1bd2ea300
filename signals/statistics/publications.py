"""Read released tables: drawn once with noise, signed, and never changed.

`noisy` holds the numbers as drawn: they are right on average and may be negative. Compute intervals, and
sums over years, from them. `fitting.fitted` makes the numbers to show.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from privacy.noise import variance
from signals.errors import NotFound
from signals.models import Publication
from signals.statistics.menu import Codes, Dimension


@dataclass(frozen=True, kw_only=True)
class ReleasedTable:
    """One table of one period as everybody may read it.

    `dimensions`: as on the day of the draw. `noisy`: each cell (one code a dimension) with its own noise.
    """

    code: str
    period: str
    drawn_on: date
    epsilon: Fraction
    sensitivity: int
    dimensions: tuple[Dimension, ...]
    noisy: Mapping[Codes, int]

    @property
    def scale(self) -> Fraction:
        """Return the scale of the noise on each cell."""
        return self.sensitivity / self.epsilon

    @property
    def variance(self) -> float:
        """Return the variance of the noise on each cell; cells are independent."""
        return variance(self.scale)


def released_tables(
    session: Session, *, code: str | None = None, period: str | None = None
) -> tuple[ReleasedTable, ...]:
    """Return all released tables, or those of one code or period; the oldest period first."""
    query = select(Publication).order_by(Publication.period, Publication.code)
    wanted = {"code": code, "period": period}
    query = query.filter_by(**{name: value for name, value in wanted.items() if value is not None})
    return tuple(map(read_table, session.scalars(query)))


def released_table(session: Session, *, period: str, code: str) -> ReleasedTable:
    """Return one released table; raise `NotFound`."""
    found = session.get(Publication, (period, code))
    if found is None:
        raise NotFound
    return read_table(found)


def read_table(row: Publication) -> ReleasedTable:
    """Return a stored row as a table."""
    said: dict[str, Any] = json.loads(row.content)
    return ReleasedTable(
        code=row.code,
        period=row.period,
        drawn_on=row.drawn_on,
        epsilon=Fraction(row.epsilon),
        sensitivity=said["sensitivity"],
        dimensions=tuple(
            Dimension(name=name, codes=tuple(codes)) for name, codes in said["dimensions"].items()
        ),
        noisy={tuple(codes): count for *codes, count in said["cells"]},
    )
