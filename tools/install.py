"""Install what `make` needs in this folder: `python -m tools.install product`, or `developer` for the tests.

The Python of the machine runs it, so it uses only the standard library. It does nothing when all is current.
"""

import fcntl
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools import catalogues, environment, front_end
from tools.failing import Failed, say

CACHE = Path(".cache")
INSTALLATIONS = Path("/opt")
"""The units of docs/deploy start the service here, under accounts of their own."""


def main(wanted: str) -> int:
    """Return the exit code: 0 when all is there, 1 after a message about the obstacle."""
    try:
        require_writable(Path.cwd())
        if Path.cwd().is_relative_to(INSTALLATIONS):
            require_open_to_services(
                environment.PYTHON if environment.PYTHON.exists() else Path(sys.executable)
            )
        with alone(CACHE / "install.lock"):
            install(developer=wanted == "developer")
    except Failed as failed:
        say(str(failed))
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def install(*, developer: bool) -> None:
    """Bring the environment, the front-end files and the translations up to date."""
    environment.prepare(developer=developer)
    front_end.prepare()
    if developer:
        front_end.prepare_tests()
    if catalogues.outdated():
        environment.run("-m", "tools.catalogues")


def require_writable(folder: Path) -> None:
    """Raise `Failed` when this account cannot make a file in the folder."""
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise Failed(
            f"This folder cannot be written: {folder} ({error.strerror}).\n"
            "The service keeps its environment, keys and data in it. Copy the folder to a place of your own,"
            " and run make there."
        ) from None


def require_open_to_services(python: Path) -> None:
    """Raise `Failed` when another account cannot run this Python: a service would not start."""
    real = python.resolve()
    closed = [place for place in (real, *real.parents) if not place.stat().st_mode & 0o001]
    if closed:
        raise Failed(
            f"The accounts of the services cannot run this Python: {real} ({closed[-1]} is closed to them).\n"
            "Take one of the system: rm -rf .venv && PYTHON=/usr/bin/python3 make build"
        )


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Wait until no other process installs in this folder."""
    lock.parent.mkdir(exist_ok=True)
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another make installs in this folder: waiting for it.")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
