"""`signals retention`: purge what is due, and purge again what a restored backup brought back."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from signals.cli import answer, json_option, settings_of
from signals.cli.opening import everything
from signals.settings import Settings

if TYPE_CHECKING:
    from signals.app import Opened
    from signals.retention.nightly import Retention


@click.group()
def retention() -> None:
    """Purge signals whose period is over, with the keys that open them.

    Example: signals retention run --dry-run
    """


@retention.command()
@click.option("--dry-run", is_flag=True, help="Count what is due, by reason, and delete nothing.")
@json_option
@click.pass_context
def run(context: click.Context, *, dry_run: bool, as_json: bool) -> None:
    """Do what the worker does at night: purge signals whose period is over.

    Example: signals retention run --dry-run
    """
    from signals.retention.periods import due_signals

    with _forgetting(settings_of(context)) as (opened, forgetting):
        if dry_run:
            with opened.sessions() as session:
                counts = Counter(due.reason for due in due_signals(session, opened.clock))
            data: dict[str, Any] = {"dry_run": True, "purged": counts}
        else:
            done = forgetting.run(opened.clock)
            data = {
                "dry_run": False,
                "purged": done.purged,
                "keys_destroyed": done.keys_destroyed,
                "links_deleted": done.links_deleted,
            }
    answer(data, as_json=as_json, text=_purged)


@retention.command()
@click.argument("journals", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@json_option
@click.pass_context
def replay(context: click.Context, journals: tuple[Path, ...], *, as_json: bool) -> None:
    """Purge again after a restore what was purged since the backup, before anything starts.

    JOURNALS are copies of the deletion journals of every machine; the journal that the settings name counts
    too. So do the deletions in the restored database itself.

    Example: signals retention replay /var/backups/signals/journal/deletions.journal
    """
    from signals.retention.journal import DeletionJournal

    settings = settings_of(context)
    with _forgetting(settings) as (opened, forgetting):
        files = [settings.retention.journal_file, *journals]
        known = {gone.case_key_id: gone for file in files for gone in DeletionJournal(file).deletions()}
        done = forgetting.replay(opened.clock, known.values())
    data = {"journal": len(known), "purged": done.total, "keys_destroyed": done.keys_destroyed}
    answer(data, as_json=as_json, text=_replayed)


@contextmanager
def _forgetting(settings: Settings) -> "Iterator[tuple[Opened, Retention]]":
    from signals.operations.jobs import make_retention
    from signals.routing.snapshot import Router

    with everything(settings) as opened:
        router = Router(opened.engine, root_public_key=None)
        yield (
            opened,
            make_retention(
                settings,
                sessions=opened.sessions,
                keystore=opened.keystore,
                audit=opened.audit,
                router=router,
            ),
        )


def _purged(data: dict[str, Any]) -> str:
    verb = "Due" if data["dry_run"] else "Purged"
    reasons = ", ".join(f"{reason}: {count}" for reason, count in sorted(data["purged"].items()))
    return f"{verb}: {sum(data['purged'].values())} signals{f' ({reasons})' if reasons else ''}."


def _replayed(data: dict[str, Any]) -> str:
    return (
        f"{data['journal']} deletions in the journals: {data['purged']} restored signals purged again, "
        f"{data['keys_destroyed']} restored keys destroyed again."
    )
