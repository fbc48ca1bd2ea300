"""Open and close what commands need, and turn refusals into one plain sentence."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import TYPE_CHECKING

import click

from signals.errors import Invalid, SignalsError
from signals.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from signals.app import Opened
    from signals.errors import FieldProblem
    from signals.organisations.csv_file import Progress

DATE = click.DateTime(formats=["%Y-%m-%d"])


@contextmanager
def database(settings: Settings) -> Iterator["Engine"]:
    """Open the database without the keystore."""
    from signals.db import make_engine

    log_warnings_only()
    engine = make_engine(settings.database.url)
    try:
        with plain_refusals():
            yield engine
    finally:
        engine.dispose()


@contextmanager
def everything(settings: Settings) -> Iterator["Opened"]:
    """Open the database and the keystore; for the desk side only."""
    from signals.app import open_for_command

    log_warnings_only()
    with plain_refusals(), open_for_command(settings) as opened:
        yield opened


def log_warnings_only() -> None:
    """Log only warnings, to stderr: standard output is the answer of the command."""
    from privacy.logs import configure_logging

    configure_logging(level="WARNING")


def on_terminal() -> bool:
    """Return whether somebody sees a progress bar."""
    return sys.stderr.isatty()


@contextmanager
def progress_bar() -> Iterator["Progress"]:
    """Yield a function that shows a bar on stderr while a caller goes through items; only on a terminal."""
    from signals.organisations.csv_file import silent

    if not on_terminal():
        yield silent
        return
    from rich.console import Console
    from rich.progress import Progress as Bar

    with Bar(console=Console(stderr=True), transient=True) as bar:
        yield lambda items, description: bar.track(items, description=description)


def day_of(moment: datetime | None) -> date:
    """Return the date of an option; without one, today in Amsterdam."""
    from signals.clock import SystemClock, today

    return moment.date() if moment is not None else today(SystemClock())


@contextmanager
def plain_refusals() -> Iterator[None]:
    """Exit with code 1 and one sentence for a refusal; never show the text of the database."""
    from sqlalchemy.exc import SQLAlchemyError

    from privacy.keystore import KeystoreError
    from privacy.secret_files import SecretFileRefused

    try:
        yield
    except Invalid as error:
        raise click.ClickException(f"{error} {'; '.join(map(_in_words, error.problems))}") from None
    except (SignalsError, KeystoreError, SecretFileRefused) as error:
        raise click.ClickException(str(error)) from None
    except SQLAlchemyError as error:
        raise click.ClickException(_what_the_database_lacks(error)) from None


def _in_words(problem: "FieldProblem") -> str:
    """Return `password: This is too short. (too_short)`: the words and the code of the API."""
    from signals.web.http.messages import field_message

    return f"{problem.field}: {field_message(problem.code)} ({problem.code})"


_LACKS = {
    "SQLITE_BUSY": "another process is writing to it, perhaps a second start. Try again when it is done",
    "SQLITE_FULL": "the disk is full. Make room, then try again",
    "53100": "its disk is full. Make room there, then try again",
    "SQLITE_READONLY": "this account may not write to its file",
    "SQLITE_CANTOPEN": "its file cannot be opened: is the folder there, and may this account write to it?",
    "SQLITE_NOTADB": "its file is no database, or it is damaged: docs/backup.md says how to restore",
    "SQLITE_CORRUPT": "its file is damaged: docs/backup.md says how to restore",
}


def _what_the_database_lacks(error: BaseException) -> str:
    """Return a sentence by the database's code: its text holds SQL, and may hold values of a row."""
    from signals.db import driver_error

    unknown = "is it there and migrated? See 'signals doctor'"
    lacks = next((_LACKS[code] for code in _codes(error) if code in _LACKS), unknown)
    return f"the database cannot do this ({type(driver_error(error)).__name__}): {lacks}"


def _codes(error: BaseException | None) -> Iterator[str]:
    """Yield for an error and its causes PostgreSQL's SQLSTATE, or the start of SQLite's code.

    On a full disk SQLite gives up the whole transaction, and then the end of a savepoint fails.
    """
    from signals.db import driver_error

    while error is not None:
        said = driver_error(error)
        name = getattr(said, "sqlite_errorname", "")
        yield getattr(said, "sqlstate", None) or "_".join(name.split("_")[:2])
        error = error.__context__
