"""Counts and the figures released from them: rows that are written once and never change."""

from datetime import date

from sqlalchemy import Date, ForeignKey, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from signals.models.base import NO_ROWID, Base


class CountedTable(Base):
    """The true counts of one table for one quarter: what a release protects, and what a year is the sum of.

    `counts`: canonical JSON, see `signals.statistics.ledger`. No person's role reads it.
    """

    __tablename__ = "counted_tables"
    __table_args__ = (NO_ROWID,)

    quarter: Mapped[str] = mapped_column(String(7), primary_key=True)
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    counts: Mapped[str] = mapped_column(Text)


class StoredRelease(Base):
    """A period that was released, once: a quarter `2026-Q3`, a year `2026` or years `2023-2026`.

    `protocol`: the report of the audit before it, Markdown by language in JSON; no hidden count is in it.
    """

    __tablename__ = "releases"
    __table_args__ = (NO_ROWID,)

    period: Mapped[str] = mapped_column(String(9), primary_key=True)
    released_on: Mapped[date] = mapped_column(Date)
    protocol: Mapped[str] = mapped_column(Text)


class StoredTable(Base):
    """One table of a release as everybody reads it: its schema and its cells, canonical JSON.

    `cells` is null when the table was withheld: the audit found a hidden cell that could be narrowed.
    """

    __tablename__ = "released_tables"
    __table_args__ = (NO_ROWID,)

    period: Mapped[str] = mapped_column(String(9), ForeignKey("releases.period"), primary_key=True)
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    position: Mapped[int]
    schema: Mapped[str] = mapped_column("table_schema", Text)
    cells: Mapped[str | None] = mapped_column(Text)


class Publication(Base):
    """One released table, which is also one line of the ledger: what this period and table spent.

    `epsilon`: the spent budget, a decimal number. `content`: canonical JSON of dimensions, sensitivity and
    noisy cells. `signature`: of the keystore's root over all other columns.
    """

    __tablename__ = "publications"
    __table_args__ = (NO_ROWID,)

    period: Mapped[str] = mapped_column(String(7), primary_key=True)
    code: Mapped[str] = mapped_column(String(20), primary_key=True)
    epsilon: Mapped[str] = mapped_column(String(8))
    drawn_on: Mapped[date] = mapped_column(Date)
    content: Mapped[str] = mapped_column(Text)
    signature: Mapped[bytes] = mapped_column(LargeBinary(64))
