"""The schedule as it is laid out: no job of the worker is forgotten, and what people wait for comes soon."""

import io
import json
from datetime import UTC, date, datetime, timedelta
from inspect import isfunction
from threading import Event
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
from apscheduler.events import EVENT_JOB_MAX_INSTANCES
from apscheduler.job import Job
from apscheduler.schedulers.background import BackgroundScheduler
from structlog.testing import capture_logs

from privacy.logs import configure_logging
from signals.clock import AMSTERDAM, SystemClock
from signals.operations import schedule as scheduler
from signals.operations.jobs import Worker

SERVES = {"close", "drills", "operation", "ping", "releasing", "retention"}
"""Public methods of the worker that are no job: they serve other code."""


@pytest.fixture
def worker() -> Any:
    made = Mock(spec=Worker)
    made.clock, made.engine = SystemClock(), Mock(dialect=SimpleNamespace(name="sqlite"))
    made.settings = SimpleNamespace(
        arrival=SimpleNamespace(interval_seconds=2),
        notifications=SimpleNamespace(interval_seconds=5),
        audit=SimpleNamespace(link_seconds=10),
        retention=SimpleNamespace(at_hour=2),
    )
    return made


@pytest.fixture
def laid_out(worker: Any) -> BackgroundScheduler:
    made = BackgroundScheduler(timezone=UTC)
    scheduler.add_jobs(made, worker)
    return made


@pytest.fixture
def jobs(laid_out: BackgroundScheduler) -> dict[str, Job]:
    return {job.id: job for job in laid_out.get_jobs()}


def test_every_job_of_the_worker_is_in_the_schedule_and_a_failing_one_stops_no_other(
    worker: Any, jobs: dict[str, Job]
) -> None:
    names = {name for name, made in vars(Worker).items() if isfunction(made) and not name.startswith("_")}
    for name in names - SERVES:
        getattr(worker, name).side_effect = RuntimeError
    with capture_logs() as said:
        for job in jobs.values():
            job.func()
    assert {line["job"] for line in said if line["event"] == "scheduler.job_failed"} == {
        name.removesuffix("_at_start") for name in jobs if name != "clock"
    }
    assert {name for name in names if not getattr(worker, name).called} == SERVES


@pytest.mark.parametrize(
    ("name", "seconds"), [("mailbox_keys", 10), ("proofs", 60), ("limits", 60), ("destroyed_keys", 60)]
)
def test_a_job_that_people_wait_for_runs_soon_and_from_the_start(
    jobs: dict[str, Job], name: str, seconds: int
) -> None:
    assert jobs[name].trigger.interval <= timedelta(seconds=seconds)
    assert jobs[name].next_run_time <= datetime.now(UTC)


@pytest.mark.parametrize("day", ["2027-03-27", "2027-10-30"], ids=["an hour less", "an hour twice"])
def test_a_job_of_the_night_runs_in_every_night_also_when_the_clock_changes(
    jobs: dict[str, Job], day: str
) -> None:
    trigger, moment = jobs["retention"].trigger, datetime.fromisoformat(f"{day}T12:00:00+00:00")
    nights: dict[date, int] = {}
    for _ in range(4):
        moment = trigger.get_next_fire_time(moment, moment + timedelta(seconds=1)).astimezone(UTC)
        night = moment.astimezone(AMSTERDAM).date()
        nights[night] = nights.get(night, 0) + 1
    first = datetime.fromisoformat(day).date()
    assert list(nights)[:3] == [first + timedelta(days=number) for number in (1, 2, 3)]
    assert max(nights.values()) <= 2  # from two to three comes twice in October, and does no harm


def test_a_job_of_the_night_does_not_begin_while_the_one_of_the_start_goes_on(
    worker: Any, jobs: dict[str, Job]
) -> None:
    """A first purge may take until the hour of the night, and two of them wait for one another's rows."""
    worker.retain.side_effect = lambda: jobs["retention"].func()
    with capture_logs() as said:
        jobs["retention_at_start"].func()
    assert worker.retain.call_count == 1
    assert [(line["event"], line["job"]) for line in said] == [("scheduler.job_still_runs", "retention")]
    worker.retain.side_effect = RuntimeError
    for _ in range(2):
        jobs["retention"].func()
    assert worker.retain.call_count == 3


def test_a_failed_job_of_the_night_is_repeated_within_minutes_until_it_is_done(
    worker: Any, laid_out: BackgroundScheduler
) -> None:
    worker.retain.side_effect = RuntimeError
    waits = []
    laid_out.get_job("retention").func()
    for _ in range(8):
        again = laid_out.get_job("retention_again")
        waits.append(again.args[0])
        assert again.trigger.run_date <= datetime.now(UTC) + scheduler.LAST_RETRY
        again.remove()
        again.func(*again.args)
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (timedelta(minutes=2), timedelta(hours=1))
    worker.retain.side_effect = None
    again = laid_out.get_job("retention_again")
    again.remove()
    again.func(*again.args)
    assert laid_out.get_job("retention_again") is None


def test_a_skipped_job_is_named_in_the_log(log: io.StringIO) -> None:
    configure_logging(log)
    begun, over = Event(), Event()
    skipping = BackgroundScheduler(timezone=UTC)
    skipping.add_listener(lambda _event: over.set(), EVENT_JOB_MAX_INSTANCES)
    skipping.add_job(lambda: begun.set() or over.wait(20), "interval", seconds=1, id="arrival")
    skipping.start()
    assert over.wait(20)
    skipping.shutdown()
    (line,) = [json.loads(line) for line in log.getvalue().splitlines() if "skipped" in line]
    assert line["job"] == "arrival"
