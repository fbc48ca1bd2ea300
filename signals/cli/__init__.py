"""The console script `signals`: each command reads the settings, does one thing, and exits 0, 1 or 2.

0: done. 1: done with something to fix, or refused by the domain. 2: wrong arguments.
A command imports its module only when it runs, so that `signals --help` is quick.
"""

import importlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from signals.errors import SettingsProblem
from signals.settings import Settings, load_settings

_WHERE = {
    "serve": "signals.cli.running",
    "work": "signals.cli.running",
    "init": "signals.cli.running",
    "demo": "signals.cli.running",
    "demo-account": "signals.cli.demo_account",
    "db": "signals.cli.database",
    "coverage": "signals.cli.coverage",
    "organisations": "signals.cli.organisations",
    "staff": "signals.cli.staff",
    "keys": "signals.cli.keys",
    "retention": "signals.cli.retention",
    "audit": "signals.cli.audit",
    "outbox": "signals.cli.outbox",
    "backup": "signals.cli.copies",
    "restore": "signals.cli.copies",
    "drill": "signals.cli.drill",
    "statistics": "signals.cli.statistics",
    "doctor": "signals.cli.doctor",
    "sheets": "signals.cli.sheets",
    "bench": "signals.cli.bench",
}


class LazyGroup(click.Group):
    """A group that imports the module of a command when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_WHERE)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _WHERE:
            return None
        command: click.Command = getattr(
            importlib.import_module(_WHERE[cmd_name]), cmd_name.replace("-", "_")
        )
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    default=None,
    help="The settings file; default: $SIGNALS_CONFIG, else config.toml here.",
)
@click.pass_context
def main(context: click.Context, config: Path | None) -> None:
    """Pass on concerns from carriers to the team that follows them up.

    Example: signals serve
    """
    context.obj = config


def settings_of(context: click.Context, *, check: bool = True) -> Settings:
    """Return the settings of this call; exit with code 1 and a list of all problems.

    Without `check` a setting may be missing: a backup must not depend on a complete configuration.
    """
    try:
        return load_settings(context.obj, check=check)
    except SettingsProblem as problem:
        raise click.ClickException(str(problem)) from None


def answer(data: Any, *, as_json: bool, text: Callable[[Any], str], ok: bool = True) -> None:
    """Print a result for a program or for a person; exit with code 1 unless it is `ok`."""
    click.echo(json.dumps(data, default=str, ensure_ascii=False) if as_json else text(data))
    if not ok:
        raise click.exceptions.Exit(1)


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for a program.")

if __name__ == "__main__":
    sys.exit(main())
