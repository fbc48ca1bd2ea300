"""Test the rules of all commands, and the start of the service."""

from collections.abc import Iterator
from importlib.metadata import version
from unittest.mock import Mock

import click
import pytest
from click.testing import CliRunner

from signals.cli import main
from signals.web.assets import how_to_complete, missing_files
from tests.support.commands import Signals


def commands(
    group: click.Group, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


def test_every_summary_fits_a_line_of_80_columns() -> None:
    groups = [(), *(path for path, command in commands(main) if isinstance(command, click.Group))]
    for path in groups:
        printed = CliRunner().invoke(main, [*path, "--help"], terminal_width=80).output
        summaries = printed.partition("Commands:")[2]
        assert summaries
        assert "..." not in summaries
        assert max(map(len, summaries.splitlines())) <= 80


def test_every_command_helps_with_an_example() -> None:
    lacking = [path for path, command in commands(main) if "Example: " not in (command.help or "")]
    assert lacking == []


def test_every_command_that_ends_has_an_answer_for_programs() -> None:
    leaves = {path: command for path, command in commands(main) if not isinstance(command, click.Group)}
    plain = {path for path, command in leaves.items() if "as_json" not in {p.name for p in command.params}}
    assert plain == {("serve",), ("work",), ("setup",)}  # setup asks a person


def test_the_version_is_that_of_the_package() -> None:
    assert CliRunner().invoke(main, ["--version"]).output == f"signals, version {version('signals')}\n"


def test_serving_listens_where_the_options_say(signals: Signals, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOST", "PORT"):
        monkeypatch.setenv(f"SIGNALS__SERVER__{name}", "1")
    monkeypatch.setattr("privacy.logs.install_exception_hooks", lambda: None)
    served = Mock()
    monkeypatch.setattr("signals.operations.server.serve", served)
    signals("serve", "--host", "::1", "--port", "8123")
    server = served.call_args.args[0].server
    assert (server.host, server.port) == ("::1", 8123)
    signals("serve", "--port", "65536", code=2)


@pytest.mark.parametrize("command", [("serve",), ("serve", "--prepare")])
def test_nothing_is_served_without_scripts_and_translations(
    signals: Signals, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.setattr(missing_files, "__defaults__", (signals.folder,))
    monkeypatch.setattr(how_to_complete, "__defaults__", (signals.folder,))
    said = signals(*command, code=1)
    assert "signals/web/static/vendor/htmx.js" in said
    assert "another wheel" in said
    (found,) = [c for c in signals.json("doctor", code=1)["checks"] if not c["ok"]]
    assert (found["check"], "another wheel" in found["mend"]) == ("scripts and translations", True)
