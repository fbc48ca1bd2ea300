"""`signals drill`: send test messages, follow up unanswered ones, and show when each channel was proved."""

import uuid
from typing import TYPE_CHECKING, Any

import click

from signals.cli import answer, json_option, settings_of
from signals.cli.opening import everything

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

    from signals.notices.drills import Sending


@click.command()
@click.option(
    "--organisation", "names", multiple=True, help="Send one now to this organisation (name or id)."
)
@click.option("--all", "to_all", is_flag=True, help="Send one now to every organisation.")
@click.option("--show", is_flag=True, help="Only show when each channel was last proved.")
@json_option
@click.pass_context
def drill(context: click.Context, *, names: tuple[str, ...], to_all: bool, show: bool, as_json: bool) -> None:
    """Send due drills and follow up unanswered ones, as the worker does every hour.

    A named organisation gets no drill while an earlier one waits for its answer; the output says since when.

    Example: signals drill --organisation "Sociaal Werk Amsterdam (voorbeeld)"
    """
    from dataclasses import asdict

    from signals.notices.channels import make_channels
    from signals.notices.drills import Drills
    from signals.notices.proofs import channel_proofs

    if show + to_all + bool(names) > 1:
        raise click.UsageError("use one of --organisation, --all and --show")
    settings = settings_of(context)
    with everything(settings) as opened:
        practice = Drills(
            public_url=settings.server.public_url,
            channels=frozenset(make_channels(settings)),
        )
        if not (show or names or to_all):
            report = dict(vars(practice.run(opened.begin)))
            answer({"told": report.pop("notified"), **report}, as_json=as_json, text=_report)
            return
        with opened.sessions.begin() as session:
            if show:
                answer([asdict(proof) for proof in channel_proofs(session)], as_json=as_json, text=_proofs)
                return
            wanted = _organisations(session, names)
            done = practice.send_each(opened.operation(session), organisation_ids=wanted)
            answer(_sent(done, opened.clock.now()), as_json=as_json, text=_sent_lines)


def _organisations(session: "Session", names: tuple[str, ...]) -> list[uuid.UUID]:
    """Return the named organisations, or all; exit with code 1 for an unknown one."""
    from sqlalchemy import select

    from signals.models import Organisation
    from signals.organisations.onboarding import find_by_name

    known = {str(found): found for found in session.scalars(select(Organisation.id))}
    wanted = [known.get(name) or getattr(find_by_name(session, name), "id", None) for name in names]
    if None in wanted:
        raise click.ClickException(f"no organisation is called {names[wanted.index(None)]}")
    return [found for found in wanted if found is not None] or list(known.values())


def _sent(done: "Sequence[Sending]", now: "datetime") -> dict[str, Any]:
    return {
        "sent": sum(sending.was_sent for sending in done),
        "organisations": [{"name": sending.name, "what": _what(sending, now)} for sending in done],
    }


def _what(sending: "Sending", now: "datetime") -> str:
    """Return the result of one drill in words."""
    from signals.clock import AMSTERDAM

    if sending.unanswered_since is not None:
        return f"not sent: the drill of {sending.unanswered_since} waits for its answer"
    if not sending.notified or sending.leaves_at is None:
        return "sent to nobody yet: no recipient has a confirmed address; the next in line follows"
    if sending.leaves_at > now:
        at = sending.leaves_at.astimezone(AMSTERDAM)
        return f"sent when the team may be written to, {at:%Y-%m-%d %H:%M}"
    return "sent"


def _sent_lines(data: dict[str, Any]) -> str:
    told = [f"{one['name']}: {one['what']}" for one in data["organisations"] if one["what"] != "sent"]
    return "\n".join([*told, f"{data['sent']} sent"])


def _report(data: dict[str, int]) -> str:
    return (
        f"{data['sent']} sent, {data['told']} passed on to the next in line, {data['missed']} missed, "
        f"{data['suspended']} organisations lost their routing"
    )


def _proofs(proofs: list[dict[str, Any]]) -> str:
    lines = []
    for proof in proofs:
        when = f"proved on {proof['proved_on']}" if proof["proved_on"] else "never proved"
        more = ["waits for an answer"] * proof["waits"] + ["routing suspended"] * proof["suspended"]
        lines.append("; ".join([f"{proof['name']}: {when}", *more]))
    return "\n".join(lines)
