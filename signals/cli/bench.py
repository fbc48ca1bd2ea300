"""`signals bench`: the measurements of the design. The code is a developer's tool beside the tests."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from signals.cli import json_option

PROJECT = Path(__file__).resolve().parents[2]
PARTS = (
    "routing", "intake", "arrival", "queue", "desk", "opening", "retention", "audit", "sending", "statistics",
    "start",
)  # fmt: skip


@click.command()
@click.argument("parts", nargs=-1, type=click.Choice(PARTS))
@click.option(
    "--quick", is_flag=True, help="A tenth of everything, in two minutes: for trying out, not for judging."
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    help="Write the JSON to this file, too.",
)
@json_option
def bench(*, parts: tuple[str, ...], quick: bool, output: Path | None, as_json: bool) -> None:
    """Measure what the design promises numbers for: each of the PARTS that is named, without any all of them.

    Works in a checkout only. Exit code 0 whatever is measured: this is no test.

    Example: signals bench --quick intake
    """
    _find_the_checkout()
    from tests.bench import run

    lines = list(run.run_bench(parts or PARTS, run.QUICK if quick else run.WHOLE, _tell))
    result = {
        "measured_on": datetime.now(UTC).date().isoformat(),
        "quick": quick,
        "lines": [line.as_plain() for line in lines],
    }
    text = json.dumps(result, indent=1)
    if output:
        output.write_text(f"{text}\n", encoding="utf-8")
    click.echo(text) if as_json else _print_table(lines)


def _find_the_checkout() -> None:
    if not (PROJECT / "tests" / "bench" / "run.py").is_file():
        raise click.ClickException(
            "bench needs a checkout of the project with its tests: run `make bench` there"
        )
    # A console script's path begins with its own folder; the checkout's root is not on it.
    sys.path.insert(0, str(PROJECT))


def _tell(part: str) -> None:
    if sys.stderr.isatty():
        click.echo(f"measuring {part} ...", err=True)


def _print_table(lines: list[Any]) -> None:
    from rich.console import Console

    from tests.bench.results import print_table

    print_table(lines, Console(width=None if sys.stdout.isatty() else 150))
