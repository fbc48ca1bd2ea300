"""`signals demo-account`: what a newcomer needs to sign in, and only where a demo is."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from privacy.totp import new_totp_secret, verify_totp
from signals.cli import main
from signals.demo import ACCOUNTS_FILE
from signals.demo.accounts import write_accounts
from signals.vocabulary import Role
from tests.support.installation import install, settings_in

WORKER, LEAD = "werker@amsterdam.example.org", "teamleider@amsterdam.example.org"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    install(tmp_path)
    return tmp_path


@pytest.fixture
def accounts(folder: Path) -> list[dict[str, Any]]:
    made = [
        {
            "role": role,
            "email": email,
            "password": f"wachtwoord-{role.value}",
            "totp_secret": new_totp_secret(),
        }
        for role, email in ((Role.WORKER, WORKER), (Role.LEAD, LEAD))
    ]
    write_accounts(settings_in(folder).data_folder / ACCOUNTS_FILE, made)
    return made


def call(folder: Path, *arguments: str) -> Result:
    config = str(folder / "config.toml")
    return CliRunner().invoke(main, ["--config", config, "demo-account", *arguments])


def test_password_and_a_code_that_works_now_are_told(folder: Path, accounts: list[dict[str, Any]]) -> None:
    for asked, account in zip([(), (LEAD,)], accounts, strict=True):
        told = json.loads(call(folder, *asked, "--json").stdout)
        assert (told["email"], told["password"]) == (account["email"], account["password"])
        assert 1 <= told["seconds_left"] <= 30
        now = datetime.now(UTC)
        # A code is taken for a step longer, so that a slow machine does not matter here.
        steps = [
            verify_totp(account["totp_secret"], told["code"], now - timedelta(seconds=s), None)
            for s in (0, 30)
        ]
        assert any(step is not None for step in steps)
        assert account["totp_secret"] not in call(folder, *asked).stdout


def test_an_unknown_address_and_a_folder_without_a_demo_are_said(
    folder: Path, accounts: list[dict[str, Any]]
) -> None:
    assert accounts
    unknown = call(folder, "niemand@example.org")
    assert (unknown.exit_code, "no account with this address" in unknown.output) == (2, True)
    (settings_in(folder).data_folder / ACCOUNTS_FILE).unlink()
    missing = call(folder)
    assert (missing.exit_code, "no demo here yet" in missing.output) == (1, True)


def test_in_production_it_is_refused(
    folder: Path, accounts: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGNALS__ENVIRONMENT", "production")
    refused = call(folder)
    assert refused.exit_code == 1
    assert accounts[0]["password"] not in refused.output
