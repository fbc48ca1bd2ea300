"""The processes that run: the last run of each job, and the keys of the public side."""

from datetime import date, datetime

from sqlalchemy import Date, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from signals.models.base import Base, UtcDateTime


class JobRun(Base):
    """The last run of a job, on any worker.

    `problem`: the class of the error of a failed run. `due_by`: when it should have succeeded again.
    `warned_at`: the last mail that nobody does this work.
    """

    __tablename__ = "job_runs"

    job: Mapped[str] = mapped_column(String(40), primary_key=True)
    ran_at: Mapped[datetime] = mapped_column(UtcDateTime)
    succeeded_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    due_by: Mapped[datetime] = mapped_column(UtcDateTime)
    problem: Mapped[str | None] = mapped_column(String(60))
    warned_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class FrontKey(Base):
    """The fingerprint of a secret of the public side; each generation replaces the one before."""

    __tablename__ = "front_keys"

    generation: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    since: Mapped[date] = mapped_column(Date)
