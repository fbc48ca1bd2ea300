"""`signals staff`: accounts of people, and tokens for programs."""

import sys
import uuid
from typing import TYPE_CHECKING, Any

import click

from signals.cli import answer, json_option, settings_of
from signals.cli.opening import everything
from signals.vocabulary import STAFF_LANGUAGES, Role

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from signals.models import StaffMember
    from signals.settings import Settings
    from signals.staff.change_messages import AccountSettings

ISSUER = "Signalen"
_RESET = (
    "The worker mails them a link, which works for 24 hours. The team and all administrators are notified."
)


@click.group()
def staff() -> None:
    """People who sign in, and tokens for programs that act as one of them.

    Example: signals staff add --organisation "Team Zuid" --role lead --name "A. Bakker" --email a@example.org
    """


@staff.command()
@click.option("--organisation", default=None, help="Name or id; coordinator and administrator need none.")
@click.option("--role", type=click.Choice([role.value for role in Role]), required=True)
@click.option("--name", required=True, help="As colleagues know the person; 1 to 120 characters.")
@click.option("--email", required=True, help="With which the person signs in.")
@click.option("--language", type=click.Choice(STAFF_LANGUAGES), default="nl", show_default=True)
@click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input instead of asking."
)
@json_option
@click.pass_context
def add(
    context: click.Context,
    *,
    organisation: str | None,
    role: str,
    name: str,
    email: str,
    language: str,
    password_stdin: bool,
    as_json: bool,
) -> None:
    """Add a person; asks for the password (12 to 200 characters) and shows the TOTP secret once.

    Example: signals staff add --organisation "Team Zuid" --role lead --name "A. Bakker" --email a@example.org
    """
    from privacy.passwords import PasswordHasherSettings
    from privacy.totp import provisioning_uri
    from signals.staff.accounts import add_staff

    settings = settings_of(context)
    password = _password(password_stdin)
    with everything(settings) as opened, opened.sessions.begin() as session:
        new = add_staff(
            opened.operation(session),
            organisation_id=_organisation_id(session, organisation),
            role=Role(role),
            name=name,
            email=email,
            password=password,
            language=language,
            hasher=PasswordHasherSettings(memory_kib=settings.sessions.password_memory_kib),
        )
    uri = provisioning_uri(new.totp_secret, account=new.member.email, issuer=ISSUER)
    data = {"id": new.member.id, "totp_secret": new.totp_secret, "provisioning_uri": uri}
    answer(data, as_json=as_json, text=_added)


@staff.command()
@click.argument("email")
@click.option("--label", required=True, help="For which program; 1 to 80 characters.")
@click.option(
    "--days", type=click.IntRange(1, 730), default=365, show_default=True, help="How long it works."
)
@json_option
@click.pass_context
def token(context: click.Context, email: str, *, label: str, days: int, as_json: bool) -> None:
    """Issue a token for a program that acts as the person with EMAIL; it is shown this once.

    Example: signals staff token a@example.org --label "case system" --days 90
    """
    from signals.staff.accounts import issue_token

    with everything(settings_of(context)) as opened, opened.sessions.begin() as session:
        member = _member(session, email)
        if member.disabled_at is not None:
            raise click.ClickException("this account is disabled: a program cannot act as this person")
        issued = issue_token(opened.operation(session), member=member, label=label, days=days)
    answer({"token": issued}, as_json=as_json, text=lambda _: issued)


@staff.command()
@click.argument("email")
@json_option
@click.pass_context
def disable(context: click.Context, email: str, *, as_json: bool) -> None:
    """Disable the account with EMAIL and end its sessions and tokens at once.

    Example: signals staff disable a@example.org
    """
    from signals.staff.accounts import disable as disable_account

    with everything(settings_of(context)) as opened, opened.sessions.begin() as session:
        disable_account(opened.operation(session), _member(session, email))
    answer({"disabled": True}, as_json=as_json, text=lambda _: "Disabled; nobody is signed in with it now.")


@staff.command()
@click.argument("email")
@json_option
@click.pass_context
def reset(context: click.Context, email: str, *, as_json: bool) -> None:
    """Mail the person with EMAIL a link to set up the account again, also when it is disabled.

    Use it when nobody in the team can approve a recovery. Earlier passwords, passkeys and codes stop working.
    The leads and privacy officers of the team and all administrators are notified.

    Example: signals staff reset a@example.org
    """
    from signals.staff import team

    settings = settings_of(context)
    with everything(settings) as opened, opened.sessions.begin() as session:
        member = _member(session, email)
        team.rescue(opened.operation(session), settings=_account_settings(settings), member=member)
    answer({"reset": True}, as_json=as_json, text=lambda _: _RESET)


def _account_settings(settings: "Settings") -> "AccountSettings":
    from privacy.passwords import PasswordHasherSettings
    from signals.staff.change_messages import AccountSettings

    hasher = PasswordHasherSettings(memory_kib=settings.sessions.password_memory_kib)
    return AccountSettings(site=settings.server.public_url.rstrip("/"), hasher=hasher)


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    given: str = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return given


def _organisation_id(session: "Session", name_or_id: str | None) -> uuid.UUID | None:
    """Return the id of the named organisation; exit with code 2 for an unknown one."""
    from signals.models import Organisation
    from signals.organisations.onboarding import find_by_name

    if name_or_id is None:
        return None
    try:
        found = session.get(Organisation, uuid.UUID(name_or_id))
    except ValueError:
        found = find_by_name(session, name_or_id)
    if found is None:
        raise click.BadParameter("there is no such organisation", param_hint="--organisation")
    return found.id


def _member(session: "Session", email: str) -> "StaffMember":
    from sqlalchemy import select

    from signals.models import StaffMember
    from signals.staff.identity import normal_email

    member = session.scalar(select(StaffMember).where(StaffMember.email == normal_email(email)))
    if member is None:
        raise click.BadParameter("nobody has this address", param_hint="EMAIL")
    return member


def _added(data: dict[str, Any]) -> str:
    return (
        "Added. For the authenticator app, shown this once:\n"
        f"  TOTP secret: {data['totp_secret']}\n  {data['provisioning_uri']}"
    )
