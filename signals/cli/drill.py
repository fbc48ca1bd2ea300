"""`signals drill`: send test messages, follow up unanswered ones, and show when each channel was proved."""

import uuid
from dataclasses import asdict
from typing import Any

import click
from sqlalchemy.orm import Session

from signals.cli import answers
from signals.cli.opening import everything, organisation_named
from signals.clock import AMSTERDAM, Clock
from signals.notices.channels import make_channels
from signals.notices.drills import Drills, Sending
from signals.notices.going_live import channel_proofs
from signals.organisations.administration import organisations


def _in_words(data: Any) -> str:
    if isinstance(data, list):
        return "\n".join(map(_proof, data))
    if "organisations" in data:
        others = [f"{one['name']}: {one['what']}" for one in data["organisations"] if one["what"] != "sent"]
        return "\n".join([*others, f"{data['sent']} sent"])
    return (
        f"{data['sent']} sent, {data['notified']} passed on to the next in line, {data['missed']} missed, "
        f"{data['suspended']} organisations lost their routing"
    )


def _proof(proof: dict[str, Any]) -> str:
    when = f"proved on {proof['proved_on']}" if proof["proved_on"] else "never proved"
    more = ["waits for an answer"] * proof["waits"] + ["routing suspended"] * proof["suspended"]
    return "; ".join([f"{proof['name']}: {when}", *more])


@click.command()
@click.option("--organisation", "names", multiple=True, help="Send one now to this organisation.")
@click.option("--all", "to_all", is_flag=True, help="Send one now to every organisation.")
@click.option("--show", is_flag=True, help="Only show when each channel was last proved.")
@answers(_in_words)
def drill(*, names: tuple[str, ...], to_all: bool, show: bool) -> Any:
    """Send due drills and follow up unanswered ones, as the worker does every hour.

    A named organisation gets no drill while an earlier one waits for its answer; the output says since when.

    Example: signals drill --organisation "Sociaal Werk Amsterdam (voorbeeld)"
    """
    if show + to_all + bool(names) > 1:
        raise click.UsageError("use one of --organisation, --all and --show")
    with everything() as opened:
        settings = opened.settings
        practice = Drills(public_url=settings.server.public_url, channels=frozenset(make_channels(settings)))
        if not (show or names or to_all):
            return vars(practice.run(opened.begin))
        with opened.begin() as operation:
            if show:
                return [asdict(proof) for proof in channel_proofs(operation.session)]
            wanted = _wanted(operation.session, names)
            done = practice.send_each(operation, organisation_ids=wanted)
    return {
        "sent": sum(sending.was_sent for sending in done),
        "organisations": [{"name": one.name, "what": _what(one, opened.clock)} for one in done],
    }


def _wanted(session: Session, names: tuple[str, ...]) -> list[uuid.UUID]:
    """Return the named organisations, or all."""
    named = [organisation_named(session, name) for name in names]
    return [found.id for found in named or organisations(session)]


def _what(sending: Sending, clock: Clock) -> str:
    """Return the result of one drill in words."""
    if sending.unanswered_since is not None:
        return f"not sent: the drill of {sending.unanswered_since} waits for its answer"
    if not sending.notified or sending.leaves_at is None:
        return "sent to nobody yet: no recipient has a confirmed address; the next in line follows"
    if sending.leaves_at > clock.now():
        at = sending.leaves_at.astimezone(AMSTERDAM)
        return f"sent when the team may be written to, {at:%Y-%m-%d %H:%M}"
    return "sent"
