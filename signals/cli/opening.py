"""What commands open and close again, and refusals of the libraries below as one plain sentence."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

import click

from signals.cli import refused
from signals.errors import Invalid, SignalsError
from signals.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlalchemy.orm import Session, sessionmaker

    from privacy.keystore import Keystore
    from signals.audit import AuditLog
    from signals.clock import Clock

DATE = click.DateTime(formats=["%Y-%m-%d"])


@dataclass(frozen=True, kw_only=True)
class Opened:
    """The database, and the keystore with the audit log that needs its key."""

    engine: "Engine"
    sessions: "sessionmaker[Session]"
    keystore: "Keystore"
    audit: "AuditLog"
    clock: "Clock"


@contextmanager
def database(settings: Settings) -> Iterator["Engine"]:
    """The database alone."""
    from signals.db import make_engine

    log_warnings_only()
    engine = make_engine(settings.database.url)
    try:
        with plain_refusals():
            yield engine
    finally:
        engine.dispose()


@contextmanager
def everything(settings: Settings) -> Iterator[Opened]:
    """Database and keystore; for the desk side only."""
    from signals.audit import AuditLog
    from signals.clock import SystemClock
    from signals.db import session_factory
    from signals.key_custody import open_keys

    with database(settings) as engine:
        keystore = open_keys(settings)
        try:
            yield Opened(
                engine=engine,
                sessions=session_factory(engine),
                keystore=keystore,
                audit=AuditLog(keystore.secret("audit")),
                clock=SystemClock(),
            )
        finally:
            keystore.dispose()


def log_warnings_only() -> None:
    """Warnings to stderr, by the rules of safe logs: standard output is the command's answer."""
    from privacy.logs import configure_logging

    configure_logging(level="WARNING")


def on_terminal() -> bool:
    """Whether a progress bar would be seen."""
    return sys.stderr.isatty()


def day_of(moment: datetime | None) -> date:
    """The date of an option, today in Amsterdam without one."""
    from signals.clock import SystemClock, today

    return moment.date() if moment is not None else today(SystemClock())


@contextmanager
def plain_refusals() -> Iterator[None]:
    """A refusal becomes exit code 1 and its sentence; what the database says of itself stays inside."""
    from sqlalchemy.exc import SQLAlchemyError

    from privacy.keystore import KeystoreError
    from privacy.secret_files import SecretFileRefused

    try:
        yield
    except Invalid as error:
        problems = ", ".join(f"{problem.field}: {problem.code}" for problem in error.problems)
        raise click.ClickException(f"{error} {problems}") from None
    except SignalsError as error:
        raise refused(error) from None
    except (KeystoreError, SecretFileRefused) as error:
        raise click.ClickException(str(error)) from None
    except SQLAlchemyError as error:
        # Its own text holds SQL, and may hold what was in a row.
        problem = type(getattr(error, "orig", None) or error).__name__
        raise click.ClickException(
            f"the database cannot do this ({problem}): is it there and migrated? See 'signals doctor'"
        ) from None
