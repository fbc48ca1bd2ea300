"""Addresses of demo accounts for the sign-in page; never a password or a code."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from signals.vocabulary import Environment
from signals.web.staff_kit.context import desk

if TYPE_CHECKING:
    from signals.demo.accounts import Person


def demo_accounts() -> "Sequence[Person]":
    """Return one account of each role; none when this is no demo or the demo does not exist."""
    settings = desk().settings
    if settings.environment is not Environment.DEMO:
        return ()
    from signals.demo import ACCOUNTS_FILE
    from signals.demo.accounts import shown_on_sign_in

    return shown_on_sign_in() if (settings.data_folder / ACCOUNTS_FILE).exists() else ()
