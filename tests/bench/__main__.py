"""Measure each of the named parts, or all of them; print a table or, with `--json`, the numbers."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console

from tests.bench.results import print_table
from tests.bench.run import PARTS, QUICK, WHOLE, run_bench


@click.command()
@click.argument("parts", nargs=-1, type=click.Choice(PARTS))
@click.option("--quick", is_flag=True, help="Measure a tenth, in two minutes: to try out, not to judge.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write JSON to a file, too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for a program.")
def bench(*, parts: tuple[str, ...], quick: bool, output: Path | None, as_json: bool) -> None:
    """Measure each of the PARTS; without any, all of them. This is no test: exit code 0."""
    lines = list(
        run_bench(parts or PARTS, QUICK if quick else WHOLE, lambda part: click.echo(part, err=True))
    )
    result = {
        "measured_on": datetime.now(UTC).date().isoformat(),
        "quick": quick,
        "lines": [line.as_plain() for line in lines],
    }
    text = json.dumps(result, indent=1)
    if output:
        output.write_text(f"{text}\n", encoding="utf-8")
    if as_json:
        click.echo(text)
    else:
        print_table(lines, Console(width=None if sys.stdout.isatty() else 150))


if __name__ == "__main__":
    bench()
