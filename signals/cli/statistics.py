"""`signals statistics`: release the figures, and prove from outside that they disclose nobody."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from signals.cli import answers, proof_words
from signals.cli.opening import everything, progress_bar

if TYPE_CHECKING:
    from privacy.disclosure.auditor import Interval
    from privacy.disclosure.comparison import Change
    from privacy.disclosure.folder import Published
    from privacy.disclosure.tables import Cell
    from signals.clock import Clock
    from signals.statistics.releasing import Releasing


@click.group()
def statistics() -> None:
    """Release the figures once for each closed quarter and year, and verify them.

    Example: signals statistics verify downloads/figures
    """


def _folder(**more: Any) -> dict[str, Any]:
    return {"type": click.Path(exists=True, file_okay=False, path_type=Path), **more}


def _language(of: str) -> dict[str, Any]:
    return {"type": click.Choice(["nl", "en"]), "default": "nl", "help": f"Of the {of}; default: nl."}


@statistics.command()
@click.argument("folder", **_folder())
@click.option("--against", **_folder(help="An older download: has anything changed that was published then?"))
@click.option("--exact", is_flag=True, help="Solve every interval to its ends; --json then lists them all.")
@click.option("--language", **_language("answer"))
@answers(proof_words.told)
def verify(*, folder: Path, against: Path | None, exact: bool, language: str) -> dict[str, Any]:
    """Check that downloaded figures disclose nobody.

    They may narrow no hidden cell to fewer than five values.

    FOLDER holds the CSV files and the datapackage.json as published; nothing else is read, no settings and
    no database. A release never changes: with --against OLDER, whoever kept an older download sees whether
    that is so. Exit code 0: nothing is given away, and nothing changed. 1: something is or did, or the
    figures contradict each other. 2: a folder is broken, or is of other figures, so nothing was proven.

    Example: signals statistics verify downloads/figures --against downloads/figures-of-last-year
    """
    from privacy.disclosure.verification import verified

    published = _read(folder, "FOLDER")
    compared = _compared(published, against) if against else None
    hidden = sum(value is None for value in published.values.values())
    with _broken("FOLDER"), progress_bar() as bar, _solver_on_stderr():
        task = bar.add_task("hidden cells", total=hidden)
        found = verified(published, exact=exact, advance=lambda done: bar.advance(task, done))
    data: dict[str, Any] = {
        "ok": found.ok and not (compared and compared["changes"]),
        "safe": found.ok,
        "tables": len({(cell.table, cell.period) for cell in published.values}),
        "cells": len(published.values),
        "hidden": found.hidden,
        "needed": found.needed,
        "contradiction": found.contradiction,
        "told": [_interval(one) for one in found.told],
        "derived": [_cell(cell) for cell in found.derived],
        "against": compared,
        "language": language,
    }
    if exact:
        data["intervals"] = [_interval(one) for one in found.intervals]
    return data


@statistics.command()
@click.argument("period")
@click.option(
    "--after",
    **_folder(help="First bring back what this folder published and the database lost by a restore."),
)
@click.option("--language", **_language("protocol"))
@answers(lambda data: _released(data))
def release(*, period: str, after: Path | None, language: str) -> dict[str, Any]:
    """Release the figures of a closed PERIOD, once.

    A PERIOD is 2026-Q3, a year 2026, or four years 2023-2026.

    Counts, hides, rounds, audits and stores, once: a release never changes. Prints the protocol of the audit.
    After a restore to a day before a release, --after FOLDER takes what was lost from the folder as it was
    published, and everything later is audited against it.
    The worker does the same by itself after the days of grace. Exit code 0: released, or released before and
    nothing done. 1: refused.

    Example: signals statistics release 2026-Q3
    """
    from signals.routing.snapshot import Router
    from signals.statistics.counting import located_by
    from signals.statistics.releases import protocol_in
    from signals.statistics.releasing import Releasing

    with everything() as opened, progress_bar() as bar:
        bar.add_task(f"releasing {period[:9]}", total=None)
        releasing = Releasing(
            sessions=opened.sessions,
            keys=opened.keystore,
            locate=located_by(Router(opened.engine, root_public_key=None)),
        )
        adopted = _adopted(releasing, opened.clock, after) if after else []
        done = releasing.release(opened.clock, period=period)
    written_in, protocol = protocol_in(language, done.protocol)
    return {
        "period": done.period,
        "released_on": done.released_on.isoformat(),
        "is_new": done.is_new,
        "tables": done.tables,
        "withheld": done.withheld,
        "language": written_in,
        "protocol": protocol,
        "adopted": adopted,
    }


def _adopted(releasing: "Releasing", clock: "Clock", folder: Path) -> list[dict[str, Any]]:
    from signals.statistics.adopting import adopt

    with _broken("--after"):
        found = adopt(releasing, clock, folder=folder)
    return [{"period": one.period, "recounted": one.recounted} for one in found]


def _released(data: dict[str, Any]) -> str:
    lines = [_brought_back(one) for one in data["adopted"]]
    if data["is_new"]:
        lines.append(f"{data['period']} is released: {', '.join(data['tables'])}.")
    else:
        lines.append(f"{data['period']} was released on {data['released_on']}: nothing done.")
    if data["withheld"]:
        lines.append(f"Withheld by the audit: {', '.join(data['withheld'])}.")
    return "\n".join([*lines, "", data["protocol"].rstrip()])


def _brought_back(one: dict[str, Any]) -> str:
    kept = "" if one["recounted"] else " Its counts are other ones now: its year cannot be released."
    return f"{one['period']} is brought back as it was published.{kept}"


@contextmanager
def _solver_on_stderr() -> Iterator[None]:
    """Send the output of the solver to stderr: it bypasses Python, and must not mix with the answer."""
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


def _read(folder: Path, hint: str) -> "Published":
    from privacy.disclosure.folder import read_folder

    with _broken(hint):
        return read_folder(folder)


@contextmanager
def _broken(hint: str) -> Iterator[None]:
    from privacy.disclosure.folder import BrokenFolder

    try:
        yield
    except BrokenFolder as problem:
        raise click.BadParameter(proof_words.visible(str(problem)), param_hint=hint) from None


def _compared(published: "Published", older_folder: Path) -> dict[str, Any]:
    from privacy.disclosure.comparison import NothingInCommon, changes, compared

    older = _read(older_folder, "--against")
    try:
        found = changes(older, published)
    except NothingInCommon:
        raise click.BadParameter("no table of any period is in both", param_hint="--against") from None
    return {"cells": compared(older, published), "changes": [_change(one, older, published) for one in found]}


def _change(one: "Change", older: "Published", newer: "Published") -> dict[str, Any]:
    """`was` and `now` as they stand in the files; null where nothing does."""
    place = _cell(one.cell) if one.cell else {"table": one.table, "period": one.period}
    was, now = (_written(side, one.cell) for side in (older, newer))
    return {"what": one.what.value, **place, "was": was, "now": now}


def _written(published: "Published", cell: "Cell | None") -> int | str | None:
    from privacy.disclosure.folder import HIDDEN

    if cell is None or cell not in published.values:
        return None
    value = published.values[cell]
    return HIDDEN if value is None else value
