"""Keep the last run of each job for people and monitors, and tell which job is late."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker
from structlog import get_logger

from signals.clock import Clock
from signals.models import JobRun

LATE: Final = timedelta(minutes=10)
"""A problem lasts so long before anybody hears of it."""
ARRIVAL: Final = "arrival"
OUTBOX: Final = "outbox"
_NOTED_EVERY: Final = timedelta(seconds=30)

log = get_logger(__name__)


class JobRuns:
    """Writes the last run of each job; a job of every few seconds each half minute, or when it changes."""

    def __init__(self, sessions: sessionmaker[Session], clock: Clock) -> None:
        self._sessions, self._clock = sessions, clock
        self._noted: dict[str, tuple[datetime, str | None]] = {}

    def note(self, job: str, problem: str | None, within: timedelta) -> None:
        """Note that a job ran. `problem`: the class of its error; `within`: when it should succeed again."""
        now = self._clock.now()
        at, before = self._noted.get(job, (None, None))
        if at is not None and before == problem and timedelta(0) <= now - at < _NOTED_EVERY:
            return
        try:
            self._store(now, job, problem, within)
            self._noted[job] = now, problem
        except SQLAlchemyError as error:
            log.warning("scheduler.run_not_noted", job=job, exc_info=error)

    def _store(self, now: datetime, job: str, problem: str | None, within: timedelta) -> None:
        ran: dict[str, Any] = {"ran_at": now, "problem": problem}
        if problem is None:
            ran |= {"succeeded_at": now, "due_by": now + within}
        with self._sessions.begin() as session:
            if session.scalar(update(JobRun).where(JobRun.job == job).values(ran).returning(JobRun.job)):
                return
        with suppress(IntegrityError), self._sessions.begin() as session:  # another worker noted its own
            session.add(JobRun(job=job, **{"due_by": now + within} | ran))


def job_runs(session: Session) -> Sequence[JobRun]:
    """Return the last run of each job, by name."""
    return session.scalars(select(JobRun).order_by(JobRun.job)).all()


def is_late(run: JobRun, now: datetime) -> bool:
    """Return whether a job should have succeeded by now, or fails for ten minutes."""
    fails = run.problem is not None and (run.succeeded_at is None or now - run.succeeded_at >= LATE)
    return fails or run.due_by < now
