"""`signals organisations`: import organisations from a csv, and merge two."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from signals.cli import answer, json_option, settings_of
from signals.cli.opening import DATE, day_of, everything, progress_bar

if TYPE_CHECKING:
    from signals.app import Opened
    from signals.organisations.csv_import import OrganisationImport


@click.group()
def organisations() -> None:
    """Import and merge the organisations that receive signals.

    Example: signals organisations import teams.csv --dry-run
    """


@organisations.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@click.option(
    "--recipients-verified-on",
    type=DATE,
    default=None,
    help="The day on which you made sure that the recipients' addresses are the teams' own.",
)
@json_option
@click.pass_context
def import_file(
    context: click.Context,
    file: Path,
    *,
    dry_run: bool,
    recipients_verified_on: datetime | None,
    as_json: bool,
) -> None:
    """Add and change organisations as FILE says: all of it, or nothing when a line is rejected (exit code 1).

    \b
    FILE is a csv (UTF-8; comma or semicolon) with a line for each area of each organisation:
      name             by which an organisation is found again, whatever its capitals; the same name on
                       several lines: several areas
      kind             social_work, ggd or national
      level, area      municipality GM0363; pc4 1012; pc6 1012AB; pc6_range "1012AB 1-99";
                       ggd_region GG3406; national NL
      valid_from       the first day (2026-01-31)
    and, where you have them:
      valid_until      the first day that is not covered any more: this ends an area; none is ever removed
      agreement_on, legal_basis, retention_basis, recipient_1, recipient_2: an organisation receives
                       once all five are there and both addresses are verified;
                       recipients that a team added to these two stay
      contact_phone, contact_email
    An empty cell changes nothing. A line is rejected for an area that another organisation covers on some of
    the same days: let that end first, in the same file if you like; for an end that lies in the past, and for
    an area that ended already. So is a file by which a team that receives would stop to: say on which day its
    new addresses were verified, or let them confirm first, on the page of the organisation.

    Example: signals organisations import teams.csv --recipients-verified-on 2026-11-02 --dry-run
    """
    verified_on = recipients_verified_on.date() if recipients_verified_on else None
    if verified_on and verified_on > day_of(None):
        raise click.BadParameter("this lies in the future", param_hint="--recipients-verified-on")
    with everything(settings_of(context)) as opened:
        try:
            with file.open(encoding="utf-8-sig", newline="") as stream, progress_bar() as progress:
                take = _look if dry_run else _take
                result = take(opened, file=stream, recipients_verified_on=verified_on, progress=progress)
        except UnicodeDecodeError:
            raise click.ClickException("the file is not UTF-8: save it as 'CSV UTF-8'") from None
    data = {
        "dry_run": dry_run,
        "changes": [
            {"kind": change.kind, "name": change.name, "detail": change.detail} for change in result.changes
        ],
        "rejected": [vars(rejected) for rejected in result.rejected],
    }
    answer(data, as_json=as_json, text=_imported, ok=not result.rejected)


def _look(opened: "Opened", **wanted: Any) -> "OrganisationImport":
    """Preview the import; a preview only reads, so nobody waits."""
    from signals.db import at_one_moment, reading_session
    from signals.organisations.csv_import import preview_organisations

    with reading_session(opened.sessions, at_one_moment(opened.engine)) as session:
        return preview_organisations(session, opened.clock, **wanted)


def _take(opened: "Opened", **wanted: Any) -> "OrganisationImport":
    from signals.organisations.csv_import import import_organisations

    with opened.sessions() as session:
        result = import_organisations(opened.operation(session), **wanted)
        if not result.rejected:
            session.commit()
    return result


_WAIT = {
    "the_same": "they are one and the same",
    "still_receives": "it still covers an area: end its coverage first ('signals organisations import')",
    "does_not_receive": "it covers nothing today",
    "reports_wait": "reports for it have not arrived yet: let a worker run",
    "has_signals": "it still has signals: refer them to the successor, or wait until they are deleted",
}


@organisations.command()
@click.argument("predecessor")
@click.argument("successor")
@json_option
@click.pass_context
def merge(context: click.Context, *, predecessor: str, successor: str, as_json: bool) -> None:
    """After a merger: SUCCESSOR goes on seeing repeats at addresses that PREDECESSOR had, for twelve months.

    Both by name. First let the coverage pass on the day of the merger ('signals organisations import', with
    valid_until and valid_from), and refer what PREDECESSOR still has. May be run again.

    Example: signals organisations merge "Welzijn Weesp" "Welzijn Amsterdam"
    """
    from signals.errors import Invalid, NotFound
    from signals.organisations.mergers import succeed

    with everything(settings_of(context)) as opened:
        try:
            with opened.sessions.begin() as session:
                done = succeed(opened.operation(session), predecessor=predecessor, successor=successor)
        except NotFound:
            raise click.ClickException("there is no organisation of that name") from None
        except Invalid as refused:
            reasons = "; ".join(f"{problem.field}: {_WAIT[problem.code]}" for problem in refused.problems)
            raise click.ClickException(f"not yet. {reasons}") from None
        # After the commit: killed in between, the next run finishes it.
        keys = opened.keystore.adopt_pseudonym_keys(done.predecessor_id, done.successor_id)
    answer({"links": done.links, "keys": keys}, as_json=as_json, text=_merged)


_HINTS = {
    "covered_by_another": "let that end first, by a line with valid_until",
    "ended_already": "let it begin anew, by a line with another valid_from",
    "end_in_the_past": "it can end today at the earliest",
    "stops_unverified": "the organisation receives now and would not any more: give --recipients-verified-on"
    ", or let the new address confirm first",
    "stops_receiving": "the organisation receives now and would not any more: suspend it on its page",
    "name_of_two": "two organisations have this name, but for capitals and spaces: rename one first",
    "quote_not_closed": "a quotation mark is missing, or a cell is far too long",
}


def _merged(data: dict[str, Any]) -> str:
    return f"{data['links']} links of addresses and {data['keys']} keys handed over."


def _imported(data: dict[str, Any]) -> str:
    if data["rejected"]:
        lines = [
            f"line {r['line']}: {r['column']} {r['reason']}".replace("  ", " ")
            + (f" ({_HINTS[r['reason']]})" if r["reason"] in _HINTS else "")
            for r in data["rejected"]
        ]
        return "\n".join([*lines, f"{len(lines)} problems; nothing was changed."])
    lines = [f"{change['kind']}: {change['name']} {change['detail']}".rstrip() for change in data["changes"]]
    if data["dry_run"]:
        lines.append("Dry run: nothing was changed.")
    return "\n".join(lines)
