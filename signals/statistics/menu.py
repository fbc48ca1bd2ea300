"""The fixed menu: every table of figures, its cells, and its share of the budget. Nothing finer exists.

One signal may spend `BUDGET` in its life. It enters each table once: `received` in the quarter in which it
came, the other tables in the year in which a worker first concluded it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from itertools import product
from typing import Final

from privacy.noise import variance
from signals import reference
from signals.vocabulary import AttemptKind, ConcernType, NotReachedReason, Outcome

Codes = tuple[str, ...]
"""One code for each dimension of a table: the address of a cell."""

BUDGET: Final = Fraction(2)
"""The most epsilon that one signal spends in its life, over all tables."""

UNKNOWN: Final = "unknown"
"""The region of a signal whose address lies on no map, or is gone."""

YES, NO = "yes", "no"
ATTEMPTS, COMPARISON = "attempts", "comparison"
"""A signal counts in one of these two tables: in the second, when it takes part in a comparison."""

ATTEMPTS_COUNTED: Final = 4
KINDS_COUNTED: Final = 2
"""A signal counts with its first four attempts, and with at most two kinds of concern."""

TRIED_ENOUGH: Final = f"{Outcome.NOT_REACHED}_{NotReachedReason.TRIED_ENOUGH}"
NOT_REACHED: Final[Mapping[NotReachedReason | None, str]] = {
    None: TRIED_ENOUGH,
    **{reason: f"{Outcome.NOT_REACHED}_{reason}" for reason in NotReachedReason},
}
"""The codes of `not_reached` by its reason; None: the team tried as often as it asks."""


class PeriodKind(StrEnum):
    """The kinds of periods: a quarter is `2026-Q3`, a year `2026`, a comparison `C001`."""

    QUARTER = "quarter"
    YEAR = "year"
    COMPARISON = "comparison"  # the whole time of one, by its code


class Flag(StrEnum):
    """The three questions of the table `course`; `newly_known` counts only signals of which it is known."""

    IN_TIME = "in_time"  # the first attempt at contact came within the norm
    NEWLY_KNOWN = "newly_known"
    REPEAT = "repeat"


@dataclass(frozen=True, kw_only=True)
class Dimension:
    """One side of a table, with the codes of its members in the order of the pages."""

    name: str
    codes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Table:
    """One table of the menu. One signal changes its cells by `sensitivity` in all, at most."""

    code: str
    kind: PeriodKind
    dimensions: tuple[Dimension, ...]
    sensitivity: int
    epsilon: Fraction

    @property
    def cells(self) -> tuple[Codes, ...]:
        """Return the codes of every cell; a table without dimensions has the one cell `()`."""
        return tuple(product(*(dimension.codes for dimension in self.dimensions)))

    @property
    def scale(self) -> Fraction:
        """Return the scale of the noise on each cell."""
        return self.sensitivity / self.epsilon

    @property
    def variance(self) -> float:
        """Return the variance of the noise on each cell."""
        return variance(self.scale)


def menu() -> tuple[Table, ...]:
    """Return every table, in the order of the pages."""
    answer = _dimension("answer", YES, NO)
    return (
        _table(
            ATTEMPTS,
            _dimension("attempt", *map(str, range(1, ATTEMPTS_COUNTED + 1))),
            _dimension("kind", *AttemptKind),
            _dimension("contact", YES, NO),
            sensitivity=ATTEMPTS_COUNTED,
            epsilon="0.90",
        ),
        _table(
            "regions",
            _dimension("region", *reference.ggd_regions(), UNKNOWN),
            _dimension("reached", YES, NO),
            epsilon="0.40",
        ),
        _table("outcomes", _dimension("outcome", *_outcomes()), epsilon="0.25"),
        _table("kinds", _dimension("concern_type", *ConcernType), sensitivity=KINDS_COUNTED, epsilon="0.20"),
        _table("received", kind=PeriodKind.QUARTER, epsilon="0.15"),
        _table("course", _dimension("flag", *Flag), answer, sensitivity=len(Flag), epsilon="0.10"),
    )


def tables_of(kind: PeriodKind) -> tuple[Table, ...]:
    """Return the tables of one kind of period."""
    return tuple(table for table in menu() if table.kind is kind)


def table_of(code: str) -> Table:
    """Return a table of the menu; raise `KeyError` for another code."""
    return {table.code: table for table in menu()}[code]


def kind_of(period: str) -> PeriodKind:
    """Return the kind of a period as it is written."""
    if period.startswith("C"):
        return PeriodKind.COMPARISON
    return PeriodKind.QUARTER if "Q" in period else PeriodKind.YEAR


def _table(
    code: str, *dimensions: Dimension, kind: PeriodKind = PeriodKind.YEAR, sensitivity: int = 1, epsilon: str
) -> Table:
    return Table(
        code=code, kind=kind, dimensions=dimensions, sensitivity=sensitivity, epsilon=Fraction(epsilon)
    )


def _dimension(name: str, *codes: str) -> Dimension:
    return Dimension(name=name, codes=tuple(str(code) for code in codes))


def _outcomes() -> list[str]:
    """Return the outcomes, with those of `not_reached` apart."""
    return [
        *(each for each in Outcome if each is not Outcome.NOT_REACHED),
        *dict.fromkeys(NOT_REACHED.values()),
    ]
