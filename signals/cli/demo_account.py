"""`signals demo-account`: the password of a demo account, and its present six-digit code."""

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from signals.cli import answer, json_option, settings_of
from signals.vocabulary import Environment

if TYPE_CHECKING:
    from signals.settings import Settings


@click.command()
@click.argument("email", required=False)
@json_option
@click.pass_context
def demo_account(context: click.Context, email: str | None, *, as_json: bool) -> None:
    """Show the password and code of a demo account; by default of the worker of Amsterdam.

    Example: signals demo-account teamleider@amsterdam.example.org
    """
    from signals.clock import SystemClock
    from signals.demo.accounts import shown_on_sign_in

    settings = settings_of(context)
    if settings.environment is Environment.PRODUCTION:
        raise click.ClickException('the demo is refused in environment = "production"')
    wanted = email or shown_on_sign_in()[0].email
    account = _accounts(settings).get(wanted)
    if account is None:
        raise click.BadParameter("the demo has no account with this address", param_hint="EMAIL")
    found = {"email": wanted, "password": account["password"], **_code(account, SystemClock().now())}
    answer(found, as_json=as_json, text=_in_words)


def _accounts(settings: "Settings") -> dict[str, dict[str, Any]]:
    from signals.demo import ACCOUNTS_FILE

    try:
        found = json.loads((settings.data_folder / ACCOUNTS_FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise click.ClickException(
            "there is no demo here yet: `make run` or `signals demo` makes it"
        ) from None
    return {account["email"]: account for account in found}


def _code(account: dict[str, Any], now: datetime) -> dict[str, Any]:
    import pyotp

    from privacy.totp import STEP_SECONDS

    left = STEP_SECONDS - int(now.timestamp()) % STEP_SECONDS
    return {"code": pyotp.TOTP(account["totp_secret"]).at(now), "seconds_left": left}


def _in_words(found: dict[str, Any]) -> str:
    return (
        f"E-mail:    {found['email']}\nPassword:  {found['password']}\n"
        f"Code:      {found['code']} (the next one in {found['seconds_left']} seconds; each works once)"
    )
