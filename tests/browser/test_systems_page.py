"""Connected systems on real Chromium: the page fits the screen, and a lead asks for one."""

import pytest
from playwright.sync_api import expect

from signals.models.connection import SystemKind
from tests.browser.desk import SIZES, Site
from tests.browser.desk_fixtures import OpenWindow
from tests.support.connected import connect

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.mark.parametrize("size", SIZES)
def test_a_lead_asks_for_a_system_and_sees_the_one_that_is_connected(
    site: Site, window: OpenWindow, size: str
) -> None:
    connect(site.desk, SystemKind.WEBHOOK, {"url": f"https://hooks.example.org/{'lang' * 30}"})
    lena = window("lena", size=SIZES[size])
    page = lena.open("/desk/systems")
    page.get_by_text("Show the secret").click()
    assert (lena.axe(), lena.wider_than_the_screen()) == ([], [])
    page.locator("#webhook summary", has_text="Connect another one").click()
    page.get_by_label("Address that gets the events").fill("https://elders.example.org/events")
    page.locator("#webhook").get_by_role("button", name="Ask the privacy officer").click()
    expect(page.get_by_role("status")).to_contain_text("your privacy officer has a message")
    fleur = window("fleur", size=SIZES[size])
    expect(fleur.open("/desk/approvals").get_by_role("heading", level=2).first).to_contain_text("Koppelen")
    assert (fleur.axe(), fleur.wider_than_the_screen()) == ([], [])
