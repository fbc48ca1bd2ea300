"""Run PostgreSQL's own programs on a database of the settings."""

import os
import subprocess

from sqlalchemy import URL, make_url


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
    environment, query = dict(os.environ), dict(parsed.query) | _servers(parsed)
    passwords = [parsed.password, query.pop("password", None)]
    if password := next(filter(None, passwords), None):
        environment["PGPASSWORD"] = str(password)
    if "sslpassword" in query:
        raise ProgramFailed(
            "a key's password in the database's address would show in ps: use a key without one"
        )
    # Built anew: `set(password=None)` leaves the password where it is.
    plain = URL.create(
        "postgresql",
        parsed.username,
        host=parsed.host,
        port=parsed.port,
        database=parsed.database,
        query=query,
    )
    return plain.render_as_string(hide_password=False), environment


def _servers(url: URL) -> dict[str, str]:
    """Return several servers as libpq reads them: SQLAlchemy repeats `host=name:port`."""
    hosts = url.query.get("host", "")
    if isinstance(hosts, str):
        return {}
    names, ports = zip(*(one.partition(":")[::2] for one in hosts), strict=True)
    return {"host": ",".join(names), "port": ",".join(ports)}
