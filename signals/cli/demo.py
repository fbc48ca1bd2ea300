"""`signals demo` and `signals demo-account`: example data, and how to sign in to it."""

import json
from typing import Any

import click
import pyotp

from privacy.totp import STEP_SECONDS
from signals.cli import answers, settings_of_call
from signals.clock import SystemClock
from signals.demo import ACCOUNTS_FILE, seed_demo
from signals.demo.accounts import shown_on_sign_in
from signals.settings import Settings
from signals.vocabulary import Environment


@click.command()
@answers(lambda data: "Demo seeded." if data["seeded"] else "The demo is there already.")
def demo() -> dict[str, Any]:
    """Seed the demo: example organisations, live signals, accounts. Refused in production.

    Example: signals demo
    """
    settings = _settings()
    return {"seeded": seed_demo(settings), "accounts": settings.data_folder / ACCOUNTS_FILE}


def _account_in_words(found: dict[str, Any]) -> str:
    return (
        f"E-mail:    {found['email']}\nPassword:  {found['password']}\n"
        f"Code:      {found['code']} (the next one in {found['seconds_left']} seconds; each works once)"
    )


@click.command()
@click.argument("email", required=False)
@answers(_account_in_words)
def demo_account(email: str | None) -> dict[str, Any]:
    """Show the password and code of a demo account; by default of the worker of Amsterdam.

    Example: signals demo-account teamleider@amsterdam.example.org
    """
    wanted, now = email or shown_on_sign_in()[0].email, SystemClock().now()
    account = _accounts(_settings()).get(wanted)
    if account is None:
        raise click.BadParameter("the demo has no account with this address", param_hint="EMAIL")
    return {
        "email": wanted,
        "password": account["password"],
        "code": pyotp.TOTP(account["totp_secret"]).at(now),
        "seconds_left": STEP_SECONDS - int(now.timestamp()) % STEP_SECONDS,
    }


def _settings() -> Settings:
    settings = settings_of_call()
    if settings.environment is Environment.PRODUCTION:
        raise click.ClickException('the demo is refused in environment = "production"')
    return settings


def _accounts(settings: Settings) -> dict[str, dict[str, Any]]:
    try:
        found = json.loads((settings.data_folder / ACCOUNTS_FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise click.ClickException("there is no demo here yet: `make run` makes it") from None
    return {account["email"]: account for account in found}
