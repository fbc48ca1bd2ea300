"""`signals outbox`: the messages that were given up; look at them, send them again, drop them."""

import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from signals.cli import answer, json_option, settings_of
from signals.cli.opening import database

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from notifications.dead_letters import Whither

_ids = click.argument("ids", nargs=-1, type=click.UUID)
Found = TypeVar("Found")

_MOST = 10_000
_all = click.option("--all", "everything", is_flag=True, help="All dead letters.")
_cause = click.option("--cause", default="", help="All of one cause, by its code: smtp_550.")


@click.group()
def outbox() -> None:
    """Messages that were given up.

    Example: signals outbox list
    """


@outbox.command("list")
@click.option("--limit", type=click.IntRange(1, _MOST), default=100, show_default=True)
@json_option
@click.pass_context
def list_(context: click.Context, *, limit: int, as_json: bool) -> None:
    """The newest dead letters, why each was given up, and whether it can be sent again; no address is shown.

    Example: signals outbox list --json
    """
    from notifications.dead_letters import dead_letters, standings
    from signals.db import session_factory

    with database(settings_of(context)) as engine, session_factory(engine)() as session:
        found = dead_letters(session, limit=limit)
        address = standings(session, [letter.id for letter in found], _whither(context))
    told = [{**vars(letter), "address": address[letter.id]} for letter in found]
    answer(told, as_json=as_json, text=_lines)


@outbox.command()
@_ids
@_all
@_cause
@json_option
@click.pass_context
def retry(
    context: click.Context, *, ids: tuple[uuid.UUID, ...], everything: bool, cause: str, as_json: bool
) -> None:
    """Send dead letters again, as if they were new, each to its recipient's present and confirmed address.

    What is too late expires. What has no such address by now is left: correct the address of that recipient,
    and wait until it is confirmed, or drop it.

    Example: signals outbox retry --all
    """
    from notifications.dead_letters import dead_letters, send_again
    from signals.clock import SystemClock

    _check(ids, everything, cause)
    where = _whither(context)

    def send(session: "Session") -> tuple[int, int]:
        which = _which(session, ids, cause)
        queued = send_again(session, SystemClock(), ids=which, whither=where)
        return queued, len(dead_letters(session, ids=which, limit=_MOST))

    queued, left = _change(context, send)
    answer({"queued": queued, "left": left}, as_json=as_json, text=_queued)


@outbox.command()
@_ids
@_all
@_cause
@json_option
@click.pass_context
def drop(
    context: click.Context, *, ids: tuple[uuid.UUID, ...], everything: bool, cause: str, as_json: bool
) -> None:
    """Give dead letters up for good.

    Example: signals outbox drop 9b2f0c9e-0000-4000-8000-000000000000
    """
    from notifications.dead_letters import drop as drop_letters
    from signals.clock import SystemClock

    _check(ids, everything, cause)

    def give_up(session: "Session") -> int:
        return drop_letters(session, SystemClock(), ids=_which(session, ids, cause))

    number = _change(context, give_up)
    answer({"dropped": number}, as_json=as_json, text=lambda data: f"{data['dropped']} dropped")


def _check(ids: tuple[uuid.UUID, ...], everything: bool, cause: str) -> None:
    if bool(ids) + everything + bool(cause) != 1:
        raise click.UsageError("name dead letters, or use --cause or --all")


def _which(session: "Session", ids: tuple[uuid.UUID, ...], cause: str) -> list[uuid.UUID] | None:
    """Those that are meant; None for all."""
    from notifications.dead_letters import dead_letters

    if cause:
        return [letter.id for letter in dead_letters(session, problem=cause, limit=None)]
    return list(ids) or None


def _whither(context: click.Context) -> "Whither":
    """Where recipients are by now, over the channels that are on."""
    from functools import partial

    from signals.notices.channels import switches
    from signals.organisations.current_addresses import whither

    channels = {switch.channel for switch in switches(settings_of(context)) if not switch.missing}
    return partial(whither, channels=channels)


def _queued(data: dict[str, int]) -> str:
    again = f"{data['queued']} will be sent again"
    if not data["left"]:
        return again
    return f"{again}, {data['left']} left: no recipient has that address any more, or it is not confirmed yet"


def _change(context: click.Context, change: Callable[["Session"], Found]) -> Found:
    from signals.db import session_factory

    with database(settings_of(context)) as engine, session_factory(engine).begin() as session:
        return change(session)


def _lines(letters: list[dict[str, Any]]) -> str:
    if not letters:
        return "No dead letters."
    return "\n".join(map(_line, letters))


def _line(letter: dict[str, Any]) -> str:
    from notifications.words import explain, standing_words

    problem, tries = explain(letter["problem"], "en"), letter["tries"]
    after = f"after {tries} {'try' if tries == 1 else 'tries'}"
    head = f"{letter['id']}  {letter['event']}  {letter['channel']}  {problem.says}  {after}"
    return f"{head}\n  mend: {standing_words(letter['address'], 'en') or problem.mend}"
