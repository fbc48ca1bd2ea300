"""Keep the last run of each job for people and monitors, and tell which job is late."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker
from structlog import get_logger

from signals.clock import AMSTERDAM, Clock
from signals.models import JobRun, SealedReport

LATE: Final = timedelta(minutes=10)
"""A problem lasts so long before anybody hears of it."""
ARRIVAL: Final = "arrival"
OUTBOX: Final = "outbox"
MOST_COUNTED: Final = 10_000
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

    def forget_others(self, jobs: Iterable[str]) -> None:
        """Delete the runs of jobs that an earlier release had: they would be late for ever."""
        try:
            with self._sessions.begin() as session:
                session.execute(delete(JobRun).where(JobRun.job.not_in(list(jobs))))
        except SQLAlchemyError as error:
            log.warning("scheduler.runs_not_forgotten", exc_info=error)

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


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """Reports that wait to arrive. No row tells when a report came; it came after the last arrival."""

    number: int
    oldest_on: date | None
    at_most: timedelta

    @property
    def is_late(self) -> bool:
        """Return whether a report waits longer than a problem may last."""
        return self.number > 0 and self.at_most >= LATE


def waiting_reports(session: Session, now: datetime) -> Waiting:
    """Return what waits to arrive; counts `MOST_COUNTED` reports at most, for each is a large row."""
    some = select(SealedReport.received_on).where(SealedReport.refused_on.is_(None)).limit(MOST_COUNTED)
    waiting = some.subquery()
    row = session.execute(select(func.count(), func.min(waiting.c.received_on)).select_from(waiting)).one()
    number: int = row[0]
    oldest: date | None = row[1]
    arrived = session.scalar(select(JobRun.succeeded_at).where(JobRun.job == ARRIVAL))
    midnight = datetime.combine(oldest or now.date(), time.min, AMSTERDAM)
    since = midnight if arrived is None else arrived
    # A report of an earlier day is older than the last arrival, which left it.
    since = min(since, midnight + timedelta(days=1)) if oldest else now
    return Waiting(number=number, oldest_on=oldest, at_most=now - since)
