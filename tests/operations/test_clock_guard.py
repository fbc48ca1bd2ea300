"""A process whose clock differs from the database's destroys, releases and reminds of nothing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy import select
from structlog.testing import capture_logs

from signals import app
from signals.clock import SystemClock
from signals.clock_guard import require_right_clock, time_apart
from signals.errors import ClockApart
from signals.models import JobRun, Signal
from signals.operations import backup, schedule
from signals.vocabulary import ProcessRole
from tests.support.retention import concluded
from tests.support.world import World


class Ahead(SystemClock):
    """The clock of a machine that is ahead."""

    def __init__(self, **step: float) -> None:
        self._step = timedelta(**step)

    def now(self) -> datetime:
        return super().now() + self._step


@pytest.mark.postgres
@pytest.mark.parametrize(("days", "left"), [(60, 1), (0, 0), (-60, 1)])
def test_a_wrong_clock_purges_nothing_and_a_right_one_does(
    postgres_world: World, days: int, left: int
) -> None:
    postgres_world.clock.moment = datetime.now(UTC) - timedelta(days=3)
    concluded(postgres_world)
    with postgres_world.sessions.begin() as session:
        concluded_long_ago = datetime.now(UTC) - timedelta(days=40)
        session.scalars(select(Signal)).one().concluded_at = concluded_long_ago
    worker = replace(postgres_world.worker(), clock=Ahead(days=days))
    laid_out = BackgroundScheduler(timezone=UTC)
    schedule.add_jobs(laid_out, worker)
    with capture_logs() as said:
        laid_out.get_job("retention").func()
    assert postgres_world.count(Signal) == left
    assert (laid_out.get_job("retention_again") is not None) == bool(left)
    run = postgres_world.row(select(JobRun).where(JobRun.job == "retention"))
    assert run.problem == ("ClockApart" if left else None)
    ahead = [round(line["ahead_seconds"] / 86400) for line in said if line["event"] == "clock.apart"]
    assert ahead == ([days] if left else [])


@pytest.mark.postgres
def test_a_minute_is_allowed_on_both_sides(postgres_world: World) -> None:
    for seconds in (-55, 0, 55):
        require_right_clock(postgres_world.engine, Ahead(seconds=seconds))
    for seconds in (-65, 65):
        with pytest.raises(ClockApart):
            require_right_clock(postgres_world.engine, Ahead(seconds=seconds))


def test_the_database_of_one_machine_has_the_same_clock(sqlite_world: World) -> None:
    assert not time_apart(sqlite_world.engine, Ahead(days=60))


@pytest.mark.postgres
@pytest.mark.parametrize("role", [ProcessRole.FRONT, ProcessRole.DESK])
def test_health_names_a_wrong_clock_and_a_front_goes_on(postgres_world: World, role: ProcessRole) -> None:
    settings = replace(postgres_world.settings, role=role)
    made = app.create_app(settings, clock=Ahead(hours=1), engine=postgres_world.engine)
    body = made.test_client().get("/readyz").get_json()
    app.close_app(made)
    assert body["warned"] == ["clock"]
    assert ("clock" in body.get("failed", ())) == (role is ProcessRole.DESK)


@pytest.mark.postgres
def test_a_command_refuses_to_begin(postgres_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "SystemClock", lambda: Ahead(days=60))
    with pytest.raises(ClockApart), app.open_for_command(postgres_world.settings):
        pass


@pytest.mark.postgres
def test_no_copy_expires_by_a_wrong_clock(
    postgres_world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kept = tmp_path / "keystore" / f"{datetime.now(UTC).strftime(backup.STAMP)}.sqlite"
    kept.parent.mkdir()
    kept.touch()
    monkeypatch.setattr(backup, "SystemClock", lambda: Ahead(days=60))
    copies, warned = backup.Copies(to=tmp_path, journal_only=True), list[str]()
    now = Ahead(days=60).now()
    assert not backup.back_up(postgres_world.settings, copies, now, tell=print, warn=warned.append)
    assert (kept.exists(), "ClockApart" in warned[0]) == (True, True)
    monkeypatch.undo()
    assert backup.back_up(postgres_world.settings, copies, now, tell=print, warn=warned.append)
    assert not kept.exists()
