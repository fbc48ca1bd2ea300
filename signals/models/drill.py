"""Proof that a team hears what it is sent: marked test messages, never signals and never counted."""

import uuid
from datetime import date

from sqlalchemy import Date, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from signals.models.base import Base, new_id


class Drill(Base):
    """One test message (proefmelding) to one organisation; it holds no content, only how it went.

    `step`: who was notified last, see `signals.notices.drills.STEPS`. `missed_on`: nobody answered in time.
    `suspended_from`: the date from which this drill took the routing away, so that an answer gives back
    exactly that; `planned_end`: the date from which it would have ended anyway.
    """

    __tablename__ = "drills"
    __table_args__ = (UniqueConstraint("organisation_id", "sent_on"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    organisation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("organisations.id", ondelete="CASCADE"))
    sent_on: Mapped[date] = mapped_column(Date)
    step: Mapped[int] = mapped_column(default=0)
    answered_on: Mapped[date | None] = mapped_column(Date)
    missed_on: Mapped[date | None] = mapped_column(Date)
    suspended_from: Mapped[date | None] = mapped_column(Date)
    planned_end: Mapped[date | None] = mapped_column(Date)
