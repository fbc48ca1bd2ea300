"""Released figures, and the own totals of organisations: rows that are written once and never change."""

import uuid
from datetime import date

from sqlalchemy import Date, ForeignKey, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from signals.models.base import NO_ROWID, Base


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

    `epsilon`: the spent budget, a decimal number. `content`: JSON of dimensions, sensitivity and noisy cells.
    `signature`: of the keystore's root over all other columns.
    """

    __tablename__ = "publications"
    __table_args__ = (NO_ROWID,)

    period: Mapped[str] = mapped_column(String(7), primary_key=True)
    code: Mapped[str] = mapped_column(String(20), primary_key=True)
    epsilon: Mapped[str] = mapped_column(String(8))
    drawn_on: Mapped[date] = mapped_column(Date)
    content: Mapped[str] = mapped_column(Text)
    signature: Mapped[bytes] = mapped_column(LargeBinary(64))


class OrganisationYear(Base):
    """The exact totals of one organisation in one year, for itself alone. They outlive its signals.

    `received` goes by the year of receipt, the others by the year of the first conclusion. `outcomes`: JSON,
    the number of signals by outcome.
    """

    __tablename__ = "organisation_years"
    __table_args__ = (NO_ROWID,)

    organisation_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    year: Mapped[str] = mapped_column(String(4), primary_key=True)
    received: Mapped[int]
    concluded: Mapped[int]
    in_time: Mapped[int]
    reached: Mapped[int]
    outcomes: Mapped[str] = mapped_column(Text)
