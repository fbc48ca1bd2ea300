"""Without a worker, metrics, alerts and a mail of the desk say so."""

import re
from pathlib import Path

import pytest

from notifications.channels.memory import MemoryChannel
from notifications.retry import TemporaryFailure
from privacy.passwords import PasswordHasherSettings
from signals.operations.job_runs import LATE
from signals.operations.worker_watch import AGAIN, WorkerWatch
from signals.staff.accounts import add_staff
from signals.vocabulary import ProcessRole, Role
from signals.web.http.metrics import Figures
from tests.support.fences import FencedWorld, worker_of
from tests.support.world import World

ALERTS = Path(__file__).parents[2] / "docs/deploy/alerts.yml"
ADMINISTRATOR = "bea@example.org"


@pytest.mark.postgres
def test_a_desk_mails_that_nobody_works_by_its_own_rights(fenced_world: FencedWorld) -> None:
    _add_administrator(fenced_world.all_seeing)
    desk, email = fenced_world.desk, MemoryChannel()
    watch, other = _watch(desk, email), _watch(desk, MemoryChannel())
    runs = worker_of(fenced_world.worker).runs
    runs.note("arrival", None, LATE)
    desk.move(minutes=9)
    assert watch.look() == 0
    desk.move(minutes=2)
    email.failures.append(TemporaryFailure("smtp_connection"))
    assert (watch.look(), watch.look(), watch.look(), other.look()) == (0, 1, 0, 0)
    assert [(mail.recipient, mail.subject) for mail in email.sent] == [
        (ADMINISTRATOR, "Niemand kijkt naar dit kanaal")
    ]
    desk.move(seconds=AGAIN.total_seconds())
    assert other.look() == 1
    desk.move(seconds=AGAIN.total_seconds())
    runs.note("arrival", None, LATE)
    assert watch.look() == 0


def _watch(desk: World, email: MemoryChannel) -> WorkerWatch:
    return WorkerWatch(
        sessions=desk.sessions, clock=desk.clock, email=email, public_url="https://desk.example.org"
    )


def _add_administrator(world: World) -> None:
    with world.sessions.begin() as session:
        add_staff(
            world.operation(session),
            organisation_id=None,
            role=Role.ADMINISTRATOR,
            name="Bea",
            email=ADMINISTRATOR,
            password="zeven groene fietsen",
            hasher=PasswordHasherSettings(memory_kib=64),
        )


def test_the_age_of_the_oldest_report_shows_from_ten_minutes_on_and_tells_of_no_younger_one(
    world: World,
) -> None:
    worker = world.worker()
    worker.runs.note("arrival", None, LATE)
    world.move(minutes=9)
    world.receive(1)
    assert _waits(world) == 0
    world.move(minutes=1)
    assert _waits(world) == 600
    assert worker.arrive() == 1
    assert _waits(world) == 0


def _waits(world: World) -> float:
    (figure,) = (
        figure
        for figure in Figures(sessions=world.sessions, clock=world.clock, reads_intake=True).collect()
        if figure.name == "signals_oldest_waiting_report_seconds"
    )
    return float(figure.samples[0].value)


def test_metrics_of_a_desk_name_the_late_job_and_every_alert_uses_metrics_that_exist(world: World) -> None:
    worker = world.worker()
    worker.runs.note("arrival", None, LATE)
    worker.runs.note("retention", "OSError", LATE)
    world.move(minutes=5)
    desk = world.app(ProcessRole.DESK).test_client()
    shown = desk.get("/metrics").text
    for line in (
        'signals_job_late{job="arrival"} 0.0',
        'signals_job_late{job="retention"} 1.0',
        'signals_job_success_age_seconds{job="arrival"} 300.0',
    ):
        assert line in shown.splitlines()
    figures = Figures(sessions=world.sessions, clock=world.clock, reads_intake=True)
    exported = {figure.name for figure in figures.collect()}
    rules = re.findall(r"(?m)^ +expr: (.+)$", ALERTS.read_text())
    asked = {name for rule in rules for name in re.findall(r"\bsignals_\w+", rule)}
    assert asked <= exported
    assert asked >= {"signals_job_late", "signals_oldest_waiting_report_seconds"}
