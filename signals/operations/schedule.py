"""When jobs run: APScheduler with jobs in memory (two schedulers on one job store would fire double)."""

import gc
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Lock
from typing import Any

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.schedulers.base import BaseScheduler
from apscheduler.schedulers.blocking import BlockingScheduler
from apscheduler.triggers.cron import CronTrigger
from structlog import get_logger

from signals.clock import AMSTERDAM
from signals.clock_guard import require_right_clock
from signals.db import driver_error
from signals.operations.heartbeats import HEARTBEATS
from signals.operations.job_runs import LATE
from signals.operations.jobs import Worker
from signals.organisations.covering import cover_unopposed

HOURLY_SECONDS = 3600
MAILBOX_SECONDS = 10
"""An organisation that was taken on now receives from its first keys on: until then another one does."""
REMINDER_SECONDS = 600
PROOF_SECONDS = 60
FIGURES_SECONDS = 60
KEY_SECONDS = 60
SESSION_SECONDS = 60
LIMIT_SECONDS = 60
QUARTER_SECONDS = 15 * 60
FIRST_RETRY = timedelta(minutes=1)
LAST_RETRY = timedelta(hours=1)
"""A failed job of the night runs again after a minute, then after twice as long, at most an hour later."""
YOUNG_OBJECTS = 10_000
BEAT_SECONDS = 150
"""The longest that a job computes between two statements; each ends within a minute (`privacy.patience`)."""
NIGHT = timedelta(hours=25)
CLOCK_SECONDS = 60
UNDER_ANY_CLOCK = frozenset({
    "clock", "arrival", "outbox", "systems", "proofs", "limits", "set_aside", "rights", "delivery_figures",
    "mailbox_keys", "audit_links", "refused_reports", "key_files",
})  # fmt: skip
"""Jobs that destroy, release and remind of nothing; every other one waits while the clock is wrong."""

log = get_logger(__name__)


def start_in_background(worker: Worker) -> BackgroundScheduler:
    """Run the jobs on threads of this process (role `all`); `.shutdown()` ends them."""
    scheduler = BackgroundScheduler(timezone=UTC)
    add_jobs(scheduler, worker)
    scheduler.start()
    return scheduler


def run_until_stopped(worker: Worker) -> None:
    """Run the jobs in the foreground (`signals work`) until SIGTERM or SIGINT."""
    scheduler = BlockingScheduler(timezone=UTC)
    add_jobs(scheduler, worker)
    HEARTBEATS.watch()
    settle_memory()
    scheduler.start()


