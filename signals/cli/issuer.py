"""`signals issuer`: codes and administrators of an issuer; `signals issuers`: trust one at the service."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import click
import urllib3
from sqlalchemy.orm import Session

from notifications.tls import trusting
from signals.cli import answers, settings_of_call
from signals.cli.opening import log_warnings_only, server_at
from signals.clock import today
from signals.intake.authorisation import TrustedIssuer, read_directory, read_issuers
from signals.issuer.administrators import add_administrator, list_administrators, remove_administrator
from signals.issuer.codes import MOST_DAYS, MOST_PHONES, WEAK_CROWD, add_code, list_codes, revoke_code
from signals.issuer.service import DIRECTORY_PATH, Issuer

_MOST_BYTES: Final = 65_536
_WEAK: Final = f"Fewer than {WEAK_CROWD} phones share this code, so a report is easier to guess back to them."


@contextmanager
def _issuer() -> Iterator[tuple[Issuer, Session]]:
    """Open the issuer of these settings, with a transaction on its database."""
    from signals.app import open_issuer

    log_warnings_only()
    issuer = open_issuer(settings_of_call())
    try:
        issuer.keep()
        with issuer.sessions.begin() as session:
            yield issuer, session
    finally:
        issuer.engine.dispose()


@click.group()
def issuer() -> None:
    """Make the codes with which phones get tokens, and the people who may make them.

    Example: signals issuer codes add --label "Depot Zuid" --phones 40
    """


@issuer.group()
def codes() -> None:
    """Make, list and revoke enrolment codes.

    Example: signals issuer codes list
    """


def _made(data: dict[str, Any]) -> str:
    lines = [f"{name}: {data[name]}" for name in ("code", "link", "ends_on", "id")]
    return "\n".join([*lines, data["warning"]]).strip()


@codes.command()
@click.option("--label", required=True, help="The depot or subcontractor, never a person.")
@click.option("--phones", type=click.IntRange(1, MOST_PHONES), required=True, help="How many share it.")
@click.option("--days", type=click.IntRange(1, MOST_DAYS), default=90, show_default=True)
@answers(_made)
def add(*, label: str, phones: int, days: int) -> dict[str, Any]:
    """Make a code and its link, and show both once.

    Example: signals issuer codes add --label "Depot Zuid" --phones 40 --days 90
    """
    with _issuer() as (opened, session):
        on = today(opened.clock)
        new = add_code(session, label=label, phones=phones, days=days, by="command line", on=on)
    link, warning = opened.link(new.code), _WEAK if new.weak_crowd else ""
    return {"id": new.id, "code": new.code, "link": link, "ends_on": new.ends_on, "warning": warning}


def _listed(found: list[dict[str, Any]]) -> str:
    return "\n".join(
        f"{one['id']}  {one['label']}, {one['phones']} phones, until {one['ends_on']}"
        + (f", revoked on {one['revoked_on']}" if one["revoked_on"] else "")
        for one in found
    )


@codes.command("list")
@answers(_listed)
def list_all() -> list[dict[str, Any]]:
    """List the codes by depot; the codes themselves are not kept.

    Example: signals issuer codes list --json
    """
    names = ("id", "label", "phones", "made_on", "made_by", "ends_on", "revoked_on")
    with _issuer() as (_opened, session):
        return [{name: getattr(code, name) for name in names} for code in list_codes(session)]


@codes.command()
@click.argument("code_id", type=click.UUID)
@answers(lambda _: "Revoked: no phone gets a token with it any more.")
def revoke(code_id: UUID) -> dict[str, bool]:
    """Revoke a code at once; ID as `list` shows it.

    Example: signals issuer codes revoke 3f0c8f5e-8d0e-4c33-9d05-6a7e0d8f2a11
    """
    with _issuer() as (opened, session):
        revoke_code(session, code_id, today(opened.clock))
    return {"ok": True}


@issuer.group()
def administrators() -> None:
    """Add, list and remove the people who make codes.

    Example: signals issuer administrators add "A. Bakker"
    """


@administrators.command("add")
@click.argument("name")
@answers("access key: {0[access_key]}\nauthenticator: {0[totp_address]}".format)
def add_person(name: str) -> dict[str, str]:
    """Give somebody a key and an authenticator; earlier ones end.

    Example: signals issuer administrators add "A. Bakker"
    """
    with _issuer() as (opened, session):
        new = add_administrator(session, opened.secret, name=name, issuer=opened.settings.name)
    return {"name": new.name, "access_key": new.access_key, "totp_address": new.totp_address}


@administrators.command("list")
@answers("\n".join)
def list_people() -> list[str]:
    """List the people who may make codes.

    Example: signals issuer administrators list
    """
    with _issuer() as (_opened, session):
        return list(list_administrators(session))


@administrators.command("remove")
@click.argument("name")
@answers(lambda _: "Removed, and signed out.")
def remove_person(name: str) -> dict[str, bool]:
    """Remove somebody; their sessions end at once.

    Example: signals issuer administrators remove "A. Bakker"
    """
    with _issuer() as (_opened, session):
        remove_administrator(session, name)
    return {"ok": True}


@click.group()
def issuers() -> None:
    """Choose the issuers whose tokens prove a carrier to this service.

    Example: signals issuers trust https://tokens.example.org
    """


@click.command()
@click.argument("url")
@click.option("--changed-keys", is_flag=True, help="Accept another key for a week that is known.")
@answers(lambda found: f"{found['name']} ({found['profession']}): keys until the week of {found['until']}")
def trust(url: str, *, changed_keys: bool) -> dict[str, Any]:
    """Fetch, check and trust the keys of an issuer, every week.

    It refuses another key for a week that it knows: an issuer that changes keys could tell phones apart.

    Example: signals issuers trust https://tokens.example.org
    """
    settings = settings_of_call(check=False)
    file, site = settings.front.issuers_file, server_at(url)
    known, directory = read_issuers(file), _fetched(site + DIRECTORY_PATH, settings.ca_file)
    found = read_directory(site, directory)
    if not found.keys:
        raise click.ClickException("this issuer publishes no key")
    if site in known and not changed_keys:
        _refuse_changed(read_directory(site, known[site]), found)
    _write(file, {**known, site: directory})
    until = max(week for week, _key in found.keys)
    return {"name": found.name, "profession": found.profession, "until": until, "url": site}


issuers.add_command(trust)
issuer.add_command(trust)


def _fetched(url: str, ca_file: Path | None) -> Mapping[str, Any]:
    pool = urllib3.PoolManager(timeout=10, retries=False, ssl_context=trusting(ca_file))
    try:
        answer = pool.request("GET", url, redirect=False, preload_content=False)
        content = answer.read(_MOST_BYTES)
        found = json.loads(content) if answer.status == 200 else None
    except (urllib3.exceptions.HTTPError, ValueError) as error:
        raise click.ClickException(f"the issuer does not answer well: {type(error).__name__}") from None
    if not isinstance(found, dict):
        raise click.ClickException(f"the issuer does not answer well: status {answer.status}")
    return found


def _refuse_changed(before: TrustedIssuer, after: TrustedIssuer) -> None:
    weeks = dict(before.keys)
    changed = [week for week, key in after.keys if week in weeks and weeks[week] != key]
    if changed:
        raise click.ClickException(
            f"the key of the week of {changed[0]} changed. Ask the issuer why; then use --changed-keys"
        )


def _write(file: Path, directories: Mapping[str, Any]) -> None:
    """Replace the file in one step: a front may read it at this moment."""
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(f"{file.name}.new")
    with unfinished.open("w", encoding="utf-8") as out:
        json.dump(directories, out, indent=1)
        out.flush()
        os.fsync(out.fileno())
    unfinished.replace(file)
