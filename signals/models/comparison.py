"""Comparisons of orders of attempts: the registered plan, the teams that take part, and sealed draws."""

import uuid
from datetime import date

from sqlalchemy import Date, ForeignKey, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from signals.models.base import NO_ROWID, Base


class Comparison(Base):
    """A registered comparison. `registration` is its plan as JSON, and `digest` the SHA-256 of that.

    `stopped_on`: a coordinator ended the drawing early.
    """

    __tablename__ = "comparisons"
    __table_args__ = (NO_ROWID,)

    code: Mapped[str] = mapped_column(String(4), primary_key=True)
    registration: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(64))
    stopped_on: Mapped[date | None] = mapped_column(Date)


class ComparisonTeam(Base):
    """A team that takes or took part.

    `sealed_place`: how many orders it has drawn. In the open, two copies would tell of one signal.
    """

    __tablename__ = "comparison_teams"
    __table_args__ = (NO_ROWID,)

    organisation_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("organisations.id", ondelete="CASCADE"), primary_key=True
    )
    code: Mapped[str] = mapped_column(ForeignKey("comparisons.code"), primary_key=True)
    takes_part: Mapped[bool] = mapped_column(default=True)
    sealed_place: Mapped[bytes] = mapped_column(LargeBinary)


class ComparisonDraw(Base):
    """The draw of one signal, sealed: its arm, or that it has none, and the day of its first claim.

    Every signal that arrives at a team that takes part has a row, because a missing one would tell what the
    carrier noticed.
    """

    __tablename__ = "comparison_draws"
    __table_args__ = (NO_ROWID,)

    signal_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("signals.id", ondelete="CASCADE"), primary_key=True
    )
    organisation_id: Mapped[uuid.UUID]
    code: Mapped[str] = mapped_column(ForeignKey("comparisons.code"))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
