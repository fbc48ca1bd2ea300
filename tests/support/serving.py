"""Runs `signals serve` or `signals work` as a process of its own, on a world, and ends what it started."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from signals.clock import SystemClock
from signals.vocabulary import ProcessRole
from tests.support.world import World

ROOT = Path(__file__).resolve().parents[2]
LONGEST_SECONDS = 60.0
_COMMANDS = {ProcessRole.WORKER: "work"}


class Served:
    """A running `signals serve` (`work` for a worker) with all its processes in a session of their own."""

    def __init__(self, world: World, *, role: ProcessRole = ProcessRole.ALL, port: int | None = None) -> None:
        self.port = port or free_port()
        self.log_file = world.folder / f"serve-{self.port}-{len(list(world.folder.glob('serve-*')))}.log"
        config = world.folder / f"config-{self.port}-{role.value}.toml"
        config.write_text(config_of(world, role, self.port), encoding="utf-8")
        with self.log_file.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "signals.cli", "--config", str(config), _COMMANDS.get(role, "serve")],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=ROOT,
                env={n: v for n, v in os.environ.items() if not n.startswith("SIGNALS")},
                start_new_session=True,
                # A shell that starts the tests in the background lets its children ignore SIGINT.
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            )

    def wait_until_ready(self) -> None:
        """Until `/readyz` says so. Raises `AssertionError` with the log when it ends or takes too long."""
        deadline = time.monotonic() + LONGEST_SECONDS
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.log()
            if self.status("/readyz") == 200:
                return
            time.sleep(0.05)
        raise AssertionError(self.log())

    def status(self, path: str) -> int | None:
        """The status of a GET; None when nobody answers."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except OSError:
            return None
        finally:
            connection.close()

    def post(self, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", data=body, headers=headers, method="POST"
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read()

    def terminate(self, seconds: float = 12.0) -> int:
        """Send SIGTERM to the parent, as a service manager does; its exit code. Raises `TimeoutExpired`."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)

    def processes(self) -> list[psutil.Process]:
        """Return the parent and its workers, as far as they live."""
        return _session(self.process.pid)

    def left_over(self) -> list[psutil.Process]:
        """Processes of the session that still live, given a moment to end."""
        deadline = time.monotonic() + LONGEST_SECONDS
        while (living := self.processes()) and time.monotonic() < deadline:
            time.sleep(0.05)
        return living

    def log(self) -> str:
        return self.log_file.read_text(encoding="utf-8", errors="replace")

    def close(self) -> None:
        """End everything, whatever state it is in."""
        for process in self.processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self.process.wait(LONGEST_SECONDS)


@contextlib.contextmanager
def serving(world: World, *, role: ProcessRole = ProcessRole.ALL) -> Iterator[Served]:
    """A server that is ready; ended afterwards."""
    if role is ProcessRole.FRONT:  # nobody else makes the keys of the machine's own week
        world.clock.moment = SystemClock().now()
        world.worker().provision_keys()
    served = Served(world, role=role)
    try:
        served.wait_until_ready()
        yield served
    finally:
        served.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def config_of(world: World, role: ProcessRole, port: int) -> str:
    """The settings of a world as a file; logs at DEBUG."""
    settings = world.settings
    return f"""\
role = "{role.value}"
environment = "test"
data_folder = "{world.folder}"
[scheme]
contact_email = "vragen@example.org"
[server]
port = {port}
processes = {settings.server.processes}
threads = 2
[database]
url = "{settings.database.url}"
[keystore]
url = "{settings.keystore.url}"
master_key_file = "{settings.keystore.master_key_file}"
[front]
secret_file = "{settings.front.secret_file}"
root_public_key = "{settings.front.root_public_key}"
issuers_file = "{settings.front.issuers_file}"
[issuer]
database_url = "{settings.issuer.database_url}"
secret_file = "{settings.issuer.secret_file}"
[limits]
open_reports_per_area_and_day = {settings.limits.open_reports_per_area_and_day}
unproven_reports_per_area_and_day = {settings.limits.unproven_reports_per_area_and_day}
unproven_reports_per_area_and_hour = {settings.limits.unproven_reports_per_area_and_hour}
[notes]
enabled = true
[notifications]
delay_minutes = 0
mail_folder = "{world.folder}/demo/mail"
interval_seconds = 1
[arrival]
interval_seconds = 1
[logging]
level = "DEBUG"
"""


def _session(leader: int) -> list[psutil.Process]:
    """Living processes of a session, zombies aside."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):
            if os.getsid(process.pid) == leader and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def wait_until(condition: Callable[[], bool], seconds: float = LONGEST_SECONDS) -> None:
    """Wait until a condition holds; fail after some seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
