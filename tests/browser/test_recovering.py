"""A forgotten authenticator: a colleague's word and a mail repair it in a few presses, on a phone too."""

from __future__ import annotations

import pyotp
import pytest
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from notifications.models import OutboxMessage
from signals.notices.channels import complete
from tests.browser.desk import SIZES, Site
from tests.browser.desk_fixtures import OpenWindow
from tests.browser.mailed_links import PASSWORD

pytestmark = pytest.mark.browser

PRESSES_OF_LEAD = 1
PRESSES_OF_OWNER = 2
"""What three minutes leave room for, besides typing a password and a code and scanning a picture."""


class Presses:
    """Presses that are counted."""

    def __init__(self) -> None:
        self.number = 0

    def __call__(self, button: Locator) -> None:
        self.number += 1
        button.click()


@pytest.mark.parametrize("size", SIZES)
def test_a_leads_press_and_a_mail_repair_a_forgotten_authenticator(
    site: Site, window: OpenWindow, size: str
) -> None:
    lead, owner = Presses(), Presses()
    team = window("lena", size=SIZES[size]).open("/desk/team")
    lead(team.get_by_role("button", name="Recover Anna", exact=False))
    expect(team.get_by_text("have a link by e-mail")).to_be_visible()

    page = window(size=SIZES[size]).open(_mailed_to_anna(site))
    owner(page.get_by_role("button", name="Verder"))
    _fill_in(page, site)
    owner(page.get_by_role("button", name="Instellen en aanmelden"))
    expect(page.get_by_text("Uw account is ingesteld")).to_be_visible()
    assert (lead.number, owner.number) == (PRESSES_OF_LEAD, PRESSES_OF_OWNER)


def _mailed_to_anna(site: Site) -> str:
    with Session(site.desk.engine) as session:
        query = select(OutboxMessage).where(OutboxMessage.recipient == site.desk.people["anna"].email)
        message = session.scalars(query).one()
        link = complete(site.desk.keystore, message.event, message.subject_id, message.values)["link"]
    return f"/desk/{link.partition('/desk/')[2]}"


def _fill_in(page: Page, site: Site) -> None:
    page.locator("#take-up-password").fill(PASSWORD)
    secret = page.locator("code").inner_text().replace(" ", "")
    page.locator("#take-up-totp").fill(pyotp.TOTP(secret).at(site.desk.clock.now()))
