"""`signals retention`: purge what is due, and purge again what a restored backup brought back."""

from pathlib import Path
from typing import Any

import click

from privacy.passwords import PasswordHasherSettings
from signals.app import Opened
from signals.cli import answers
from signals.cli.opening import FILE, everything
from signals.keys.opening import UNFINISHED_RESTORE
from signals.operations.making import make_retention
from signals.retention.journal import DeletionJournal
from signals.retention.nightly import Retention
from signals.retention.revocations import revoke_again
from signals.routing.snapshot import Router
from signals.staff.change_messages import AccountSettings


@click.group()
def retention() -> None:
    """Purge signals whose period is over, with the keys that open them.

    Example: signals retention run --dry-run
    """


def _purged(data: dict[str, Any]) -> str:
    verb = "Due" if data["dry_run"] else "Purged"
    reasons = ", ".join(f"{reason}: {count}" for reason, count in sorted(data["purged"].items()))
    text = f"{verb}: {sum(data['purged'].values())} signals{f' ({reasons})' if reasons else ''}."
    if data.get("waiting"):
        text += (
            f"\n{data['waiting']} signals are due, over a fifth of all. Look at the clock and at the periods;"
            " if this is right: signals retention run --confirm"
        )
    return text


@retention.command()
@click.option("--dry-run", is_flag=True, help="Count what is due, by reason, and delete nothing.")
@click.option("--confirm", is_flag=True, help="Purge also more than a fifth of all signals.")
@answers(_purged)
def run(*, dry_run: bool, confirm: bool) -> dict[str, Any]:
    """Purge signals whose period is over, as at night.

    More than 50 signals that are over a fifth of all live ones wait until a person gives --confirm.

    Example: signals retention run --dry-run
    """
    with everything() as opened:
        if dry_run:
            return {"dry_run": True, "purged": _retention(opened).preview(opened.clock).purged}
        done = _retention(opened).run(opened.clock, confirmed=confirm)
    return {
        "ok": not done.waiting and not done.failed,
        "dry_run": False,
        "purged": done.purged,
        "keys_destroyed": done.keys_destroyed,
        "links_deleted": done.links_deleted,
        "waiting": done.waiting,
    }


def _replayed(data: dict[str, Any]) -> str:
    return (
        f"{data['journal']} deletions in the journals: {data['purged']} restored signals purged again, "
        f"{data['keys_destroyed']} restored keys destroyed again.\n"
        f"{data['revoked']} revocations: {data['accounts']} restored accounts changed again, "
        "all sessions, tokens and links ended."
    )


@retention.command()
@click.argument("journals", nargs=-1, type=FILE)
@answers(_replayed)
def replay(journals: tuple[Path, ...]) -> dict[str, int]:
    """Purge and revoke again after a restore.

    Without it nothing starts. The backup brought back what was purged and revoked since. JOURNALS are copies
    of the journals of every machine; the journal that the settings name counts too. So do the deletions in
    the restored database. All sessions, tokens and links end. Who has a newer password than the copy gets a
    mailed link.

    Example: signals retention replay /var/backups/signals/journal/deletions.journal
    """
    with everything(after_restore=True) as opened:
        own, settings = DeletionJournal(opened.settings.retention.journal_file), opened.settings
        every = [own, *map(DeletionJournal, journals)]
        known = {gone.case_key_id: gone for journal in every for gone in journal.deletions()}
        revoked = {one for journal in every for one in journal.revocations()}
        done = _retention(opened).replay(opened.clock, known.values())
        own.append_missing(revoked)
        hasher = PasswordHasherSettings(memory_kib=settings.sessions.password_memory_kib)
        mailing = AccountSettings(site=settings.server.public_url.rstrip("/"), hasher=hasher)
        with opened.begin() as operation:
            accounts = revoke_again(operation, settings=mailing, revocations=revoked)
        opened.keystore.forget_secrets([UNFINISHED_RESTORE])
    return {
        "journal": len(known),
        "purged": done.total,
        "keys_destroyed": done.keys_destroyed,
        "revoked": len(revoked),
        "accounts": accounts,
    }


def _retention(opened: Opened) -> Retention:
    router = Router(opened.engine, root_public_key=None)
    return make_retention(opened, sessions=opened.sessions, router=router)
