"""Released figures, and the own totals of organisations: rows that are written once and never change."""

import uuid
from datetime import date

from sqlalchemy import Date, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from signals.models.base import NO_ROWID, Base


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
