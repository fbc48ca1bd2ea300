"""`signals outbox`: see the dead letters, send them again, or drop them."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click
from sqlalchemy.orm import Session

from notifications.dead_letters import dead_letters, send_again
from notifications.dead_letters import drop as give_up
from notifications.words import address_words, explain
from signals.cli import answers
from signals.cli.opening import database
from signals.clock import SystemClock
from signals.db import session_factory
from signals.organisations.current_addresses import still_reached

_MOST = 10_000


def _which(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the three ways to name dead letters."""
    command = click.option("--cause", default="", help="All of one cause, by its code: smtp_550.")(command)
    command = click.option("--all", "everything", is_flag=True, help="All dead letters.")(command)
    return click.argument("ids", nargs=-1, type=click.UUID)(command)


@contextmanager
def _named(
    *, ids: tuple[uuid.UUID, ...], everything: bool, cause: str
) -> Iterator[tuple[Session, list[uuid.UUID] | None]]:
    """Open one transaction for the named dead letters; None stands for all."""
    if bool(ids) + everything + bool(cause) != 1:
        raise click.UsageError("name dead letters, or use --cause or --all")
    with database() as engine, session_factory(engine).begin() as session:
        of_cause = dead_letters(session, problem=cause, limit=None) if cause else ()
        yield session, [letter.id for letter in of_cause] if cause else list(ids) or None


@click.group()
def outbox() -> None:
    """See messages that were given up, send them again, or drop them.

    Example: signals outbox list
    """


def _lines(letters: list[dict[str, Any]]) -> str:
    return "\n".join(map(_line, letters)) or "No dead letters."


def _line(letter: dict[str, Any]) -> str:
    problem, tries = explain(letter["problem"], "en"), letter["tries"]
    after = f"after {tries} {'try' if tries == 1 else 'tries'}"
    head = f"{letter['id']}  {letter['event']}  {letter['channel']}  {problem.says}  {after}"
    return f"{head}\n  fix: {address_words(letter['address'], 'en') or problem.fix}"


@outbox.command("list")
@click.option("--limit", type=click.IntRange(1, _MOST), default=100, show_default=True)
@answers(_lines)
def list_(*, limit: int) -> list[dict[str, Any]]:
    """List the newest dead letters and their cause; no address is shown.

    Example: signals outbox list --json
    """
    with database() as engine, session_factory(engine)() as session:
        return [vars(letter) for letter in dead_letters(session, limit=limit, still_reached=still_reached)]


def _queued(data: dict[str, int]) -> str:
    again = f"{data['queued']} will be sent again"
    if not data["left"]:
        return again
    return f"{again}, {data['left']} left: no recipient has confirmed that address"


@outbox.command()
@_which
@answers(_queued)
def retry(**which: Any) -> dict[str, int]:
    """Send dead letters again, as if they were new.

    A message that is too late expires. A message stays when no recipient has confirmed its address any more:
    drop it.

    Example: signals outbox retry --all
    """
    with _named(**which) as (session, ids):
        queued = send_again(session, SystemClock(), ids=ids, still_reached=still_reached)
        left = [one for one in dead_letters(session, limit=_MOST) if ids is None or one.id in ids]
        return {"queued": queued, "left": len(left)}


@outbox.command()
@_which
@answers("{0[dropped]} dropped".format)
def drop(**which: Any) -> dict[str, int]:
    """Give dead letters up for good.

    Example: signals outbox drop 9b2f0c9e-0000-4000-8000-000000000000
    """
    with _named(**which) as (session, ids):
        return {"dropped": give_up(session, SystemClock(), ids=ids)}
