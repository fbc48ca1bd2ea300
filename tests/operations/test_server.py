"""The server as a process: it starts, answers, stops when told to, and leaves nothing behind."""

import json
import os
import signal
import subprocess
import sys
import uuid
from contextlib import nullcontext
from dataclasses import replace
from io import StringIO
from typing import NoReturn

import psutil  # type: ignore[import-untyped]
import pytest
from sqlalchemy import delete, update

from privacy.logs import configure_logging
from signals.models import Organisation
from signals.operations import server
from signals.operations.server import _refuse_without_national_desk
from signals.routing.snapshot import routing_changed
from signals.settings import DatabaseSettings
from signals.vocabulary import Environment, ProcessRole
from tests.support.serving import ROOT, Served, config_of, serving, wait_until
from tests.support.world import NATIONAL, World

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("role", [ProcessRole.FRONT, ProcessRole.ALL])
def test_it_answers_and_stops_on_sigterm_leaving_no_process(sqlite_world: World, role: ProcessRole) -> None:
    with serving(sqlite_world, role=role) as served:
        assert served.status("/healthz") == 200
        assert served.status("/api/v1/form") == 200
        assert served.terminate() == 0
        assert served.left_over() == []
        assert served.status("/healthz") is None


def test_a_report_that_was_answered_arrives_by_itself(sqlite_world: World) -> None:
    with serving(sqlite_world) as served:
        status, _body = served.post(
            "/api/v1/signals",
            json.dumps({"postcode": "1012AB", "house_number": 12}).encode(),
            {"Content-Type": "application/json", "Idempotency-Key": str(uuid.uuid4())},
        )
        assert status == 201
        wait_until(lambda: len(sqlite_world.signals()) == 1)


@pytest.mark.parametrize("delay", [0.0, 0.05, 0.15, 0.3, 0.5, 0.8, 1.2, 2.0])
def test_sigterm_at_any_moment_of_the_start_ends_it_within_twelve_seconds(
    sqlite_world: World, delay: float
) -> None:
    served = Served(sqlite_world)
    try:
        with pytest.raises(subprocess.TimeoutExpired):
            served.process.wait(delay)
        served.terminate(12)
        assert served.left_over() == []
    finally:
        served.close()


@pytest.mark.parametrize("delay", [0.2, 0.6, 1.0, 1.4, 2.0])
@pytest.mark.parametrize("whole_terminal", [True, False])
def test_ctrl_c_ends_it_before_the_main_process_kills_a_worker(
    sqlite_world: World, delay: float, whole_terminal: bool
) -> None:
    """The stop comes at several moments, and to the main process alone, as some tools send it."""
    served = Served(sqlite_world)
    try:
        with pytest.raises(subprocess.TimeoutExpired):
            served.process.wait(delay)
        (os.killpg if whole_terminal else os.kill)(served.process.pid, signal.SIGINT)
        served.process.wait(server.STOP_SECONDS - 1)
        assert served.left_over() == []
    finally:
        served.close()


