"""Let a desk mail the administrators when no worker does its work: nobody else would say so."""

import threading
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final
from uuid import uuid4

from sqlalchemy import Engine, or_, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker
from structlog import get_logger

from notifications.channels import Channel, Outgoing
from notifications.events import DATES, Event
from notifications.rendering import render
from notifications.retry import DeliveryFailure
from signals.clock import AMSTERDAM, Clock
from signals.db import session_factory
from signals.models import JobRun
from signals.notices.channels import make_channels
from signals.operations.job_runs import ARRIVAL, OUTBOX, is_late, job_runs
from signals.organisations.addressing import EMAIL, ContactPoint, administrators
from signals.settings import Settings

LOOK_SECONDS: Final = 60
AGAIN: Final = timedelta(hours=6)

log = get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class WorkerWatch:
    """A desk that looks at the jobs, and sends by its own channel: the outbox needs a worker."""

    sessions: sessionmaker[Session]
    clock: Clock
    email: Channel = field(repr=False)
    public_url: str

    def begin(self) -> None:
        """Look each minute, on a thread of this process."""
        threading.Thread(target=self._go_on, name="worker-watch", daemon=True).start()

    def look(self) -> int:
        """Mail when reports or messages wait for ten minutes; return how many mails went out.

        One of several desks mails, and again every six hours, and a minute after a failure.
        """
        with self.sessions.begin() as session:
            late = [run for run in job_runs(session) if run.job in (ARRIVAL, OUTBOX) and self._is_late(run)]
            if not late or not self._claim(session):
                return 0
            contacts = [contact for contact in administrators(session) if contact.channel == EMAIL]
        since = min(run.succeeded_at or run.ran_at for run in late).astimezone(AMSTERDAM).date().isoformat()
        sent = sum(self._mail(contact, since) for contact in contacts)
        log.error("worker_watch.nobody_works", jobs=[run.job for run in late], mails=sent)
        if not sent:
            with self.sessions.begin() as session:
                session.execute(update(JobRun).where(JobRun.job == ARRIVAL).values(warned_at=None))
        return sent

    def _is_late(self, run: JobRun) -> bool:
        return is_late(run, self.clock.now())

    def _claim(self, session: Session) -> bool:
        now = self.clock.now()
        free = or_(JobRun.warned_at.is_(None), JobRun.warned_at <= now - AGAIN)
        claimed = update(JobRun).where(JobRun.job == ARRIVAL, free).values(warned_at=now)
        return session.scalar(claimed.returning(JobRun.job)) is not None

    def _mail(self, contact: ContactPoint, since: str) -> bool:
        event = Event.NOBODY_WORKS
        link = f"{self.public_url.rstrip('/')}/admin"
        words = render(event, contact.language, {"link": link, DATES[event]: since})
        mail = Outgoing(
            id=uuid4(),
            recipient=contact.recipient,
            language=contact.language,
            at=self.clock.now(),
            **vars(words),
        )
        try:
            self.email.send(mail)
        except DeliveryFailure as failure:
            log.warning("worker_watch.not_mailed", problem=failure.problem)
            return False
        return True

    def _go_on(self) -> None:
        while True:
            time.sleep(LOOK_SECONDS)
            try:
                self.look()
            except SQLAlchemyError as error:
                log.warning("worker_watch.failed", exc_info=error)


def watch_of(settings: Settings, clock: Clock, engine: Engine) -> WorkerWatch | None:
    """Return the watch of a desk that can mail; `engine` knows the seals of accounts."""
    email = make_channels(settings).get(EMAIL)
    url = settings.server.public_url
    if email is None:
        return None
    return WorkerWatch(sessions=session_factory(engine), clock=clock, email=email, public_url=url)
