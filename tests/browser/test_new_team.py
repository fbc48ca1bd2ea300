"""An administrator takes a new team of a known municipality on: four steps, few fields, one button."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from notifications.models import OutboxMessage
from signals.clock import today
from signals.demo.organisations import press_links
from signals.models import Organisation
from signals.notices.channels import complete
from signals.organisations.onboarding import receives
from signals.staff.accounts import add_staff
from signals.vocabulary import Role
from tests.browser.desk import SIZES, Site
from tests.browser.desk_fixtures import OpenWindow
from tests.support.desk_side import PASSWORD, QUICK
from tests.support.second_administrator import agree_to_all

pytestmark = pytest.mark.browser

MOST_FIELDS = 14


def fill(page: Page, fields: dict[str, str]) -> int:
    for name, value in fields.items():
        page.locator(f"#{name}").fill(value)
    return len(fields)


def team(site: Site, session: Session) -> Organisation:
    return session.scalars(select(Organisation).where(Organisation.name == "Welzijn Almere")).one()


def others_do_their_part(site: Site) -> None:
    """A second administrator agrees, recipients press their links, and the lead sets the account up."""
    agree_to_all(site.desk)
    with Session(site.desk.engine) as session, session.begin():
        acting, found = site.desk.operation(session), team(site, session)
        press_links(acting, found)
        add_staff(
            acting,
            organisation_id=found.id,
            role=Role.LEAD,
            name="Lea",
            email="lea2@example.org",
            password=PASSWORD,
            hasher=QUICK,
        )


def mailed_drill(site: Site) -> str:
    with Session(site.desk.engine) as session:
        message = session.scalars(select(OutboxMessage).where(OutboxMessage.event == "drill")).one()
        values = complete(site.desk.keystore, message.event, message.subject_id, message.values)
    return values["link"].partition("/desk/")[2]


@pytest.mark.parametrize("size", SIZES)
def test_a_new_team_goes_live_by_four_steps_with_at_most_fourteen_fields(
    site: Site, window: OpenWindow, size: str
) -> None:
    bea = window("bea", size=SIZES[size])
    page = bea.open("/admin")
    fields = fill(page, {"new-name": "Welzijn Almere"})
    page.locator("#new-kind").select_option("social_work")
    page.get_by_role("button", name="Toevoegen", exact=True).click()
    page.get_by_role("button", name="Live zetten").click()
    expect(page.get_by_text("Doe eerst de stappen zonder vinkje")).to_be_visible()
    agreement = {"onboard-agreement_on": "2026-01-01", "onboard-legal_basis": "Wmo 2015, 2.1.2"}
    grounds = {"onboard-retention_basis": "Selectielijst"}
    recipients = {"onboard-recipient-0": "een@almere.nl", "onboard-recipient-1": "twee@almere.nl"}
    fields += 1 + fill(page, agreement | grounds | recipients)
    page.get_by_role("button", name="Opslaan").click()
    fields += fill(page, {"area-area": "Almere"})
    page.get_by_role("button", name="Gebied toevoegen").click()
    expect(page.get_by_text("Wacht op toestemming: gemeente: Almere")).to_be_visible()
    fields += fill(page, {"staff-name": "Noor", "staff-email": "noor@almere.nl"})
    page.get_by_role("button", name="Uitnodiging versturen").click()
    assert fields <= MOST_FIELDS
    others_do_their_part(site)
    page.reload()
    assert page.locator("#live-title + ol li").get_by_text("✓").count() == 4
    assert (bea.axe(), bea.wider_than_the_screen()) == ([], [])
    folder = os.environ.get("SHOTS")
    if folder:
        page.screenshot(path=Path(folder) / f"team-{size}.png", full_page=True)
    page.get_by_role("button", name="Live zetten").click()
    expect(page.get_by_text("Het team is live zodra iemand haar beantwoordt")).to_be_visible()
    expect(page.get_by_text("Nog niemand antwoordde")).to_be_visible()
    page.goto(f"{site.url}/desk/{mailed_drill(site)}")
    page.get_by_role("main").get_by_role("button").click()
    with Session(site.desk.engine) as session:
        assert receives(team(site, session), today(site.desk.clock))
