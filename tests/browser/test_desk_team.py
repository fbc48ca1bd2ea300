"""A lead lets a colleague in, arranges the team and says who is away: real Chromium, wide and on a phone."""

from __future__ import annotations

import re
from datetime import timedelta

import pyotp
import pytest
import segno
from playwright.sync_api import Page, expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from privacy.totp import provisioning_uri
from signals.models import Organisation, StaffMember
from signals.vocabulary import Role
from tests.browser.desk import SIZES, Site
from tests.browser.desk_fixtures import (
    OpenWindow,
)
from tests.browser.mailed_links import NEW, PASSWORD, mailed_link
from tests.support.desk_side import AMSTERDAM

pytestmark = pytest.mark.browser


def set_up(page: Page, site: Site) -> str:
    """Choose a password and take the QR code into an app; gives the app's secret."""
    page.get_by_role("button", name="Verder").click()
    page.locator("#take-up-password").fill(PASSWORD)
    secret = page.locator("code").inner_text().replace(" ", "")
    uri = provisioning_uri(secret, account=NEW, issuer=site.desk.settings.scheme.name)
    drawn = segno.make(uri, error="m").svg_data_uri(scale=5, light="#fff")
    assert page.locator("main img").get_attribute("src") == drawn
    assert page.locator("main img").evaluate("image => image.complete && image.naturalWidth > 100")
    page.locator("#take-up-totp").fill(pyotp.TOTP(secret).at(site.desk.clock.now()))
    page.get_by_role("button", name="Instellen en aanmelden").click()
    expect(page.get_by_text("Uw account is ingesteld")).to_be_visible()
    return secret


def sign_in(page: Page, site: Site, secret: str) -> None:
    site.desk.clock.moment += timedelta(seconds=30)  # each code works once
    page.goto(f"{site.url}/desk/sign-in")
    page.locator("#sign-in-email").fill(NEW)
    page.locator("#sign-in-password").fill(PASSWORD)
    page.locator("#sign-in-totp").fill(pyotp.TOTP(secret).at(site.desk.clock.now()))
    page.get_by_role("button", name="Aanmelden", exact=True).click()


@pytest.mark.parametrize("size", SIZES)
def test_a_colleague_is_invited_sets_the_account_up_signs_in_and_is_shut_out_at_once(
    site: Site, window: OpenWindow, size: str
) -> None:
    lead = window("lena", size=SIZES[size])
    team = lead.open("/desk/team")
    assert (lead.axe(), lead.wider_than_the_screen()) == ([], [])
    team.locator("#invite-name").fill("Noor Voorbeeld")
    team.locator("#invite-email").fill(NEW)
    team.locator("#invite-role").select_option("worker")
    team.get_by_role("button", name="Send the invitation").click()
    expect(team.get_by_text("Invited. They have a link by e-mail")).to_be_visible()
    expect(team.get_by_text("invited: did not set the account up yet")).to_be_visible()
    link = mailed_link(site)

    colleague = window(size=SIZES[size])
    page = colleague.open(link)
    secret = set_up(page, site)
    assert (colleague.axe(), colleague.wider_than_the_screen()) == ([], [])
    page.get_by_role("button", name="Afmelden").click()
    sign_in(page, site, secret)
    expect(page).to_have_url(f"{site.url}/desk")

    again = window(size=SIZES[size])
    again.open(link).get_by_role("button", name="Verder").click()
    expect(again.page.get_by_text("Deze link werkt niet of niet meer").first).to_be_visible()

    lead.open("/desk/team").locator("summary", has_text="Shut out Noor Voorbeeld").click()
    assert (lead.axe(), lead.wider_than_the_screen()) == ([], [])
    team.get_by_role("button", name="Yes, shut out Noor Voorbeeld").click()
    expect(team.get_by_text("They are shut out and signed out everywhere.")).to_be_visible()
    page.goto(f"{site.url}/desk")
    expect(page).to_have_url(re.compile("/desk/sign-in"))
    with Session(site.desk.engine) as session:
        member = session.scalars(select(StaffMember).where(StaffMember.email == NEW)).one()
        assert (member.role, member.disabled_at is not None) == (Role.WORKER, True)


@pytest.mark.parametrize("size", SIZES)
def test_a_lead_arranges_the_team_with_the_keyboard_alone(site: Site, window: OpenWindow, size: str) -> None:
    lead = window("lena", size=SIZES[size])
    page = lead.open("/desk/settings")
    assert (lead.axe(), lead.wider_than_the_screen()) == ([], [])
    page.locator("#norms-claim_working_days").fill("9")
    page.locator("#norms-claim_working_days").press("Enter")
    expect(page.locator("#norms-claim_working_days-wrong")).to_contain_text("Choose 1 to 5 working days.")
    assert lead.axe() == []
    page.locator("#norms-claim_working_days").fill("2")
    page.locator("#norms-claim_working_days").press("Enter")
    expect(page.get_by_text("Saved.", exact=True)).to_be_visible()
    page.get_by_text("Add a recipient", exact=True).press("Enter")
    page.locator("#recipients-address-2").fill("nieuw@example.org")
    page.locator("#recipients-address-2").press("Enter")
    expect(page.get_by_role("button", name="Send a new link")).to_be_visible()
    page.get_by_role("button", name="Send a new link").press("Enter")
    expect(page.get_by_text("A new link is on its way.")).to_be_visible()
    assert (lead.axe(), lead.wider_than_the_screen()) == ([], [])
    with Session(site.desk.engine) as session:
        team = session.scalars(select(Organisation).where(Organisation.name == AMSTERDAM)).one()
        assert (team.claim_working_days, len(team.recipients)) == (2, 3)
