"""`signals keys`: the keystore's keys, and files for new secrets."""

import base64
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import click
from sqlalchemy import select

from privacy.keystore_schema import keystore_engine
from privacy.secret_files import SecretFileRefused, load_master_key, write_new_secret_file
from signals.audit.grounds import Ground
from signals.cli import answers, settings_of_call
from signals.cli.opening import FILE, database, everything
from signals.keys.sweeping import SweepRefused, sweep_keys
from signals.models import Organisation
from signals.operations.database_roles import FenceRefused
from signals.operations.receipt_fence import apply
from signals.vocabulary import AuditAction


@click.group()
def keys() -> None:
    """Mailbox and case keys, the root, and the master key that wraps them.

    Example: signals keys list
    """


@keys.command()
@click.option("--desk", default="signals_desk", show_default=True, help="Role of the staff's processes.")
@answers("{0[desk]} gets keys of cases for receipts only.".format)
def grants(*, desk: str) -> dict[str, str]:
    """Let the desk's role get keys of cases only for audit entries.

    PostgreSQL only; run it as the owner of both databases, after 'init', each upgrade and each restore. The
    desk then connects to the keystore with this role too.

    Example: SIGNALS__DATABASE__URL=postgresql://signals_owner@/signals signals keys grants
    """
    keystore = keystore_engine(settings_of_call().keystore.url)
    try:
        with database() as engine:
            apply(engine, keystore, desk=desk)
    except FenceRefused as error:
        raise click.ClickException(str(error)) from None
    finally:
        keystore.dispose()
    return {"desk": desk}


def _listed(data: dict[str, Any]) -> str:
    weeks = Counter(key["week"] for key in data["mailbox_keys"])
    lines = [f'front.root_public_key = "{data["root_public_key"]}"', ""]
    lines += [f"{table}: {count}" for table, count in data["counts"].items()]
    lines += ["", "Mailbox keys by week (--json lists each):"]
    lines += [f"  {week}: {count} organisations" for week, count in sorted(weeks.items())]
    return "\n".join(lines)


@keys.command("list")
@answers(_listed)
def list_keys() -> dict[str, Any]:
    """List the root's public key, mailbox keys and counts.

    The setting front.root_public_key takes the root's public key.

    Example: signals keys list --json
    """
    with everything() as opened, opened.sessions() as session:
        rows = session.execute(select(Organisation.id, Organisation.name))
        names = {row.id: row.name for row in rows}
        return {
            "root_public_key": _base64(opened.keystore.root_public_key()),
            "counts": opened.keystore.counts(),
            "mailbox_keys": [
                {
                    "key_id": half.key_id,
                    "week": half.week,
                    "organisation_id": half.organisation_id,
                    "organisation": names.get(half.organisation_id),
                    "public_key": _base64(half.public_key),
                }
                for half in opened.keystore.list_mailbox_keys()
            ],
        }


def _base64(key: bytes) -> str:
    return base64.b64encode(key).decode()


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


@keys.command()
@click.argument("file", type=FILE)
@answers(_rotated)
def rotate(file: Path) -> dict[str, Any]:
    """Wrap the whole keystore under the new master key in FILE.

    Stop the desk and the workers first: with the old key they can read and write nothing any more.

    Example: signals keys new-master new.key && signals keys rotate new.key
    """
    new = _new_master(file, settings_of_call().keystore.master_key_file)
    with everything() as opened:
        # An entry first: that a database is away must be known while the old key still opens everything.
        with opened.begin() as operation:
            operation.record(AuditAction.KEYS_CHANGED, ground=Ground.MASTER_ROTATION_BEGUN)
        count = opened.keystore.rewrap(new)
        click.echo(f"Rewrapped: from now on only the key in {file.resolve()} opens the keystore.", err=True)
        with opened.begin() as operation:
            operation.record(AuditAction.KEYS_CHANGED, ground=Ground.MASTER_ROTATED)
    return {"rewrapped": count, "master_key_file": file.resolve()}


def _new_master(file: Path, in_use: Path) -> bytes:
    """Return the new key; refuse the one in use, because its owner destroys that afterwards."""
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


@keys.command()
@click.option("--even-most", is_flag=True, help="Destroy also when most case keys are of no signal here.")
@answers("Destroyed {0[case_keys]} case keys and {0[mailbox_keys]} mailbox keys.".format)
def sweep(*, even_most: bool) -> dict[str, int]:
    """Destroy keys that nothing needs.

    A case key goes when no signal refers to it and it is older than a day; a mailbox key when its week is
    over and no report waits for it, a refused one included. Safe to run at any time: it refuses when most
    case keys are of no signal, as beside a database whose rows are still to be restored.

    Example: signals keys sweep
    """
    with everything() as opened:
        try:
            swept = sweep_keys(opened.sessions, opened, even_most=even_most)
        except SweepRefused as refusal:
            raise click.ClickException(f"{refusal} docs/operations.md, 'Keys of no signal'.") from None
    return vars(swept)


@keys.command("new-master")
@click.argument("file", type=click.Path(path_type=Path))
@answers("{0[file]} written.".format)
def new_master(file: Path) -> dict[str, Path]:
    """Write a new secret of 32 random bytes into FILE.

    The file gets mode 0600, and never replaces another. Use it for keystore.master_key_file and for
    front.secret_file. Keep a copy where the database's copies are not.

    Example: signals keys new-master secrets/master.key
    """
    try:
        write_new_secret_file(file)
    except FileExistsError:
        raise click.ClickException(f"{file} is there already; a lost secret cannot be made again") from None
    except OSError as problem:
        raise click.ClickException(f"cannot write {file}: {problem.strerror}") from None
    return {"file": file}
