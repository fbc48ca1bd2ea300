"""A second PostgreSQL that follows a first one, as on another machine, and a machine that dies."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

import psutil  # type: ignore[import-untyped]

from tests.support.postgres import SUPERUSER, PostgresServer

NAME = "standby"
PRIMARY: Mapping[str, str] = {
    "dynamic_shared_memory_type": "mmap",  # in its data folder: killed, it leaves nothing elsewhere
    "max_connections": "60",
    "shared_buffers": "32MB",
}
IPC_RMID = 0


class Standby(PostgresServer):
    """A copy of a running server that replays what the first one writes, until somebody promotes it."""

    def __init__(self, primary: PostgresServer, *, settings: Mapping[str, str] | None = None) -> None:
        super().__init__(durable=True, settings=settings)
        self._primary = primary

    def promote(self) -> None:
        """Let it write from now on."""
        assert self.execute("SELECT pg_promote(true, 120)") == "t"

    @contextmanager
    def falling_behind(self) -> Iterator[None]:
        """Receive nothing from now on: no commit that waits for this standby comes back."""
        family = psutil.Process(self.process_id).children()
        (receiver,) = (one for one in family if "walreceiver" in " ".join(one.cmdline()))
        receiver.suspend()
        try:
            yield
        finally:
            receiver.terminate()  # before it reads what the primary sent meanwhile
            receiver.resume()

    def _initialise(self) -> None:
        copied_from = f"host={self._primary.socket_folder} user={SUPERUSER} application_name={NAME}"
        self._run(
            "pg_basebackup",
            f"--pgdata={self.data_folder}",
            f"--dbname={copied_from}",
            "--write-recovery-conf",
            "--checkpoint=fast",
            "--no-sync",
        )


def wait_for_the_standby(primary: PostgresServer, standbys: str = NAME) -> None:
    """Let each commit of a server wait for its standby from now on."""
    primary.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{standbys}'")
    primary.execute("SELECT pg_reload_conf()")


def until_it_follows(primary: PostgresServer, seconds: float = 120) -> None:
    """Wait until the standby is the one that commits wait for."""
    deadline = time.monotonic() + seconds
    while primary.execute("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'") != "1":
        assert time.monotonic() < deadline, "the standby does not follow"
        time.sleep(0.1)


def dies(server: PostgresServer) -> None:
    """Kill every process of a server at once, as when its machine loses its power."""
    shared_memory = int((server.data_folder / "postmaster.pid").read_text().splitlines()[6].split()[1])
    postmaster = psutil.Process(server.process_id)
    family = [postmaster, *postmaster.children(recursive=True)]
    for process in family:
        with suppress(psutil.NoSuchProcess):  # a child that saw its postmaster die ends by itself
            process.kill()
    psutil.wait_procs(family, timeout=30)
    ctypes.CDLL(None).shmctl(shared_memory, IPC_RMID, None)


def several(*servers: PostgresServer, database: str) -> str:
    """Return the url of a database on whichever of these servers writes."""
    hosts = "&".join(f"host={server.socket_folder}:5432" for server in servers)
    return f"postgresql+psycopg://{SUPERUSER}@/{database}?{hosts}&target_session_attrs=read-write"
