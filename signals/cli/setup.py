"""`signals setup`: show what a machine still needs, and do it after a yes."""

import os
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

import click

from signals.cli.database_findings import Finding
from signals.cli.doctor import examine, in_words
from signals.cli.opening import FILE, log_warnings_only
from signals.errors import SettingsProblem
from signals.operations.setup.answers import FILE as ANSWERS
from signals.operations.setup.answers import Answers, ask, read
from signals.operations.setup.databases import Statement, of_database, of_keystore
from signals.operations.setup.files import Machine, needed
from signals.operations.setup.plan import keep_password, pending, settings_of_worker
from signals.operations.setup.writing import Step

PATIENCE: Final = 120
"""Seconds for the first jobs of a worker."""

OF_A_WORKER: Final = frozenset({"jobs", "mailbox keys", "public keys"})
"""Doctor reports these until a new worker ran its first jobs."""

OF_PEOPLE: Final = frozenset({"routing", "organisations"})
"""Doctor reports these until people have added a national desk and it answered the test message."""

_SQL: Final = {"database": of_database, "keystore": of_keystore}


@click.command()
@click.option("--answers", "file", type=FILE, help=f"A file of answers; default: {ANSWERS}, else questions.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--plan", "only_plan", is_flag=True, help="Show the whole plan, new files too, and stop.")
@click.option("--sql", type=click.Choice(list(_SQL)), help="Print the SQL for the superuser of a server.")
@click.option("--root", type=click.Path(path_type=Path), default="/", help="A folder for a trial.")
def setup(*, file: Path | None, yes: bool, only_plan: bool, sql: str | None, root: Path) -> None:
    """Make this machine ready: files, database roles, tables, keys and units.

    It shows all changes before it acts, and ends with signals doctor. Run it again at any time: what is
    right stays, and it replaces no key.

    Example: signals setup --answers setup.toml
    """
    if sql:
        click.echo("\n".join(_as_text(_SQL[sql]())))
        return
    if root == Path("/") and os.geteuid() != 0:
        raise click.ClickException("setup writes files of this machine: run it as root")
    log_warnings_only()
    os.umask(0o022)
    machine = Machine(_answers(file, root), root.absolute())
    given = _password(machine) if file is None and not yes and not only_plan else []
    steps = [*given, *pending(machine)]
    _show(steps, machine, whole=only_plan, given=bool(given))
    if only_plan:
        return
    if steps and not yes:
        click.confirm("Go on?", abort=True)
    for step in steps:
        step.act()
        click.echo(f"done: {step.says}")
    _end_with_doctor(machine)


def _as_text(statements: Iterator[Statement]) -> Iterator[str]:
    yield from (f"{statement.sql};" for statement in statements)
    yield "SELECT pg_reload_conf();"


def _answers(file: Path | None, root: Path) -> Answers:
    earlier = root / ANSWERS.lstrip("/")
    try:
        if file or earlier.exists():
            return read(file or earlier)
        return ask(click.prompt)
    except SettingsProblem as problem:
        raise click.ClickException(str(problem)) from None


def _password(machine: Machine) -> list[Step]:
    """Ask for the password of the mail relay; it stands in no file of answers."""
    path = machine.secret("smtp.password")
    if path not in needed(machine) or path.exists():
        return []
    said = click.prompt("Password at the mail relay", hide_input=True)
    return [Step(says=f"write {path}", act=partial(keep_password, path, said))]


def _show(steps: list[Step], machine: Machine, *, whole: bool, given: bool) -> None:
    missing = [path for path in needed(machine) if not path.exists()]
    if given:
        missing.remove(machine.secret("smtp.password"))
    for number, step in enumerate(steps, 1):
        click.echo(f"{number:3}. {step.says}")
        if step.shows and (whole or not step.says.startswith("write ")):
            click.echo("\n".join(f"       {line}" for line in step.shows.splitlines()))
    if not steps:
        click.echo("Nothing to do: this machine is set up.")
    if missing:
        click.echo("First put here what others give you (docs/deployment.md):", err=True)
        click.echo("\n".join(f"  {path}" for path in missing), err=True)
        if not whole:
            raise click.exceptions.Exit(1)


def _end_with_doctor(machine: Machine) -> None:
    """Wait for the first jobs of the worker; exit with code 1 for a problem that setup should have solved."""
    if not machine.has("worker"):
        click.echo("Now run 'signals doctor' on the machine of the worker.")
        return
    end = time.monotonic() + PATIENCE
    while (problems := _problems(found := _findings(machine))) & OF_A_WORKER and time.monotonic() < end:
        time.sleep(1)
    click.echo(in_words({"checks": [finding.as_json() for finding in found]}))
    if problems - OF_PEOPLE:
        raise click.exceptions.Exit(1)
    if problems:
        click.echo("Next: add the organisations and the first people (docs/deployment.md, 'Go live').")


def _findings(machine: Machine) -> list[Finding]:
    return list(examine(settings_of_worker(machine, check=True)))


def _problems(findings: list[Finding]) -> set[str]:
    return {finding.check for finding in findings if not finding.ok}
