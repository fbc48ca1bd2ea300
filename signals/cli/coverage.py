"""`signals coverage`: the official address file, gaps and overlaps, and who receives for an address."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import partial as partial_of
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import click

from signals.cli import answer, json_option, settings_of
from signals.cli.opening import DATE, database, day_of, everything, on_terminal

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy.orm import Session

    from signals.routing.compact_coverage import CompactCoverage
    from signals.routing.coverage_problems import Problem, UpcomingChange

_TAKEN_AS_A_PART: Final = (
    "Taken as a part: its addresses are written, all others stay. If you meant the whole file,"
    " download it again and do not save it from a spreadsheet, which keeps 1,048,576 rows. Use --partial"
    " for a part."
)


@click.group()
def coverage() -> None:
    """Import and check which organisation receives for an address.

    Example: signals coverage show 1012AB 12
    """


@coverage.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--as-of", type=DATE, default=None, help="The day of which the file speaks; default: today.")
@click.option("--dry-run", is_flag=True, help="Count what would change, and change nothing.")
@click.option("--partial", is_flag=True, help="FILE is a part: write what it holds, leave all else alone.")
@json_option
@click.pass_context
def import_file(
    context: click.Context, file: Path, *, as_of: datetime | None, dry_run: bool, partial: bool, as_json: bool
) -> None:
    """Import FILE, the official CBS address file (postcode, house number, municipality; zip or csv).

    Only differences are written; running servers notice within seconds. A file that lacks most of the country
    counts as a part, with a warning: addresses that it lacks stay.

    Example: signals coverage import 2026-cbs-pc6huisnr20260801.zip --as-of 2026-08-01 --dry-run
    """
    from signals.routing.compact_coverage import CbsFileProblem
    from signals.routing.coverage import IncompleteFile, import_official

    try:
        compact = _compressed(file, partial=partial)
        with everything(settings_of(context)) as opened, opened.sessions() as session:
            take = partial_of(import_official, opened.operation(session), as_of=day_of(as_of))
            try:
                result = take(file=compact)
            except IncompleteFile as problem:
                click.echo(f"Not the whole country: {problem}. {_TAKEN_AS_A_PART}", err=True)
                compact = _compressed(file, partial=True)
                result = take(file=compact)
            if not dry_run:
                session.commit()
    except CbsFileProblem as problem:
        raise click.ClickException(f"the file cannot be used: {problem}") from None
    report = {**vars(result), "partial": compact.partial, "dry_run": dry_run}
    answer(report, as_json=as_json, text=_imported)


@coverage.command()
@click.option("--on", type=DATE, default=None, help="The date to look at; default: today.")
@click.option("--strict", is_flag=True, help="A municipality that falls to its GGD is a problem too.")
@json_option
@click.pass_context
def check(context: click.Context, *, on: datetime | None, strict: bool, as_json: bool) -> None:
    """Find gaps, overlaps and rows that never match or have expired; exit code 1 when there are any.

    A municipality without its own organisation falls to its GGD: the answer says so, and it is no problem.

    Example: signals coverage check --on 2027-01-01
    """
    from signals.db import reading, session_factory
    from signals.routing.coverage import next_change_after, problems_on
    from signals.routing.coverage_problems import ProblemKind

    day = day_of(on)
    with database(settings_of(context)) as engine, session_factory(reading(engine))() as session:
        found, coming = problems_on(session, day), next_change_after(session, day)
        names = _names(session)
    to_ggd = [problem for problem in found if problem.kind is ProblemKind.FALLS_TO_GGD]
    problems = [problem for problem in found if strict or problem.kind is not ProblemKind.FALLS_TO_GGD]
    report = {
        "on": day,
        "ok": not problems,
        "falls_to_ggd": len(to_ggd),
        "problems": [_described(problem, names) for problem in problems],
        "next_change": _next_change(coming, names) if coming else None,
    }
    answer(report, as_json=as_json, text=_checked, ok=not problems)


@coverage.command()
@click.argument("postcode")
@click.argument("number", type=click.IntRange(1, 99999), required=False)
@click.option("--on", type=DATE, default=None, help="The date to look at; default: today.")
@json_option
@click.pass_context
def show(
    context: click.Context, postcode: str, number: int | None, *, on: datetime | None, as_json: bool
) -> None:
    """Show the organisation that receives for POSTCODE and, where it matters, house NUMBER.

    Example: signals coverage show 1012AB 12 --on 2027-01-01
    """
    from signals.errors import NoMailboxKey
    from signals.routing.postcodes import InvalidPostcode, parse_postcode
    from signals.routing.snapshot import Router

    try:
        canonical = parse_postcode(postcode)
    except InvalidPostcode as problem:
        raise click.BadParameter(f"not a Dutch postcode ({problem})", param_hint="POSTCODE") from None
    with database(settings_of(context)) as engine:
        try:
            route = Router(engine, root_public_key=None).route(canonical, number, day_of(on))
        except NoMailboxKey:
            text = "nobody covers this address on that date, and no national desk receives then"
            raise click.ClickException(text) from None
    data = {
        "covered": route.covered,
        "organisation": {"id": route.organisation_id, "name": route.name, "kind": route.kind},
        "municipality": {"code": route.municipality_code, "name": route.municipality_name},
        "level": route.level,
    }
    answer(data, as_json=as_json, text=_shown)


def _compressed(file: Path, *, partial: bool) -> "CompactCoverage":
    from signals.routing.address_file import compress_file

    with _read_with_progress(file) as stream:
        return compress_file(stream, partial=partial)


@contextmanager
def _read_with_progress(file: Path) -> Iterator[BinaryIO]:
    if not on_terminal():
        with file.open("rb") as stream:
            yield stream
        return
    from rich.console import Console
    from rich.progress import Progress

    bar = Progress(console=Console(stderr=True), transient=True)
    with bar, bar.open(file, "rb", description="reading") as stream:
        yield stream


def _imported(result: dict[str, Any]) -> str:
    lines = [
        f"{result['added']} added, {result['changed']} changed, {result['removed']} removed, "
        f"{result['kept']} kept" + (" (dry run: nothing was written)." if result["dry_run"] else ".")
    ]
    if result["partial"]:
        lines.append("The file is a part of the country: what it lacks was left as it is.")
    if result["left"]:
        some = ", ".join(result["left"][:20]) + (" ..." if len(result["left"]) > 20 else "")
        lines.append(
            f"Left as they are: known to lie in several municipalities, and the part has one: {some}."
        )
    if result["unknown_codes"]:
        codes = ", ".join(result["unknown_codes"])
        lines.append(f"On no map here: {codes}. Their addresses fall to the national desk; check --as-of.")
    return "\n".join(lines)


def _names(session: "Session") -> "dict[UUID, str]":
    from sqlalchemy import select

    from signals.models import Organisation

    return {row.id: row.name for row in session.execute(select(Organisation.id, Organisation.name))}


def _described(problem: "Problem", names: "Mapping[UUID, str]") -> dict[str, Any]:
    return {
        "kind": problem.kind.value,
        "area": problem.area,
        "name": problem.name,
        "organisation_ids": list(problem.organisation_ids),
        "organisations": [names.get(found, "") for found in problem.organisation_ids],
        "pc4_count": problem.pc4_count,
        "pc4_total": problem.pc4_total,
    }


def _next_change(change: "UpcomingChange", names: "Mapping[UUID, str]") -> dict[str, Any]:
    moves = [
        {
            "old": move.old_name,
            "new": move.new_name,
            "new_code": move.new_code,
            "handovers": [
                {"before": found.before.name, "after": found.after.name, "areas": list(found.areas)}
                for found in move.handovers
            ],
        }
        for move in change.moves
    ]
    outliving = [_described(problem, names) for problem in change.outliving]
    return {"on": change.effective_date, "moves": moves, "outliving": outliving}


def _checked(report: dict[str, Any]) -> str:
    lines = [
        f"{problem['kind']}: {problem['area']} {problem['name']}".rstrip() + _share(problem) + _whose(problem)
        for problem in report["problems"]
    ]
    lines.append(f"On {report['on']}: {len(report['problems'])} problems.")
    lines.append(f"{report['falls_to_ggd']} municipalities fall to their GGD, wholly or in part.")
    if report["next_change"]:
        moves = ", ".join(f"{move['old']} to {move['new']}" for move in report["next_change"]["moves"])
        lines.append(f"Next boundary change: {report['next_change']['on']} ({moves}).")
        lines += _handovers(report["next_change"])
    return "\n".join(lines)


def _share(problem: dict[str, Any]) -> str:
    return f" ({problem['pc4_count']} of {problem['pc4_total']} postcodes)" if problem["pc4_total"] else ""


def _whose(problem: dict[str, Any]) -> str:
    return f" [{', '.join(problem['organisations'])}]" if problem["organisations"] else ""


def _handovers(change: dict[str, Any]) -> Iterator[str]:
    for found in (found for move in change["moves"] for found in move["handovers"]):
        before, after = found["before"], found["after"]
        who = f"{before}, before and after" if before == after else f"{before} until then, then {after}"
        yield f"  {', '.join(found['areas'])}: {who}"
    for problem in change["outliving"]:
        yield f"  {problem['area']}{_whose(problem)} goes on, though this organisation's municipality ends"


def _shown(data: dict[str, Any]) -> str:
    organisation, municipality = data["organisation"], data["municipality"]
    where = f"{municipality['name']} ({municipality['code']})" if municipality["code"] else "on no map"
    return f"{organisation['name']} [{organisation['kind']}], by {data['level']}; {where}"