def settle_memory() -> None:
    """Let the garbage collector pass over what this process made at its start: that stays as long as it.

    To look through all of it took 0.1 s each time, in the middle of a batch. Where thousands of rows come and
    go, what is young is looked at less often, too.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, *gc.get_threshold()[1:])


def add_jobs(scheduler: BaseScheduler, worker: Worker) -> None:
    """Add every job, each with its time."""
    settings, compare = worker.settings, partial(require_right_clock, worker.engine, worker.clock)
    _every(scheduler, worker, CLOCK_SECONDS, "clock", compare)
    _every(scheduler, worker, settings.arrival.interval_seconds, "arrival", worker.arrive)
    _every(scheduler, worker, settings.notifications.interval_seconds, "outbox", worker.deliver)
    _every(scheduler, worker, settings.notifications.interval_seconds, "systems", worker.deliver_to_systems)
    _every(scheduler, worker, REMINDER_SECONDS, "reminders", worker.remind)
    _every(scheduler, worker, PROOF_SECONDS, "proofs", worker.ask_for_proof)
    _every(scheduler, worker, HOURLY_SECONDS, "drills", worker.drill)
    _every(scheduler, worker, HOURLY_SECONDS, "areas", partial(_cover_unopposed, worker))
    _every(scheduler, worker, LIMIT_SECONDS, "limits", worker.watch_limits)
    _every(scheduler, worker, LIMIT_SECONDS, "set_aside", worker.watch_set_aside)
    _every(scheduler, worker, HOURLY_SECONDS, "rights", worker.watch_rights)
    _every(scheduler, worker, SESSION_SECONDS, "sessions", worker.check_sessions)
    _every(scheduler, worker, FIGURES_SECONDS, "delivery_figures", worker.count_messages)
    _every(scheduler, worker, MAILBOX_SECONDS, "mailbox_keys", worker.provision_keys)
    _every(scheduler, worker, settings.audit.link_seconds, "audit_links", worker.link_audit)
    _every(scheduler, worker, KEY_SECONDS, "destroyed_keys", worker.destroy_keys)
    _every(scheduler, worker, QUARTER_SECONDS, "sign_ins", worker.forget_sign_ins)
    for name, job in (
        ("retention", worker.retain),
        ("retries", worker.forget_retries),
        ("refused_reports", worker.retry_refused),
        ("unreadable", worker.try_signals),
        ("full_days", worker.forget_full_days),
        ("old_messages", worker.forget_messages),
        ("trail_head", worker.mail_trail_head),
        ("audit_pruning", worker.prune_audit),
        ("figures", worker.release_figures),
        ("key_sweep", worker.sweep_keys),
        ("key_files", worker.rewrite_keys),
    ):
        _nightly(scheduler, worker, settings.retention.at_hour, name, job)
    worker.runs.forget_others(job.id for job in scheduler.get_jobs())


def _cover_unopposed(worker: Worker) -> int:
    """Cover areas of a single administrator to which nobody objected in time; return how many."""
    with worker.begin() as operation:
        return cover_unopposed(operation)


def _every(scheduler: BaseScheduler, worker: Worker, seconds: int, name: str, job: Callable[[], Any]) -> None:
    """Add a job that starts at once, never overlaps itself, and runs once after a pause."""
    within = max(LATE, timedelta(seconds=2 * seconds))
    HEARTBEATS.expect(name, within.total_seconds())
    scheduler.add_job(
        _guarded(worker, name, job, within),
        "interval",
        seconds=max(1, seconds),
        id=name,
        next_run_time=datetime.now(UTC),
        max_instances=1,
        coalesce=True,
        misfire_grace_time=None,
    )


def _nightly(scheduler: BaseScheduler, worker: Worker, hour: int, name: str, job: Callable[[], Any]) -> None:
    """Add a job at an hour of the night in Amsterdam; a missed one runs at the next start.

    Only one of the two runs at a time: a first purge may last past that hour. A failed one is repeated until
    it is done.
    """
    run = _guarded(worker, name, job, NIGHT)

    def until_done(wait: timedelta = FIRST_RETRY) -> None:
        if run():
            return
        scheduler.add_job(
            until_done,
            "date",
            run_date=datetime.now(UTC) + wait,
            args=[min(2 * wait, LAST_RETRY)],
            id=f"{name}_again",
            replace_existing=True,
            misfire_grace_time=None,
        )

    scheduler.add_job(
        until_done,
        CronTrigger(hour=hour, minute=17, timezone=AMSTERDAM),
        id=name,
        max_instances=1,
        coalesce=True,
        misfire_grace_time=None,
    )
    scheduler.add_job(until_done, id=f"{name}_at_start", misfire_grace_time=None)


def _guarded(worker: Worker, name: str, job: Callable[[], Any], within: timedelta) -> Callable[[], bool]:
    """Return a job that ends no schedule and never overlaps itself; it returns False when it failed.

    The log names the class of the error only.
    """
    turn = Lock()

    def run() -> bool:
        if not turn.acquire(blocking=False):
            log.warning("scheduler.job_still_runs", job=name)
            return True
        problem = None
        try:
            with HEARTBEATS.work(name, BEAT_SECONDS):
                if name not in UNDER_ANY_CLOCK:
                    require_right_clock(worker.engine, worker.clock)
                job()
        except Exception as error:
            problem = type(driver_error(error)).__name__
            log.error("scheduler.job_failed", job=name, exc_info=error)
        finally:
            turn.release()
        worker.runs.note(name, problem, within)
        return problem is None

    return run
