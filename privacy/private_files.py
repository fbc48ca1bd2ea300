"""Files that only their owner may read."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def for_owner_alone() -> Iterator[None]:
    """Keep each file that this process makes meanwhile for its owner; then restore its umask."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


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


def open_private(path: str, flags: int, like: Path | None = None) -> int:
    """Open a file for its owner alone; a new file of root gets the owner of the folder, or of `like`.

    Otherwise the worker, which has an account of its own, could not write its journal after root did. Only a
    new file changes its owner: an existing one may be a link.
    """
    if os.geteuid() != 0:
        return os.open(path, flags, 0o600)
    try:
        descriptor = os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return os.open(path, flags, 0o600)
    owner = (like or Path(path).parent).stat()
    os.fchown(descriptor, owner.st_uid, owner.st_gid)
    return descriptor
