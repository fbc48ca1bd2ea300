"""`signals statistics`: releases of the figures, and the proof from outside that they give nobody away."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from signals.cli import answer, json_option, settings_of
from signals.cli.opening import everything, on_terminal

if TYPE_CHECKING:
    from privacy.disclosure.auditor import Interval
    from privacy.disclosure.tables import Cell


@click.group()
def statistics() -> None:
    """The figures: released once for each closed quarter and year.

    Example: signals statistics verify downloads/figures
    """


@statistics.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--exact", is_flag=True, help="Solve every interval to its ends; --json then lists them all.")
@json_option
@click.pass_context
def verify(context: click.Context, *, folder: Path, exact: bool, as_json: bool) -> None:
    """Check downloaded figures: can a hidden cell be narrowed to fewer than five values?

    FOLDER holds the CSV files and the datapackage.json as published; nothing else is read, no settings and
    no database. Exit code 0: nothing is given away. 1: something is, or the figures contradict each other.
    2: the folder is broken, so nothing was proven.

    Example: signals statistics verify downloads/figures
    """
    from privacy.disclosure.folder import BrokenFolder, read_folder
    from privacy.disclosure.verification import verified

    try:
        published = read_folder(folder)
        hidden = sum(value is None for value in published.values.values())
        with _bar(hidden) as advance, _solver_on_stderr():
            found = verified(published, exact=exact, advance=advance)
    except BrokenFolder as problem:
        raise click.BadParameter(str(problem), param_hint="FOLDER") from None
    data: dict[str, Any] = {
        "ok": found.ok,
        "tables": len({(cell.table, cell.period) for cell in published.values}),
        "cells": len(published.values),
        "hidden": found.hidden,
        "needed": found.needed,
        "contradiction": found.contradiction,
        "told": [_interval(one) for one in found.told],
        "derived": [_cell(cell) for cell in found.derived],
    }
    if exact:
        data["intervals"] = [_interval(one) for one in found.intervals]
    answer(data, as_json=as_json, text=_verified)
    if not found.ok:
        context.exit(1)


@statistics.command()
@click.argument("period")
@json_option
@click.pass_context
def release(context: click.Context, *, period: str, as_json: bool) -> None:
    """Release the figures of a closed PERIOD: 2026-Q3, a year 2026, or four years 2023-2026.

    Counts, hides, rounds, audits and stores, once: a release never changes. The worker does the same by
    itself after the days of grace. Exit code 0: released, or released before and nothing done. 1: refused.

    Example: signals statistics release 2026-Q3
    """
    from signals.routing import Router
    from signals.statistics.counting import located_by
    from signals.statistics.releasing import Releasing

    with everything(settings_of(context)) as opened, _waiting(f"releasing {period[:9]}"):
        releasing = Releasing(
            sessions=opened.sessions,
            keys=opened.keystore,
            locate=located_by(Router(opened.engine, root_public_key=None)),
        )
        done = releasing.release(opened.clock, period=period)
    data = {
        "period": done.period,
        "released_on": done.released_on.isoformat(),
        "is_new": done.is_new,
        "tables": done.tables,
        "withheld": done.withheld,
    }
    answer(data, as_json=as_json, text=_released)


@contextmanager
def _waiting(what: str) -> Iterator[None]:
    """Something that moves on a terminal, for an audit can last."""
    if not on_terminal():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(what):
        yield


def _released(data: dict[str, Any]) -> str:
    if not data["is_new"]:
        return f"{data['period']} was released on {data['released_on']}: nothing done."
    lines = [f"{data['period']} is released: {', '.join(data['tables'])}."]
    if data["withheld"]:
        lines.append(f"Withheld by the audit: {', '.join(data['withheld'])}.")
    return "\n".join(lines)


@contextmanager
def _bar(hidden: int) -> Iterator[Callable[[int], None]]:
    if not on_terminal():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("hidden cells", total=hidden)
        yield lambda done: bar.advance(task, done)


@contextmanager
def _solver_on_stderr() -> Iterator[None]:
    """The solver's own prints, which it makes behind Python's back, must not end up in the answer."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def _interval(one: "Interval") -> dict[str, Any]:
    return {**_cell(one.cell), "least": one.least, "most": one.most, "exact": one.exact, "rest": one.is_rest}


def _cell(cell: "Cell") -> dict[str, Any]:
    return {"table": cell.table, "period": cell.period, "keys": list(cell.keys), "measure": cell.measure}


def _verified(data: dict[str, Any]) -> str:
    lines = [f"{data['tables']} tables, {data['cells']} cells, {data['hidden']} of them hidden."]
    if data["contradiction"]:
        lines.append("The figures contradict each other: no counts at all would give them.")
    lines.extend(f"Given away: {_place(one)} is {one['least']} to {one['most']}." for one in data["told"])
    lines.extend(
        f"Differs from others by a small group, or lacks its base: {_place(one)}." for one in data["derived"]
    )
    if data["ok"]:
        lines.append(f"Every hidden cell keeps at least {data['needed']} possible values.")
    return "\n".join(lines)


def _place(one: dict[str, Any]) -> str:
    return " ".join((one["table"], one["period"], "/".join(one["keys"]), one["measure"])).replace("  ", " ")
