"""Database files that only their owner may read."""

import os
import stat
from contextlib import suppress
from pathlib import Path


def make_private(path: Path) -> None:
    """Make the file of a SQLite database, mode 0600, or close one that is there to all but its owner.

    Before SQLite does: it gives its write-ahead log and shared memory the mode of this file. A file that is
    there is never opened: closing it again would drop every lock that this process holds on it (POSIX,
    fcntl(2)), whoever else then closes the database takes itself for the last and deletes the write-ahead
    log, and what this process commits from there on is in no file that has a name.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        path.chmod(0o600)
