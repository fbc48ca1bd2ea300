"""`signals reports`: see the reports that did not open, try them again, or give them up."""

import uuid
from contextlib import closing
from typing import Any

import click

from signals.app import make_worker
from signals.arrival.refused import discard as give_up
from signals.arrival.refused import refused_reports
from signals.cli import answers, settings_of_call
from signals.cli.opening import everything, log_warnings_only
from signals.models import SealedReport


@click.group()
def reports() -> None:
    """See reports that did not open, try them again, or give them up.

    Example: signals reports list
    """


def _lines(found: list[dict[str, Any]]) -> str:
    line = "{signal_id}  received {received_on}  refused {refused_on}  {name}"
    return "\n".join(map(line.format_map, found)) or "No refused reports."


@reports.command("list")
@answers(_lines)
def list_() -> list[dict[str, Any]]:
    """List the refused reports, oldest first. The worker's log says why each did not open.

    Example: signals reports list --json
    """
    with everything() as opened, opened.sessions() as session:
        return [dict(row._mapping) for row in refused_reports(session)]


@reports.command()
@answers("{0[arrived]} arrived, {0[left]} did not open.".format)
def retry() -> dict[str, Any]:
    """Try the refused reports again now; the worker does so each night.

    Example: signals reports retry
    """
    log_warnings_only()
    with closing(make_worker(settings_of_call())) as worker:
        arrived = worker.retry_refused()
        with worker.sessions() as session:
            left = len(refused_reports(session))
    return {"ok": not left, "arrived": arrived, "left": left}


@reports.command()
@click.argument("ids", nargs=-1, required=True, type=click.UUID)
@click.confirmation_option(prompt="Nobody has read these reports, and nobody will. Delete them?")
@answers("{0[deleted]} deleted.".format)
def discard(ids: tuple[uuid.UUID, ...]) -> dict[str, int]:
    """Delete refused reports unread. Only a person decides this; nothing brings them back.

    Example: signals reports discard 0190f3a2-6b1e-4c55-9d2f-0a1b2c3d4e5f
    """
    with everything() as opened, opened.begin() as operation:
        return {"deleted": give_up(operation, SealedReport.signal_id.in_(ids))}
