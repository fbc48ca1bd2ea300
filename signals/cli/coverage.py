"""`signals coverage`: the official address file, gaps and overlaps, and who receives for an address."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from functools import partial as partial_of
from hashlib import file_digest
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

import click

from signals.app import Opened
from signals.cli import answers
from signals.cli.opening import DATE, FILE, database, day_of, everything, progress_bar
from signals.db import reading, session_factory
from signals.errors import NoMailboxKey
from signals.models.place import NEIGHBOURHOOD, STREET
from signals.routing.address_file import compress_file
from signals.routing.compact_coverage import CbsFileProblem, CompactCoverage
from signals.routing.coverage import IncompleteFile, check_coverage, import_official
from signals.routing.coverage_problems import ProblemKind
from signals.routing.place_files import Names, names_beside, neighbourhood_rows, street_rows
from signals.routing.place_import import FewerPlaces, ImportedMeanwhile, PlaceImport, import_places
from signals.routing.place_pages import PlaceRow
from signals.routing.places import place_of
from signals.routing.postcodes import Address, InvalidPostcode, parse_postcode
from signals.routing.snapshot import Router

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


def _imported(result: dict[str, Any]) -> str:
    lines = [
        f"{result['added']} added, {result['changed']} changed, {result['removed']} removed, "
        f"{result['kept']} kept" + (" (dry run: nothing was written)." if result["dry_run"] else ".")
    ]
    if result["neighbourhoods"]:
        lines.append(f"Neighbourhoods of {result['neighbourhoods']} four-digit postcodes are in use.")
    if result["partial"]:
        lines.append("The file is a part of the country: what it lacks was left as it is.")
    if result["left"]:
        some = ", ".join(result["left"][:20]) + (" ..." if len(result["left"]) > 20 else "")
        lines.append(f"Left as they are, because they lie in several municipalities: {some}.")
    if result["unknown_codes"]:
        codes = ", ".join(result["unknown_codes"])
        lines.append(f"On no map here: {codes}. Their addresses fall to the national desk; check --as-of.")
    return "\n".join(lines)


def _streets(result: dict[str, Any]) -> str:
    earlier = f", of which {result['resumed']} by an earlier run" if result["resumed"] else ""
    return f"Streets and towns of {result['postcodes']} four-digit postcodes are in use{earlier}."


@coverage.command()
@click.argument("file", type=FILE)
@click.option("--partial", is_flag=True, help="FILE is a part: leave the streets of other postcodes alone.")
@answers(_streets)
def streets(file: Path, *, partial: bool) -> dict[str, Any]:
    """Import streets and towns from FILE, for the desk. No address leaves this service.

    FILE is a csv (or a zip with one) of the BAG, in UTF-8 and sorted by postcode, with the columns postcode,
    number, street and town, or postcode, huisnummer, openbareruimte and woonplaats. Until a run ends, the
    streets before stay in use. Run a killed import again: it goes on.

    Example: signals coverage streets bag-adressen.csv
    """
    with everything() as opened, _refused(_EXPECTED):
        return vars(_places(opened, STREET, file, street_rows, partial=partial))


_EXPECTED: Final = "Expected: a csv or zip with the columns postcode, number, street and town."


@contextmanager
def _refused(expected: str = "") -> Iterator[None]:
    try:
        yield
    except CbsFileProblem as problem:
        raise click.ClickException(f"the file cannot be used: {problem}. {expected}".rstrip()) from None
    except FewerPlaces as problem:
        raise click.ClickException(f"not the whole country: {problem}. Use --partial for a part.") from None
    except ImportedMeanwhile:
        raise click.ClickException("another import ran at the same time. Run this one again.") from None


def _places(
    opened: Opened,
    kind: str,
    file: Path,
    read: Callable[[BinaryIO], Iterator[PlaceRow]],
    *,
    partial: bool,
    names: Names | None = None,
) -> PlaceImport:
    with progress_bar() as bar, bar.open(file, "rb", description=kind) as stream:
        digest = file_digest(cast(Any, stream), "sha256")
        digest.update(repr(names).encode())  # a list of names that came later makes other pages
        stream.seek(0)
        rows = read(stream)
        return import_places(opened.begin, kind=kind, file=digest.digest(), rows=rows, partial=partial)


def _neighbourhoods(opened: Opened, file: Path, *, partial: bool) -> int:
    """Import the neighbourhoods of the CBS file; return of how many four-digit postcodes."""
    try:
        if (names := names_beside(file))["buurt"]:
            read = partial_of(neighbourhood_rows, names=names)
            return _places(opened, NEIGHBOURHOOD, file, read, partial=partial, names=names).postcodes
    except CbsFileProblem as problem:
        if problem.missing is None:
            raise
    click.echo(_NO_NAMES, err=True)
    return 0


_NO_NAMES: Final = (
    "No neighbourhoods: the file lacks the column buurt or a list of names. Use the zip of CBS, or put"
    " buurt_YYYY.csv and wijk_YYYY.csv beside the csv."
)


@coverage.command("import")
@click.argument("file", type=FILE)
@click.option("--as-of", type=DATE, help="The day of which the file speaks; default: today.")
@click.option("--dry-run", is_flag=True, help="Count what would change, and change nothing.")
@click.option("--partial", is_flag=True, help="FILE is a part: write what it holds, leave all else alone.")
@answers(_imported)
def import_file(file: Path, *, as_of: datetime | None, dry_run: bool, partial: bool) -> dict[str, Any]:
    """Import FILE, the official CBS address file.

    FILE is a zip or a csv with postcode, house number and municipality. With the lists of names in the zip or
    beside the csv, the desk shows neighbourhoods. Only differences are written; running
    servers notice within seconds. A file that lacks most of the country counts as a part, with a warning:
    addresses that it lacks stay.

    Example: signals coverage import 2026-cbs-pc6huisnr20260801.zip --as-of 2026-08-01 --dry-run
    """
    with _refused():
        compact = _compressed(file, partial=partial)
        with everything() as opened, opened.sessions() as session:
            take = partial_of(import_official, opened.operation(session), as_of=day_of(as_of))
            try:
                result = take(file=compact)
            except IncompleteFile as problem:
                click.echo(f"Not the whole country: {problem}. {_TAKEN_AS_A_PART}", err=True)
                compact = _compressed(file, partial=True)
                result = take(file=compact)
            found = 0
            if not dry_run:
                session.commit()
                found = _neighbourhoods(opened, file, partial=compact.partial)
    return {**vars(result), "partial": compact.partial, "dry_run": dry_run, "neighbourhoods": found}


def _compressed(file: Path, *, partial: bool) -> CompactCoverage:
    with progress_bar() as bar, bar.open(file, "rb", description="reading") as stream:
        return compress_file(stream, partial=partial)


def _checked(report: dict[str, Any]) -> str:
    lines = [
        f"{problem['kind']}: {problem['area']} {problem['name']}".rstrip() + _share(problem) + _whose(problem)
        for problem in report["problems"]
    ]
    lines.append(f"On {report['on']}: {len(report['problems'])} problems.")
    lines.append(f"{report['falls_to_ggd']} municipalities fall to their GGD, wholly or in part.")
    if change := report["next_change"]:
        moves = ", ".join(f"{move['old_name']} to {move['new_name']}" for move in change["moves"])
        lines.append(f"Next boundary change: {change['effective_date']} ({moves}).")
        lines += _handovers(change)
    return "\n".join(lines)


def _share(problem: dict[str, Any]) -> str:
    return f" ({problem['pc4_count']} of {problem['pc4_total']} postcodes)" if problem["pc4_total"] else ""


def _whose(problem: dict[str, Any]) -> str:
    names = ", ".join(organisation["name"] for organisation in problem["organisations"])
    return f" [{names}]" if names else ""


def _handovers(change: dict[str, Any]) -> Iterator[str]:
    for found in (found for move in change["moves"] for found in move["handovers"]):
        before, after = found["before"]["name"], found["after"]["name"]
        who = f"{before}, before and after" if before == after else f"{before} until then, then {after}"
        yield f"  {', '.join(found['areas'])}: {who}"
    for problem in change["outliving"]:
        yield f"  {problem['area']}{_whose(problem)} goes on, though this organisation's municipality ends"


@coverage.command()
@click.option("--on", type=DATE, help="The date to look at; default: today.")
@click.option("--strict", is_flag=True, help="A municipality that falls to its GGD is a problem too.")
@answers(_checked)
def check(*, on: datetime | None, strict: bool) -> dict[str, Any]:
    """Find gaps, overlaps and obsolete rows.

    Exit code 1 when there are any. A municipality without its own organisation falls to its GGD: the answer
    says so, and it is no problem.

    Example: signals coverage check --on 2027-01-01
    """
    with database() as engine, session_factory(reading(engine))() as session:
        found = check_coverage(session, day_of(on))
    to_ggd = [problem for problem in found.problems if problem.kind is ProblemKind.FALLS_TO_GGD]
    problems = [asdict(problem) for problem in found.problems if strict or problem not in to_ggd]
    return {**asdict(found), "ok": not problems, "falls_to_ggd": len(to_ggd), "problems": problems}


def _shown(data: dict[str, Any]) -> str:
    organisation, municipality = data["organisation"], data["municipality"]
    where = f"{municipality['name']} ({municipality['code']})" if municipality["code"] else "on no map"
    place = ", ".join(filter(None, data["place"].values()))
    return f"{organisation['name']} [{organisation['kind']}], by {data['level']}; {where}\n{place}".rstrip()


@coverage.command()
@click.argument("postcode")
@click.argument("number", type=click.IntRange(1, 99999), required=False)
@click.option("--on", type=DATE, help="The date to look at; default: today.")
@answers(_shown)
def show(postcode: str, number: int | None, *, on: datetime | None) -> dict[str, Any]:
    """Show who receives for POSTCODE and house NUMBER, and its place.

    Example: signals coverage show 1012AB 12 --on 2027-01-01
    """
    try:
        canonical = parse_postcode(postcode)
    except InvalidPostcode as problem:
        raise click.BadParameter(f"not a Dutch postcode ({problem})", param_hint="POSTCODE") from None
    with database() as engine:
        try:
            route = Router(engine, root_public_key=None).route(canonical, number, day_of(on))
        except NoMailboxKey:
            text = "nobody covers this address on that date, and no national desk receives then"
            raise click.ClickException(text) from None
        with session_factory(reading(engine))() as session:
            place = place_of(session, Address(postcode=canonical, number=number or 0))
    return {
        "covered": route.covered,
        "organisation": {"id": route.organisation_id, "name": route.name, "kind": route.kind},
        "municipality": {"code": route.municipality_code, "name": route.municipality_name},
        "level": route.level,
        "place": {
            "street": place.street,
            "town": place.town,
            "neighbourhood": place.neighbourhood,
            "district": place.district,
        },
    }
