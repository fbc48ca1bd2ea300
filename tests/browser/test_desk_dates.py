"""Dates at the desk where the calendar is awkward, on real Chromium: New Year, the hour that comes twice."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from playwright.sync_api import expect

from signals.clock import AMSTERDAM
from tests.browser.desk import PHONE, Site
from tests.browser.desk_fixtures import OpenWindow

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_at_the_turn_of_the_year_every_date_has_its_own_year(
    site: Site, window: OpenWindow, signal_id: UUID
) -> None:
    site.desk.clock.moment = datetime(2026, 12, 31, 23, 50, tzinfo=AMSTERDAM).astimezone(UTC)
    anna = window("anna", size=PHONE)
    page = anna.open_signal(signal_id)
    anna.press(page.get_by_role("button", name="Dit signaal oppakken"))
    anna.tried("Geen gehoor")
    site.desk.clock.moment = datetime(2027, 1, 1, 0, 5, tzinfo=AMSTERDAM).astimezone(UTC)
    anna.tried("Geen gehoor", "Telefoon")
    expect(page.locator(".timeline li", has_text="geen gehoor").locator("time")).to_have_text(
        ["vr 1 jan 2027, 00:05", "do 31 dec 2026, 23:50"]
    )
    assert anna.context.request.get(f"{site.url}/desk/signals/{signal_id}/notice.pdf").ok
    page.reload()
    expect(page.get_by_role("button", name="Bezorgd, vandaag")).to_have_attribute("value", "2027-01-01")
    expect(anna.open().locator(".entry")).to_contain_text("10 dagen te laat")
    anna.press(anna.open("/desk/round").get_by_role("button", name="Toon de ronde"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Ronde van vr 1 jan 2027")


def test_in_the_hour_that_comes_twice_attempts_stand_in_the_order_in_which_they_were_made(
    site: Site, window: OpenWindow, signal_id: UUID
) -> None:
    site.desk.clock.moment = datetime(2027, 10, 31, 0, 40, tzinfo=UTC)  # 02:40, for the first time
    anna = window("anna", size=PHONE)
    page = anna.open_signal(signal_id)
    anna.press(page.get_by_role("button", name="Dit signaal oppakken"))
    anna.tried("Geen gehoor")
    site.desk.clock.moment = datetime(2027, 10, 31, 1, 10, tzinfo=UTC)  # 02:10, for the second time
    anna.tried("Geen gehoor", "Telefoon")
    anna.press(page.get_by_text("Andere dag of tijd, of met een collega?"))
    page.fill("#contact-attempts-attempted_time", "02:30")  # the first one: the second is still to come
    anna.tried("Geen gehoor", "Via iemand anders")
    tried = page.locator(".timeline li", has_text="geen gehoor")
    expect(tried.locator(".timeline__what")).to_have_text(
        ["Telefoon: geen gehoor", "Huisbezoek: geen gehoor", "Via iemand anders: geen gehoor"]
    )
    expect(tried.locator("time").first).to_contain_text("zo 31 okt 2027, 02:10")
    made = sorted(f"{one.attempted_at.astimezone(UTC):%H:%M}" for one in site.signal(signal_id).attempts)
    assert made == ["00:30", "00:40", "01:10"]
