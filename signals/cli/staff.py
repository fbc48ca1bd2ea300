"""`signals staff`: accounts of people, and tokens for programs."""

import sys
from typing import Any

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from privacy.passwords import PasswordHasherSettings
from privacy.totp import provisioning_uri
from signals.casework.pace import resume
from signals.cli import answers
from signals.cli.opening import everything, organisation_named
from signals.models import Organisation, StaffMember
from signals.models.sealed import seal_again
from signals.settings import Settings
from signals.staff import team
from signals.staff.accounts import add_staff, issue_token
from signals.staff.accounts import disable as disable_account
from signals.staff.change_messages import AccountSettings, notify_administrators
from signals.staff.identity import normal_email
from signals.vocabulary import STAFF_LANGUAGES, Role


@click.group()
def staff() -> None:
    """People who sign in, and tokens for programs that act as one of them.

    Example: signals staff add --organisation "Team Zuid" --role lead --name "A. Bakker" --email a@example.org
    """


def _listed(people: list[dict[str, Any]]) -> str:
    return "\n".join(
        f"{one['email']}  {one['name']}, {one['role']}, {one['organisation'] or 'everywhere'}"
        + ", disabled" * one["disabled"]
        for one in people
    )


@staff.command("list")
@click.option("--organisation", help="Only the people of this one; name or id.")
@answers(_listed)
def list_all(organisation: str | None) -> list[dict[str, Any]]:
    """List the people who sign in, by organisation and name.

    Example: signals staff list --organisation "Team Zuid"
    """
    people = select(StaffMember, Organisation.name).outerjoin(Organisation)
    with everything() as opened, opened.sessions() as session:
        if organisation:
            people = people.where(Organisation.id == organisation_named(session, organisation).id)
        return [
            {
                **{name: getattr(member, name) for name in ("id", "email", "name", "role")},
                "organisation": team,
                "disabled": member.disabled_at is not None,
            }
            for member, team in session.execute(people.order_by(Organisation.name, StaffMember.name))
        ]


def _added(data: dict[str, Any]) -> str:
    return (
        "Added. For the authenticator app, shown this once:\n"
        f"  TOTP secret: {data['totp_secret']}\n  {data['provisioning_uri']}"
    )


@staff.command()
@click.option("--organisation", help="Name or id; coordinator and administrator need none.")
@click.option("--role", type=click.Choice([role.value for role in Role]), required=True)
@click.option("--name", required=True, help="As colleagues know the person; 1 to 120 characters.")
@click.option("--email", required=True, help="With which the person signs in.")
@click.option("--language", type=click.Choice(STAFF_LANGUAGES), default="nl", show_default=True)
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input; do not ask.")
@answers(_added)
def add(*, organisation: str | None, role: str, password_stdin: bool, **person: Any) -> dict[str, Any]:
    """Add a person; show the TOTP secret once.

    Asks for the password (12 to 200 characters).

    Example: signals staff add --organisation "Team Zuid" --role lead --name "A. Bakker" --email a@example.org
    """
    password = _password(password_stdin)
    with everything() as opened, opened.begin() as operation:
        team_id = organisation_named(operation.session, organisation).id if organisation else None
        hasher = _hasher(opened.settings)
        new = add_staff(
            operation, organisation_id=team_id, role=Role(role), password=password, hasher=hasher, **person
        )
        if new.member.role is Role.ADMINISTRATOR:
            notify_administrators(operation, None)
        uri = provisioning_uri(new.totp_secret, account=new.member.email, issuer=opened.settings.scheme.name)
        return {"id": new.member.id, "totp_secret": new.totp_secret, "provisioning_uri": uri}


@staff.command()
@click.argument("email")
@click.option("--label", required=True, help="For which program; 1 to 80 characters.")
@click.option("--days", type=click.IntRange(1, 730), default=365, show_default=True)
@answers("{0[token]}".format)
def token(email: str, *, label: str, days: int) -> dict[str, str]:
    """Issue a token for a program that acts as a person.

    It acts as the person with EMAIL. The token is shown this once.

    Example: signals staff token a@example.org --label "case system" --days 90
    """
    with everything() as opened, opened.begin() as operation:
        member = _member(operation.session, email)
        if member.disabled_at is not None:
            raise click.ClickException("this account is disabled: a program cannot act as this person")
        return {"token": issue_token(operation, member=member, label=label, days=days)}


@staff.command()
@click.argument("email")
@answers(lambda _: "Disabled; nobody is signed in with it now.")
def disable(email: str) -> dict[str, bool]:
    """Disable an account; end its sessions and tokens at once.

    Example: signals staff disable a@example.org
    """
    with everything() as opened, opened.begin() as operation:
        member = _member(operation.session, email)
        disable_account(operation, member)
        if member.role is Role.ADMINISTRATOR:
            notify_administrators(operation, None)
    return {"disabled": True}


@staff.command()
@click.argument("email")
@click.option("--accept-row", is_flag=True, help="Accept the row of the account as it is; asks first.")
@answers(lambda _: "The worker mails a link, which works for 24 hours. Team and administrators are notified.")
def reset(email: str, *, accept_row: bool) -> dict[str, bool]:
    """Mail a person a link to set up the account again.

    This works for a disabled account too, and for one that stopped after very many openings. Use it when
    nobody in the team can approve a recovery. Earlier passwords, passkeys and codes stop working. The leads
    and privacy officers of the team and all administrators are notified.

    Example: signals staff reset a@example.org
    """
    with everything() as opened, opened.begin() as operation:
        if accept_row:
            _accept_row(operation.session, email)
        site = opened.settings.server.public_url.rstrip("/")
        settings = AccountSettings(site=site, hasher=_hasher(opened.settings))
        member = _member(operation.session, email)
        team.rescue(operation, settings=settings, member=member)
        resume(operation, staff_id=member.id)
    return {"reset": True}


def _hasher(settings: Settings) -> PasswordHasherSettings:
    return PasswordHasherSettings(memory_kib=settings.sessions.password_memory_kib)


def _accept_row(session: Session, email: str) -> None:
    row = seal_again(session, StaffMember, StaffMember.email == normal_email(email))
    said = ", ".join(
        f"{name}: {row.get(name)}" for name in ("name", "role", "organisation_id", "disabled_at")
    )
    click.confirm(f"{said}. Is all of this right?", abort=True, err=True)


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    given: str = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return given


def _member(session: Session, email: str) -> StaffMember:
    member = session.scalar(select(StaffMember).where(StaffMember.email == normal_email(email)))
    if member is None:
        raise click.BadParameter("nobody has this address", param_hint="EMAIL")
    return member
