"""A write-ahead archive of a PostgreSQL by its own programs, and a server restored from it to a moment."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.postgres import SUPERUSER, PostgresServer
from tests.support.postgres_programs import environment

SECONDS = 120


class Archived(PostgresServer):
    """A server of which an archive receives each commit."""

    @property
    def archive(self) -> Path:
        return self.data_folder.parent / "archive"

    @contextmanager
    def archiving(self) -> Iterator[None]:
        """Copy the whole server once, and receive its write-ahead log from then on."""
        self._own_folder(self.archive)
        self._own_folder(self.archive / "wal")
        command = [
            str(self.programs / "pg_receivewal"),
            f"--directory={self.archive / 'wal'}",
            f"--dbname={self._server}",
            "--synchronous",
            "--no-loop",  # it ends with the server, also when nobody ends it
        ]
        receiver = subprocess.Popen(command, cwd="/", env=environment(), **self._account)
        try:
            base = ("--format=tar", "--gzip", "--checkpoint=fast", "--wal-method=none", "--no-manifest")
            self._run("pg_basebackup", f"--pgdata={self.archive / 'base'}", f"--dbname={self._server}", *base)
            yield
        finally:
            receiver.kill()
            receiver.wait()

    def wait_for_the_archive(self) -> None:
        """Wait until the archive has everything that was committed."""
        end = self.execute("SELECT pg_current_wal_insert_lsn()")
        received = f"SELECT count(*) FROM pg_stat_replication WHERE flush_lsn >= '{end}'"
        deadline = time.monotonic() + SECONDS
        while self.execute(received) != "1":
            assert time.monotonic() < deadline, "the archive does not follow"
            time.sleep(0.1)

    @property
    def _server(self) -> str:
        return f"host={self.socket_folder} user={SUPERUSER}"

    def _own_folder(self, folder: Path) -> None:
        folder.mkdir(mode=0o700)
        if self._account:
            os.chown(folder, self._account["user"], self._account["group"])


class Restored(Archived):
    """A new server with everything that another one's archive has up to a moment."""

    def __init__(self, archive: Path, moment: str) -> None:
        fetch = f"cp {archive}/wal/%f %p || cp {archive}/wal/%f.partial %p"
        target = {"recovery_target_time": moment, "recovery_target_action": "promote"}
        super().__init__(settings={"restore_command": fetch, **target})
        self._copied_from = archive

    def _initialise(self) -> None:
        self._own_folder(self.data_folder)
        unpack = f"tar -xzf {self._copied_from}/base/base.tar.gz && touch recovery.signal"
        subprocess.run(["/bin/sh", "-c", unpack], cwd=self.data_folder, check=True, **self._account)

    def _wait_until_ready(self) -> None:
        super()._wait_until_ready()
        deadline = time.monotonic() + SECONDS
        while self.execute("SELECT pg_is_in_recovery()") != "f":
            assert time.monotonic() < deadline, self._last_log_lines()
            time.sleep(0.1)
