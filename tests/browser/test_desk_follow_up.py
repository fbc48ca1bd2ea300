"""A signal is never lost: the next day, putting back, reopening and correcting on real Chromium."""

from uuid import UUID

import pytest
from playwright.sync_api import expect

from signals.vocabulary import AttemptResult
from tests.browser.desk import DONE, SIZES, Site, Window
from tests.browser.desk_fixtures import OpenWindow
from tests.support.pages import Browser

pytestmark = [pytest.mark.browser, pytest.mark.slow]

OPTIONS = {"desk": {"java_script_enabled": False}, "phone": {"java_script_enabled": True}}
"""The phone scripted and the desk not: together they show that neither needs the other."""


@pytest.fixture(params=list(SIZES))
def anna(window: OpenWindow, request: pytest.FixtureRequest) -> Window:
    return window("anna", size=SIZES[request.param], options=OPTIONS[request.param])


def test_nobody_at_home_plans_the_next_day_and_putting_back_brings_the_signal_on_top(
    site: Site, anna: Window, signal_id: UUID
) -> None:
    Browser(site.desk, "bram").send(site.desk.arrive(number=14), "claim")
    page = anna.open_signal(signal_id)
    anna.tried("Geen gehoor")
    expect(page.locator(".card__over")).to_contain_text("volgend contact do 26 nov 2026, over 2 dagen")
    anna.check_looks()
    anna.press(page.locator("summary", has_text="Een andere dag kiezen"))
    page.fill("#next-day-postponed_until", "2026-11-30")
    anna.press(page.get_by_role("button", name="Deze dag opslaan"))
    expect(page.locator(".card__over")).to_contain_text("volgend contact ma 30 nov 2026")
    expect(anna.open().locator(".part", has_text="Van u")).to_contain_text("Volgend contact: ma 30 nov")
    anna.open_signal(signal_id)
    anna.press(page.locator("summary", has_text="Terugleggen"))
    anna.press(page.get_by_role("button", name="Terugleggen in de wachtrij"))
    expect(page.locator(DONE)).to_be_visible()
    anna.open()
    expect(page.locator(".part h2")).to_have_text(["Vandaag", "Later"])
    expect(page.locator(".entry").first).to_contain_text("Nog niemand")
    anna.check_looks()


def test_a_reopened_signal_keeps_the_agreed_day_and_a_mistake_is_corrected_in_the_timeline(
    site: Site, anna: Window, signal_id: UUID
) -> None:
    page = anna.open_signal(signal_id)
    anna.press(page.locator("summary", has_text="Sprak u een dag af?"))
    page.fill("#contact-attempts-postponed_until", "2026-12-08")
    anna.tried("Later afgesproken")
    anna.press(page.locator("summary", has_text="Afronden"))
    anna.ended("Adres klopt niet")
    anna.press(page.locator("summary", has_text="Heropenen"))
    anna.press(page.get_by_role("button", name="Dit signaal heropenen"))
    expect(page.locator(".card__over")).to_contain_text("volgend contact di 8 dec 2026")
    anna.press(page.get_by_role("link", name="Corrigeren"))
    page.select_option("#correct-attempt-result", "no_answer")
    page.fill("#correct-attempt-postponed_until", "")
    anna.check_looks()
    anna.press(page.get_by_role("button", name="Correctie opslaan"))
    expect(page.locator(".timeline__what s")).to_have_text("Huisbezoek: later afgesproken")
    expect(page.locator(".card__over")).to_contain_text("volgend contact do 26 nov 2026")
    (attempt,) = site.signal(signal_id).attempts
    assert attempt.result is AttemptResult.NO_ANSWER
    anna.check_looks()
