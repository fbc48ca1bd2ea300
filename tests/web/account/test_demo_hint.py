"""Test that only the sign-in page of a demo names its accounts."""

from dataclasses import replace

import pytest

from signals.demo import ACCOUNTS_FILE
from signals.demo.accounts import shown_on_sign_in
from signals.vocabulary import Environment, Role
from signals.web.staff_kit.context import EXTENSION
from tests.support.desk_side import Desk
from tests.support.pages import words

SECRET = "molen-sneeuw-koffie-haven-4821"


def sign_in_page(desk: Desk, environment: Environment, *, seeded: bool = True) -> str:
    """Return the sign-in page of an installation with a file of demo accounts."""
    context = desk.app.extensions[EXTENSION]
    desk.app.extensions[EXTENSION] = replace(
        context, settings=replace(context.settings, environment=environment)
    )
    if seeded:
        file = desk.settings.data_folder / ACCOUNTS_FILE
        file.parent.mkdir()
        file.write_text(f'[{{"password": "{SECRET}", "totp_secret": "{SECRET}"}}]')
    return words(desk.client.get("/desk/sign-in"))


def test_the_demo_names_an_account_of_each_role_and_the_command_for_its_code(desk: Desk) -> None:
    said = sign_in_page(desk, Environment.DEMO)
    for one in shown_on_sign_in():
        assert one.email.replace("@", "@ ") in said  # where a line may break
    assert ".venv/bin/signals demo-account werker@amsterdam.example.org" in said
    assert SECRET not in said
    assert {one.role for one in shown_on_sign_in()} == set(Role)


@pytest.mark.parametrize("environment", [Environment.PRODUCTION, Environment.TEST])
def test_no_other_environment_mentions_a_demo(desk: Desk, environment: Environment) -> None:
    said = sign_in_page(desk, environment)
    assert "demo" not in said.lower()
    assert "example.org" not in said
