"""`signals backup` and `signals restore`."""

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from signals.cli import answers, settings_of_call
from signals.clock import SystemClock
from signals.operations.backup import Copies, back_up
from signals.operations.restore import RestoreFailed, RestoreRefused, adopt
from signals.operations.restore import restore as put_back

FILE = click.Path(path_type=Path)
MOMENT = click.DateTime(["%Y-%m-%dT%H:%M:%S%z"])

NEXT = """\
  signals db upgrade            (as the owner of the tables)
  signals db grants             (PostgreSQL only)
  signals retention replay ...  (the newest journal of every machine: without it, nothing starts)
  signals keys sweep
  signals audit verify
  start a worker, then: signals doctor; start the desk and the front when it finds nothing"""


def _say(line: str) -> None:
    click.echo(line, err=True)


@click.command()
@click.option("--to", type=FILE, required=True, help="The folder of the copies.")
@click.option("--keep-days", default=14, show_default=True, help="Days to keep copies of the database.")
@click.option("--journal", is_flag=True, help="Copy only the deletion journals.")
@click.option(
    "--also-journal", type=FILE, multiple=True, help="Another journal of this machine; may be repeated."
)
@click.option("--archive", type=FILE, multiple=True, help="A write-ahead archive to expire; may be repeated.")
@answers(lambda data: "\n".join(data["done"]))
def backup(
    *, to: Path, keep_days: int, journal: bool, also_journal: tuple[Path, ...], archive: tuple[Path, ...]
) -> dict[str, Any]:
    """Copy database, keystore, journals and the trail's head.

    Copies of keys expire after 14 days, archives after 13, always. Exit code 1 when any step failed.

    Example: signals backup --to /var/backups/signals
    """
    copies = Copies(
        to=to, keep_days=keep_days, journal_only=journal, also_journals=also_journal, archives=archive
    )
    done: list[str] = []
    now = SystemClock().now()
    ok = back_up(settings_of_call(check=False), copies, now, tell=done.append, warn=_say)
    return {"ok": ok, "done": done}


def _restored(data: dict[str, list[str]]) -> str:
    return (
        f"Restored: {', '.join(data['restored'])}. Start nothing yet; next, as docs/restore.md says:\n{NEXT}"
    )


@click.command()
@click.option("--database", type=FILE, help="A copy from the folder `database`.")
@click.option("--keystore", type=FILE, help="A copy from the folder `keystore`.")
@click.option("--moment", type=MOMENT, help="PostgreSQL itself restored both up to this.")
@answers(_restored)
def restore(*, database: Path | None, keystore: Path | None, moment: datetime | None) -> dict[str, list[str]]:
    """Put copies back into empty places, the keystore first.

    Run it as the owner of both, before any process is started. docs/restore.md has the steps around it.
    With --moment, such as 2026-11-24T02:17:00+0100, it copies nothing and does the rest.
    It ends all sessions, tokens and links. Nothing serves until `signals retention replay` ran.

    Example: signals restore --database database/20261124T021700Z.sqlite
    """
    if bool(moment) == bool(database or keystore):
        raise click.UsageError("say what to restore: --database, --keystore or both; or --moment")
    settings = settings_of_call(check=False)
    try:
        if moment:
            adopt(settings, moment=moment, now=SystemClock().now())
            return {"restored": [f"both up to {moment.isoformat()}"]}
        done = put_back(settings, database=database, keystore=keystore, now=SystemClock().now())
    except RestoreRefused as error:
        raise click.ClickException(f"not restored: {error}\nRestored: nothing.") from None
    except RestoreFailed as error:
        raise click.ClickException(str(error)) from None
    return {"restored": [copy.name for copy in done]}