def test_a_worker_hears_of_an_end_from_the_main_process_alone() -> None:
    """A terminal sends SIGINT to all; a worker that still starts ends at once by SIGTERM."""
    code = """
import os, signal, sys
from signals.operations import server
signal.signal(signal.SIGTERM, lambda *_: None)
server._give_workers_signals_of_their_own()
reader, writer = os.pipe()
worker = os.fork()
if not worker:
    os.write(writer, b"1" if signal.pthread_sigmask(signal.SIG_BLOCK, []) == {signal.SIGINT} else b"0")
    while True:
        signal.pause()
alone = os.read(reader, 1) == b"1"
os.kill(worker, signal.SIGINT)
os.kill(worker, signal.SIGTERM)
ended_by = os.WTERMSIG(os.waitpid(worker, 0)[1])
print(alone, ended_by == signal.SIGTERM, signal.pthread_sigmask(signal.SIG_BLOCK, []) == set())
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "True", "True"]


def test_the_server_logs_a_failed_start_of_a_worker_without_the_words_of_the_error(
    sqlite_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object) -> NoReturn:
        raise ValueError("Dorpsstraat 12, 1012AB")

    monkeypatch.setattr(server, "_end_with", lambda _parent: None)
    lines = StringIO()
    configure_logging(lines)
    with pytest.raises(SystemExit) as ended:
        server._loader(sqlite_world.settings, lambda _settings: fail, fail, fail)()
    configure_logging()
    assert ended.value.code == 1
    assert ended.value.__suppress_context__
    line = json.loads(lines.getvalue())
    assert (line["event"], line["exception"][0]["type"]) == (
        "server.worker_not_started",
        "builtins.ValueError",
    )
    assert "1012AB" not in lines.getvalue()


def test_a_second_instance_on_the_same_port_says_so_and_ends(sqlite_world: World) -> None:
    with serving(sqlite_world) as first:
        second = Served(sqlite_world, port=first.port)
        try:
            assert second.process.wait(30) != 0
            assert str(first.port) in second.log()
            assert "Traceback" not in second.log()
            assert "Serving on" not in second.log()
            assert "PORT=8080 make run" in second.log()
        finally:
            second.close()
        assert first.status("/healthz") == 200


def test_workers_end_when_their_parent_was_killed(sqlite_world: World) -> None:
    with serving(sqlite_world) as served:
        served.process.kill()
        served.process.wait(10)
        wait_until(lambda: served.left_over() == [])


def test_a_worker_that_was_killed_comes_back_and_a_server_whose_workers_keep_ending_says_so(
    sqlite_world: World,
) -> None:
    with serving(sqlite_world, role=ProcessRole.FRONT) as served:
        (first,) = psutil.Process(served.process.pid).children()
        first.kill()
        wait_until(lambda: served.status("/readyz") == 200 and not first.is_running())
        wait_until(lambda: _ended_when_its_workers_are_killed(served))
        assert served.process.returncode == 1
        assert "server.workers_end_too_often" in served.log()


def _ended_when_its_workers_are_killed(served: Served) -> bool:
    for worker in psutil.Process(served.process.pid).children():
        worker.kill()
    return served.process.poll() is not None


def test_settings_that_are_refused_are_listed_and_nothing_is_served(sqlite_world: World) -> None:
    config = sqlite_world.folder / "config.toml"
    text = config_of(sqlite_world, ProcessRole.ALL, 0).replace('"test"', '"production"')
    config.write_text(text + "\n[unknown]\nkey = 1\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "signals.cli", "--config", str(config), "serve"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=30,
        check=False,
    )
    assert done.returncode == 1
    assert "unknown" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unreadable_secret_ends_the_start_with_a_sentence(sqlite_world: World) -> None:
    sqlite_world.settings.front.secret_file.chmod(0o644)
    served = Served(sqlite_world, role=ProcessRole.FRONT)
    try:
        assert served.process.wait(30) == 1
        assert "cannot serve:" in served.log()
        assert "Traceback" not in served.log()
    finally:
        served.close()


def test_production_does_not_start_without_a_national_desk(sqlite_world: World) -> None:
    _refuse_without_national_desk(sqlite_world.settings)
    with sqlite_world.sessions.begin() as session:
        session.execute(update(Organisation).where(Organisation.id == NATIONAL).values(agreement_on=None))
    with pytest.raises(SystemExit, match="no national desk"):
        _refuse_without_national_desk(sqlite_world.settings)


@pytest.mark.parametrize(("role", "starts"), [(ProcessRole.FRONT, False), (ProcessRole.DESK, True)])
def test_only_the_desk_starts_before_the_recipients_of_the_national_desk_pressed_their_link(
    sqlite_world: World, monkeypatch: pytest.MonkeyPatch, role: ProcessRole, starts: bool
) -> None:
    started: list[ProcessRole] = []
    monkeypatch.setattr(server, "_run_granian", lambda settings, _loader: started.append(settings.role))
    monkeypatch.setattr(server, "_loader", lambda *_parts: None)
    with sqlite_world.sessions.begin() as session:
        session.execute(update(Organisation).where(Organisation.id == NATIONAL).values(agreement_on=None))
    settings = replace(sqlite_world.settings, role=role, environment=Environment.PRODUCTION)
    with nullcontext() if starts else pytest.raises(SystemExit, match="no national desk"):
        server.serve(settings, prepare_app=_never, make_worker=_never, open_issuer=_never)
    assert started == [role] * starts


def _never(*_parts: object) -> NoReturn:
    raise AssertionError("it starts no worker here")


def test_production_does_not_start_where_there_never_was_a_national_desk(sqlite_world: World) -> None:
    with sqlite_world.sessions.begin() as session:
        session.execute(delete(Organisation).where(Organisation.id == NATIONAL))
        routing_changed(session)
    with pytest.raises(SystemExit, match="no national desk"):
        _refuse_without_national_desk(sqlite_world.settings)


def test_a_database_that_is_away_does_not_keep_production_from_starting(sqlite_world: World) -> None:
    away = DatabaseSettings(url="postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    _refuse_without_national_desk(replace(sqlite_world.settings, database=away))
