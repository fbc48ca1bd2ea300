"""Run PostgreSQL's own programs on a database of the settings."""

import os
import subprocess

from psycopg.conninfo import make_conninfo
from sqlalchemy import make_url


class ProgramFailed(Exception):
    """A program of PostgreSQL did not do its work."""


def run_libpq(program: str, url: str, *arguments: str) -> None:
    """Run a program of PostgreSQL on a database; it writes its own messages to our output.

    Raises `ProgramFailed`, which names neither the command nor the address.
    """
    name, environment = libpq(url)
    command = [program, "--no-password", f"--dbname={name}", *arguments]
    try:
        done = subprocess.run(command, env=environment, check=False, stdin=subprocess.DEVNULL)  # noqa: S603 - no shell
    except FileNotFoundError:
        raise ProgramFailed(f"{program} is not installed: install PostgreSQL's client programs") from None
    if done.returncode:
        raise ProgramFailed(f"{program} ended with exit code {done.returncode}; see its own message above")


def libpq(url: str) -> tuple[str, dict[str, str]]:
    """Return (address, environment) for PostgreSQL's programs; the password never shows in `ps`.

    Raises `ProgramFailed` for a key with a password: that could only stand in the address.
    """
    parsed = make_url(url)
    _, options = parsed.get_dialect()().create_connect_args(parsed)  # what the service itself connects with
    environment = dict(os.environ)
    if password := options.pop("password", None):
        environment["PGPASSWORD"] = password
    if "sslpassword" in options:
        raise ProgramFailed(
            "a key's password in the database's address would show in ps: use a key without one"
        )
    return make_conninfo(**options), environment
