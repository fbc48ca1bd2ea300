"""The last run of each job, as doctor, metrics and the desk read it."""

from datetime import timedelta

from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy import select

from signals.models import JobRun
from signals.operations.job_runs import LATE, is_late
from signals.operations.schedule import _guarded, add_jobs
from tests.support.world import World


def _run_of(world: World) -> JobRun:
    run: JobRun = world.row(select(JobRun))
    return run


def test_a_job_is_late_when_it_fails_or_does_not_run_for_ten_minutes(world: World) -> None:
    worker, fails = world.worker(), False

    def job() -> None:
        if fails:
            raise LookupError

    run = _guarded(worker, "arrival", job, LATE)
    run()
    assert (_run_of(world).problem, is_late(_run_of(world), world.clock.now())) == (None, False)
    world.move(minutes=9)
    fails = True
    run()
    assert (_run_of(world).problem, is_late(_run_of(world), world.clock.now())) == ("LookupError", False)
    world.move(minutes=2)
    assert is_late(_run_of(world), world.clock.now())
    fails = False
    run()
    assert not is_late(_run_of(world), world.clock.now())
    assert is_late(_run_of(world), world.clock.now() + LATE + timedelta(seconds=1))


def test_a_worker_forgets_the_jobs_of_an_earlier_release(world: World) -> None:
    worker = world.worker()
    for job in ("arrival", "gone"):
        worker.runs.note(job, None, LATE)
    add_jobs(BackgroundScheduler(), worker)
    assert _run_of(world).job == "arrival"


def test_a_job_of_every_second_is_noted_twice_a_minute(world: World) -> None:
    run = _guarded(world.worker(), "arrival", lambda: None, LATE)
    noted = set()
    for _second in range(60):
        run()
        noted.add(_run_of(world).ran_at)
        world.move(seconds=1)
    assert len(noted) == 2
