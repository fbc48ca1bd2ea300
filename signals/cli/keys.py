"""`signals keys`: the keystore's keys, and files for new secrets."""

from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from signals.audit.grounds import Ground
from signals.cli import answer, json_option, settings_of
from signals.cli.opening import everything

if TYPE_CHECKING:
    from signals.app import Opened


@click.group()
def keys() -> None:
    """Mailbox and case keys, the root, and the master key that wraps them.

    Example: signals keys list
    """


@keys.command("list")
@json_option
@click.pass_context
def list_keys(context: click.Context, *, as_json: bool) -> None:
    """List the root's public key (for front.root_public_key), mailbox keys by week, and counts.

    Example: signals keys list --json
    """
    import base64

    from sqlalchemy import select

    from signals.models import Organisation

    with everything(settings_of(context)) as opened:
        halves = opened.keystore.list_mailbox_keys()
        with opened.sessions() as session:
            rows = session.execute(select(Organisation.id, Organisation.name))
            names = {row.id: row.name for row in rows}
        data = {
            "root_public_key": base64.b64encode(opened.keystore.root_public_key()).decode(),
            "counts": opened.keystore.counts(),
            "mailbox_keys": [
                {
                    "key_id": half.key_id,
                    "week": half.week,
                    "organisation_id": half.organisation_id,
                    "organisation": names.get(half.organisation_id),
                    "public_key": base64.b64encode(half.public_key).decode(),
                }
                for half in halves
            ],
        }
    answer(data, as_json=as_json, text=_listed)


@keys.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@json_option
@click.pass_context
def rotate(context: click.Context, file: Path, *, as_json: bool) -> None:
    """Wrap everything in the keystore under the new master key in FILE (from `keys new-master`).

    Stop the desk and the workers first: with the old key they can read and write nothing any more.

    Example: signals keys new-master new.key && signals keys rotate new.key
    """
    settings = settings_of(context)
    new = _new_master(file, settings.keystore.master_key_file)
    with everything(settings) as opened:
        # An entry first: that a database is away must be known while the old key still opens everything.
        _note(opened, Ground.MASTER_ROTATION_BEGUN)
        count = opened.keystore.rewrap(new)
        click.echo(f"Rewrapped: from now on only the key in {file.resolve()} opens the keystore.", err=True)
        _note(opened, Ground.MASTER_ROTATED)
    answer({"rewrapped": count, "master_key_file": file.resolve()}, as_json=as_json, text=_rotated)


@keys.command()
@click.option(
    "--even-most",
    is_flag=True,
    help="Destroy also when most case keys are of no signal here.",
)
@json_option
@click.pass_context
def sweep(context: click.Context, *, even_most: bool, as_json: bool) -> None:
    """Destroy keys that nothing needs: of cases that never came to be, and of mailboxes whose week is over.

    A case key goes when no signal refers to it and it is older than a day; a mailbox key when its week is
    over and no report waits for it, a refused one included. Safe to run at any time: it refuses when most
    case keys are of no signal, as beside a database whose rows are still to be restored.

    Example: signals keys sweep
    """
    from signals.keys.sweeping import SweepRefused, sweep_keys

    with everything(settings_of(context)) as opened:
        try:
            swept = sweep_keys(
                opened.sessions,
                opened.clock,
                keystore=opened.keystore,
                audit=opened.audit,
                even_most=even_most,
            )
        except SweepRefused as refusal:
            raise click.ClickException(f"{refusal} docs/operations.md, 'Keys of no signal'.") from None
    answer(vars(swept), as_json=as_json, text=_swept)


@keys.command("new-master")
@click.argument("file", type=click.Path(path_type=Path))
def new_master(file: Path) -> None:
    """Write a new secret of 32 random bytes into FILE (mode 0600), never over one that is there.

    For keystore.master_key_file and for front.secret_file. Keep a copy where the database's copies are not.

    Example: signals keys new-master secrets/master.key
    """
    from privacy.secret_files import write_new_secret_file

    try:
        write_new_secret_file(file)
    except FileExistsError:
        raise click.ClickException(f"{file} is there already; a lost secret cannot be made again") from None
    except OSError as problem:
        raise click.ClickException(f"cannot write {file}: {problem.strerror}") from None
    click.echo(f"{file} written.")


def _note(opened: "Opened", ground: Ground) -> None:
    from signals.audit.log import SYSTEM
    from signals.vocabulary import AuditAction

    with opened.sessions.begin() as session:
        opened.audit.record(
            session, opened.clock, actor=SYSTEM, action=AuditAction.KEYS_CHANGED, ground=ground
        )


def _new_master(file: Path, in_use: Path) -> bytes:
    """Return the new key; refuse the one in use, because its owner destroys that afterwards."""
    from privacy.secret_files import SecretFileRefused, load_master_key

    try:
        new = load_master_key(file)
    except SecretFileRefused as problem:
        raise click.ClickException(f"{problem}. Make one with 'signals keys new-master'.") from None
    with suppress(SecretFileRefused):
        if new == load_master_key(in_use):
            raise click.ClickException(
                f"{file} holds the key that keystore.master_key_file names already. Leave that setting as it"
                " is, and name a new key here (from 'signals keys new-master')."
            )
    return new


def _listed(data: dict[str, Any]) -> str:
    weeks = Counter(key["week"] for key in data["mailbox_keys"])
    lines = [f'front.root_public_key = "{data["root_public_key"]}"', ""]
    lines += [f"{table}: {count}" for table, count in data["counts"].items()]
    lines += ["", "Mailbox keys by week (--json lists each):"]
    lines += [f"  {week}: {count} organisations" for week, count in sorted(weeks.items())]
    return "\n".join(lines)


def _rotated(data: dict[str, Any]) -> str:
    return (
        f"{data['rewrapped']} values are wrapped under the new master key. Now set\n"
        f'  keystore.master_key_file = "{data["master_key_file"]}"\n'
        "or lay that file where the units take it from, and start the desk and the workers again. Then\n"
        "  1. look with 'signals doctor' whether the master key fits;\n"
        "  2. put a copy of the new file into the safe, and make a copy of the keystore now;\n"
        "  3. destroy the old file and its copies: they open the older copies of the keystore, which then\n"
        "     nothing opens any more."
    )


def _swept(data: dict[str, Any]) -> str:
    return f"Destroyed {data['case_keys']} case keys and {data['mailbox_keys']} mailbox keys."
