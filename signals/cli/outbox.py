"""`signals outbox`: see the dead letters, send them again, or drop them."""

import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from signals.cli import answer, json_option, settings_of
from signals.cli.opening import database

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from signals.clock import Clock

_MOST = 10_000
_Command = Callable[..., None]


def _which(command: _Command) -> _Command:
    """Add the three ways to name dead letters, and `--json`."""
    options = (
        click.argument("ids", nargs=-1, type=click.UUID),
        click.option("--all", "everything", is_flag=True, help="All dead letters."),
        click.option("--cause", default="", help="All of one cause, by its code: smtp_550."),
        json_option,
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.group()
def outbox() -> None:
    """See messages that were given up, send them again, or drop them.

    Example: signals outbox list
    """


@outbox.command("list")
@click.option("--limit", type=click.IntRange(1, _MOST), default=100, show_default=True)
@json_option
@click.pass_context
def list_(context: click.Context, *, limit: int, as_json: bool) -> None:
    """List the newest dead letters and their cause; no address is shown.

    Example: signals outbox list --json
    """
    from notifications.dead_letters import dead_letters
    from signals.db import session_factory
    from signals.organisations.current_addresses import still_reached

    with database(settings_of(context)) as engine, session_factory(engine)() as session:
        found = dead_letters(session, limit=limit, still_reached=still_reached)
    answer([vars(letter) for letter in found], as_json=as_json, text=_lines)


@outbox.command()
@_which
@click.pass_context
def retry(context: click.Context, /, *, as_json: bool, **which: Any) -> None:
    """Send dead letters again, as if they were new.

    A message that is too late expires. A message stays when no recipient has confirmed its address any more:
    drop it.

    Example: signals outbox retry --all
    """
    from notifications.dead_letters import dead_letters, send_again
    from signals.organisations.current_addresses import still_reached

    def send(session: "Session", clock: "Clock", ids: list[uuid.UUID] | None) -> dict[str, int]:
        queued = send_again(session, clock, ids=ids, still_reached=still_reached)
        left = [one for one in dead_letters(session, limit=_MOST) if ids is None or one.id in ids]
        return {"queued": queued, "left": len(left)}

    answer(_change(context, send, **which), as_json=as_json, text=_queued)


@outbox.command()
@_which
@click.pass_context
def drop(context: click.Context, /, *, as_json: bool, **which: Any) -> None:
    """Give dead letters up for good.

    Example: signals outbox drop 9b2f0c9e-0000-4000-8000-000000000000
    """
    from notifications import dead_letters

    def give_up(session: "Session", clock: "Clock", ids: list[uuid.UUID] | None) -> dict[str, int]:
        return {"dropped": dead_letters.drop(session, clock, ids=ids)}

    answer(_change(context, give_up, **which), as_json=as_json, text="{0[dropped]} dropped".format)


def _change(
    context: click.Context,
    change: "Callable[[Session, Clock, list[uuid.UUID] | None], dict[str, int]]",
    *,
    ids: tuple[uuid.UUID, ...],
    everything: bool,
    cause: str,
) -> dict[str, int]:
    """Change the named dead letters in one transaction; None stands for all."""
    from notifications.dead_letters import dead_letters
    from signals.clock import SystemClock
    from signals.db import session_factory

    if bool(ids) + everything + bool(cause) != 1:
        raise click.UsageError("name dead letters, or use --cause or --all")
    with database(settings_of(context)) as engine, session_factory(engine).begin() as session:
        named = list(ids) or None
        if cause:
            named = [letter.id for letter in dead_letters(session, problem=cause, limit=None)]
        return change(session, SystemClock(), named)


def _queued(data: dict[str, int]) -> str:
    again = f"{data['queued']} will be sent again"
    if not data["left"]:
        return again
    return f"{again}, {data['left']} left: no recipient has confirmed that address"


def _lines(letters: list[dict[str, Any]]) -> str:
    return "\n".join(map(_line, letters)) or "No dead letters."


def _line(letter: dict[str, Any]) -> str:
    from notifications.words import address_words, explain

    problem, tries = explain(letter["problem"], "en"), letter["tries"]
    after = f"after {tries} {'try' if tries == 1 else 'tries'}"
    head = f"{letter['id']}  {letter['event']}  {letter['channel']}  {problem.says}  {after}"
    return f"{head}\n  fix: {address_words(letter['address'], 'en') or problem.fix}"
