"""Every job reads what is due, however many rows exist that are not."""

from typing import Any

import pytest
from apscheduler.schedulers.background import BackgroundScheduler
from structlog.testing import capture_logs

from signals.clock import today
from signals.operations.jobs import Worker
from signals.operations.schedule import add_jobs
from signals.retention import unreadable
from tests.support.growing import rows_read, seed, statements
from tests.support.world import World

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

ROWS = 20_000
ENOUGH = ROWS // 10
"""No statement reads more rows: a batch has at most 1,000."""


def test_no_statement_of_a_job_reads_the_rows_that_are_not_due(
    postgres_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, worker = postgres_world, postgres_world.worker()
    monkeypatch.setattr(unreadable, "TRIED_AT_ONCE", unreadable.PAGE)
    world.staff()
    seed(world.engine, on=today(world.clock), rows=ROWS, due=10)
    worker.count_messages()  # the first count is of all
    world.receive(1)
    worker.arrive()
    world.move(hours=1)
    world.receive(2)
    asked = _asked_by_all_jobs(worker)
    assert sum(sql.startswith("DELETE FROM signals ") for _job, sql in asked) == 1
    with world.engine.connect() as connection:
        many = [
            f"{job}: {read} rows by {sql} {values}"
            for (job, sql), values in asked.items()
            if (read := rows_read(connection, sql, values)) > ENOUGH
        ]
    assert not many, "\n\n".join(many)


def _asked_by_all_jobs(worker: Worker) -> dict[tuple[str, str], Any]:
    """Run each job once; return its statements with their values."""
    scheduler = BackgroundScheduler()
    add_jobs(scheduler, worker)
    found = {}
    with capture_logs() as lines:
        for job in scheduler.get_jobs():
            if not job.id.endswith("_at_start"):
                with statements("SELECT", "WITH", "UPDATE", "DELETE") as asked:
                    job.func()
                found |= {(job.id, sql): values for sql, values in asked.items()}
    assert [line for line in lines if line["event"] == "scheduler.job_failed"] == []
    return found
