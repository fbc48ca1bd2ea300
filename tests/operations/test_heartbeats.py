"""A watchdog ends a process in which work hangs, and health says which work."""

import subprocess
import sys
import threading

import pytest

from signals.operations.heartbeats import EXIT_CODE, HEARTBEATS, Heartbeats
from tests.support.serving import ROOT
from tests.support.world import World


class _Seconds:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> _Seconds:
    return _Seconds()


@pytest.fixture
def heartbeats(seconds: _Seconds) -> Heartbeats:
    return Heartbeats(now=seconds)


def test_work_is_late_after_its_limit_and_ends_the_process_after_twice_that(
    heartbeats: Heartbeats, seconds: _Seconds
) -> None:
    with heartbeats.work("arrival", 10):
        seconds.now = 9
        heartbeats.beat()
        seconds.now = 19
        assert (heartbeats.late(), heartbeats.silent()) == ([], [])
        seconds.now = 20
        assert (heartbeats.late(), heartbeats.silent()) == (["arrival"], [])
        seconds.now = 30
        assert heartbeats.silent() == ["arrival"]
    assert (heartbeats.late(), heartbeats.silent()) == ([], [])


def test_work_that_does_not_come_back_is_late_and_ends_no_process(
    heartbeats: Heartbeats, seconds: _Seconds
) -> None:
    heartbeats.expect("arrival", 10)
    seconds.now = 11
    assert (heartbeats.late(), heartbeats.silent()) == (["arrival"], [])
    with heartbeats.work("arrival", 100):
        seconds.now = 30
        heartbeats.beat()
        assert heartbeats.late() == []


def test_the_watchdog_ends_the_process_once_other_work_goes_on(
    heartbeats: Heartbeats, seconds: _Seconds
) -> None:
    ended, code = threading.Event(), []

    def end(with_code: int) -> None:
        code.append(with_code)
        ended.set()

    with heartbeats.work("outbox", 10):
        heartbeats.watch(end, seconds=0.01)
        seconds.now = 21
        assert ended.wait(30)
    assert code == [EXIT_CODE]


def test_a_process_whose_work_hangs_ends_with_a_code_that_restarts_it() -> None:
    hangs = """
import time
from signals.operations.heartbeats import HEARTBEATS
HEARTBEATS.watch(seconds=0.05)
with HEARTBEATS.work("arrival", 0.1):
    time.sleep(600)
"""
    done = subprocess.run(
        [sys.executable, "-c", hangs], cwd=ROOT, capture_output=True, timeout=120, check=False
    )
    assert done.returncode == EXIT_CODE
    assert b"watchdog.ended_the_process" in done.stdout + done.stderr


def test_health_names_work_that_hangs(sqlite_world: World) -> None:
    client = sqlite_world.client()
    assert client.get("/healthz").status_code == 200
    with HEARTBEATS.work("arrival", -1):
        answers = [client.get(path) for path in ("/healthz", "/readyz")]
    assert [(answer.status_code, answer.json and answer.json["failed"]) for answer in answers] == [
        (503, ["arrival"])
    ] * 2
