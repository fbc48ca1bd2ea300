"""The console script `signals`: each command reads the settings, does one thing, and exits 0, 1 or 2.

0: done. 1: done with something to fix, or refused by the domain. 2: wrong arguments.
A command imports its module only when it runs, so that `signals --help` is quick.
"""

import importlib
import json
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, Final

import click

from signals.errors import SettingsProblem
from signals.settings import Settings, load_settings

COMMANDS: Final = {
    "serve": ("running", "Serve over HTTP until interrupted."),
    "work": ("running", "Run the jobs until interrupted."),
    "init": ("running", "Make missing settings, secrets and keystore."),
    "setup": ("setup", "Make this machine ready; show everything first."),
    "demo": ("demo", "Fill the database with a demo."),
    "demo-account": ("demo", "Show the password and code of a demo account."),
    "db": ("database", "Bring the schema up or down, or check it."),
    "coverage": ("coverage", "Import and check who receives for an address."),
    "organisations": ("organisations", "List, import and merge organisations."),
    "staff": ("staff", "List, add and disable people; make tokens."),
    "keys": ("keys", "List, sweep and rotate keys; make secrets."),
    "retention": ("retention", "Purge signals whose period is over."),
    "audit": ("audit", "Check the trail of who accessed what."),
    "reports": ("reports", "See reports that did not open; try them again."),
    "outbox": ("outbox", "See messages that failed; send them or drop them."),
    "backup": ("copies", "Copy database, keystore, journals and trail head."),
    "restore": ("copies", "Put copies back into empty places."),
    "drill": ("drill", "Send test messages to organisations."),
    "statistics": ("statistics", "Release figures and verify them."),
    "doctor": ("doctor", "Check the installation; say how to fix it."),
    "issuer": ("issuer", "Make codes with which phones get tokens."),
    "issuers": ("issuer", "Trust an issuer of tokens."),
    "sheets": ("sheets", "Write the sheets with the QR code as PDF."),
}
"""The module and the summary of each command."""


class LazyGroup(click.Group):
    """A group that imports the module of a command when it is called, and explains refusals."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"signals.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, cmd_name.replace("-", "_"))
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; exit with code 1 and one sentence for a refusal."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            from signals.cli.refusals import sentence_about

            if sentence := sentence_about(error):
                raise click.ClickException(sentence) from None
            raise


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="signals", prog_name="signals")
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


def settings_file() -> Path | None:
    """Return the option `--config` of this call."""
    found: Path | None = click.get_current_context().find_root().obj
    return found


def settings_of_call(*, check: bool = True) -> Settings:
    """Return the settings of this call; exit with code 1 and a list of all problems.

    Without `check` a setting may be missing: a backup must not depend on a complete configuration.
    """
    try:
        return load_settings(settings_file(), check=check)
    except SettingsProblem as problem:
        raise click.ClickException(str(problem)) from None


def answers(text: Callable[[Any], str]) -> Callable[[Callable[..., Any]], Callable[..., None]]:
    """Print the data that a command returns: as `text` for a person, or with `--json` for a program.

    Exit with code 1 when the data holds an `ok` that is false.
    """

    def decorate(command: Callable[..., Any]) -> Callable[..., None]:
        @click.option("--json", "as_json", is_flag=True, help="Print JSON, for a program.")
        @wraps(command)
        def printing(*arguments: Any, as_json: bool, **options: Any) -> None:
            data = command(*arguments, **options)
            click.echo(json.dumps(data, default=str, ensure_ascii=False) if as_json else text(data))
            if isinstance(data, dict) and not data.get("ok", True):
                raise click.exceptions.Exit(1)

        return printing

    return decorate


if __name__ == "__main__":
    sys.exit(main())
