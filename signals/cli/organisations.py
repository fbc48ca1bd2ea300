"""`signals organisations`: list them, import them from a csv, and merge two."""

from pathlib import Path
from typing import Any, Final, TextIO

import click

from signals.app import Opened
from signals.cli import answers
from signals.cli.opening import FILE, everything
from signals.clock import today
from signals.db import at_one_moment, reading_session
from signals.errors import Invalid, NotFound
from signals.organisations.administration import organisations as every_organisation
from signals.organisations.csv_import import OrganisationImport, import_organisations, preview_organisations
from signals.organisations.mergers import succeed
from signals.organisations.onboarding import receives
from signals.web.labels import label

_WAIT: Final = {
    "the_same": "they are one and the same",
    "still_receives": "it still covers an area: end its coverage first ('signals organisations import')",
    "does_not_receive": "it covers nothing today",
    "reports_wait": "reports for it have not arrived yet: let a worker run",
    "has_signals": "it still has signals: refer them to the successor, or wait until they are deleted",
}


@click.group()
def organisations() -> None:
    """List, import and merge the organisations that receive signals.

    Example: signals organisations import teams.csv --dry-run
    """


def _listed(found: list[dict[str, Any]]) -> str:
    return "\n".join(
        f"{one['name']}, {one['kind']}, {'receives' if one['receives'] else 'receives nothing today'}"
        for one in found
    )


@organisations.command("list")
@answers(_listed)
def list_all() -> list[dict[str, Any]]:
    """List the organisations, and which of them receive today.

    Example: signals organisations list --json
    """
    with everything() as opened, opened.sessions() as session:
        on = today(opened.clock)
        return [
            {"id": one.id, "name": one.name, "kind": one.kind, "receives": receives(one, on)}
            for one in every_organisation(session)
        ]


def _imported(data: dict[str, Any]) -> str:
    if data["rejected"]:
        lines = [
            f"line {one['line']}: {one['column']} {one['reason']}".replace("  ", " ")
            + f" ({label(one['reason'], 'en')})"
            for one in data["rejected"]
        ]
        return "\n".join([*lines, f"{len(lines)} problems; nothing was changed."])
    lines = [f"{change['kind']}: {change['name']} {change['detail']}".rstrip() for change in data["changes"]]
    return "\n".join([*lines, *["Dry run: nothing was changed."] * data["dry_run"]])


@organisations.command("import")
@click.argument("file", type=FILE)
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@answers(_imported)
def import_file(file: Path, *, dry_run: bool) -> dict[str, Any]:
    """Add and change organisations by FILE, a csv.

    \b
    FILE (UTF-8; comma or semicolon) has a line for each area of each organisation. One wrong line stops all
    of it (exit code 1).
      name             finds the organisation, in any capitals; several lines: several areas
      kind             social_work, ggd or national
      level, area      municipality GM0363; pc4 1012; pc6 1012AB; pc6_range "1012AB 1-99";
                       ggd_region GG3406; national NL
      valid_from       the first day (2026-01-31)
    and, where you have them:
      valid_until      the first day that is not covered any more: this ends an area; none is ever removed
      agreement_on, legal_basis, retention_basis, recipient_1, recipient_2: an organisation receives
                       once all five are there, both recipients have pressed the link that they are mailed,
                       a lead has an account, and the team has answered a test message;
                       recipients that a team added to these two stay
      contact_phone, contact_email
    An empty cell changes nothing. A line is wrong when its area is covered on some of the same dates: let
    that end first, in the same file if you like. It is wrong too when an end lies in the past or later than
    before. A file stops no team that receives, and leaves it two confirmed addresses: let new addresses
    confirm first, on the page of the organisation. Every change is mailed to its teams and administrators.

    Example: signals organisations import teams.csv --dry-run
    """
    with everything() as opened:
        try:
            with file.open(encoding="utf-8-sig", newline="") as stream:
                result = (_preview if dry_run else _import)(opened, stream)
        except UnicodeDecodeError:
            raise click.ClickException("the file is not UTF-8: save it as 'CSV UTF-8'") from None
    changes = [{"kind": one.kind, "name": one.name, "detail": one.detail} for one in result.changes]
    rejected = [vars(rejected) for rejected in result.rejected]
    return {"ok": not rejected, "dry_run": dry_run, "changes": changes, "rejected": rejected}


def _preview(opened: Opened, file: TextIO) -> OrganisationImport:
    """Preview the import; a preview only reads, so nobody waits."""
    with reading_session(opened.sessions, at_one_moment(opened.engine)) as session:
        return preview_organisations(session, opened.clock, file=file)


def _import(opened: Opened, file: TextIO) -> OrganisationImport:
    with opened.sessions() as session:
        result = import_organisations(opened.operation(session), file=file)
        if not result.rejected:
            session.commit()
    return result


@organisations.command()
@click.argument("predecessor")
@click.argument("successor")
@answers("{0[links]} links of addresses and {0[keys]} keys handed over.".format)
def merge(predecessor: str, successor: str) -> dict[str, int]:
    """Let SUCCESSOR see repeats at PREDECESSOR's addresses.

    This works for twelve months after a merger. Both are names. First let the coverage pass on the day of the
    merger ('signals organisations import', with valid_until and valid_from), and refer what PREDECESSOR still
    has. May be run again.

    Example: signals organisations merge "Welzijn Weesp" "Welzijn Amsterdam"
    """
    with everything() as opened:
        try:
            with opened.begin() as operation:
                done = succeed(operation, predecessor=predecessor, successor=successor)
        except NotFound:
            raise click.ClickException("there is no organisation of that name") from None
        except Invalid as refused:
            reasons = "; ".join(f"{problem.field}: {_WAIT[problem.code]}" for problem in refused.problems)
            raise click.ClickException(f"not yet. {reasons}") from None
        # After the commit: killed in between, the next run finishes it.
        keys = opened.keystore.adopt_pseudonym_keys(done.predecessor_id, done.successor_id)
    return {"links": done.links, "keys": keys}
