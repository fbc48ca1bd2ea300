"""Open and close the parts that commands work with, and show progress."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from uuid import UUID

import click

from privacy.logs import configure_logging
from signals.app import Opened, open_for_command
from signals.cli import settings_of_call
from signals.clock import SystemClock, today
from signals.db import make_engine
from signals.settings.problems import is_plain_address

if TYPE_CHECKING:
    from rich.progress import Progress
    from sqlalchemy import Engine
    from sqlalchemy.orm import Session

    from signals.models import Organisation

DATE = click.DateTime(formats=["%Y-%m-%d"])
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@contextmanager
def database() -> Iterator["Engine"]:
    """Open the database without the keystore."""
    log_warnings_only()
    engine = make_engine(settings_of_call().database.url)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def everything(**how: bool) -> Iterator[Opened]:
    """Open the database and the keystore; for the desk side only. `how`: as of `open_keys`."""
    log_warnings_only()
    with open_for_command(settings_of_call(), **how) as opened:
        yield opened


def server_at(url: str) -> str:
    """Return the address of a server with https://, or of this machine, without a path.

    Raises `click.UsageError` for any other text.
    """
    parts = urlsplit(url) if is_plain_address(url) else urlsplit("")
    if parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "localhost"):
        raise click.UsageError("give an address with https://, such as https://example.org")
    return f"{parts.scheme}://{parts.netloc}"


def log_warnings_only() -> None:
    """Log only warnings, to stderr: standard output is the answer of the command."""
    configure_logging(level="WARNING")


def progress_bar() -> "Progress":
    """Return a bar on stderr; it shows nothing unless a person watches."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    return Progress(console=console, transient=True, disable=not console.is_terminal)


def day_of(moment: datetime | None) -> date:
    """Return the date of an option; without one, today in Amsterdam."""
    return moment.date() if moment is not None else today(SystemClock())


def organisation_named(session: "Session", name_or_id: str) -> "Organisation":
    """Return an organisation by its name or id; exit with code 2 for an unknown one."""
    from signals.models import Organisation
    from signals.organisations.onboarding import find_by_name

    try:
        found = session.get(Organisation, UUID(name_or_id))
    except ValueError:
        found = find_by_name(session, name_or_id)
    if found is None:
        raise click.UsageError(f"no organisation is called {name_or_id}")
    return found
