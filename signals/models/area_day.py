"""How full a receiving organisation's day is once it is nearly full: told to people, who may raise it."""

import uuid
from datetime import date
from typing import Final

from sqlalchemy import CheckConstraint, Date, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from signals.models.base import NO_ROWID, Base, new_id

MOST_RAISES: Final = 4
"""So often a day's limit is raised by itself, so that nobody switches the brake off by pressing on."""


class AreaDay(Base):
    """One organisation on one day on which the limit of reports came near; there is no row for other days.

    `notified_percent`: the part of the present limit at which people were last notified, 0 for not yet.
    `raises`: how often the limit was raised, each time by the setting itself. No count is kept.
    """

    __tablename__ = "area_days"
    __table_args__ = (
        UniqueConstraint("organisation_id", "day"),
        CheckConstraint(f"raises >= 0 AND raises <= {MOST_RAISES}", name="raises_bounded"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    organisation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("organisations.id", ondelete="CASCADE"))
    day: Mapped[date] = mapped_column(Date)
    notified_percent: Mapped[int] = mapped_column(default=0)
    raises: Mapped[int] = mapped_column(default=0)


class UnprovenDay(Base):
    """The number of reports without a token for an organisation on a day; each one's transaction counts."""

    __tablename__ = "unproven_days"
    __table_args__ = (NO_ROWID,)

    organisation_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    number: Mapped[int]


def limit_after(setting: int, raises: int) -> int:
    """Return the day's limit of reports after so many raises."""
    return setting * (1 + raises)
