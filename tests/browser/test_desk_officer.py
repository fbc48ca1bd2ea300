"""The privacy officer on real Chromium: the trail in words and within the screen, and going back."""

import pytest
from playwright.sync_api import expect

from tests.browser.desk import SIZES, Site
from tests.browser.desk_fixtures import OpenWindow

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.mark.parametrize("size", SIZES)
def test_the_trail_says_in_words_who_did_what_and_why_and_fits_the_screen(
    site: Site, window: OpenWindow, size: str
) -> None:
    for number in range(3):
        site.desk.arrive(number=40 + number, concern_types=["frail"])
    window("anna").open()
    fleur = window("fleur", size=SIZES[size])
    page = fleur.open("/desk/officer/audit")
    row = page.locator("tbody tr", has_text="Lijst van signalen bekeken (3 signalen)")
    expect(row).to_contain_text("Anna Voorbeeld")
    expect(row).to_contain_text("in de wachtrij")
    expect(page.locator("tbody tr", has_text="doorgegeven door een bezorger")).to_have_count(3)
    assert (fleur.axe(), fleur.wider_than_the_screen()) == ([], [])


@pytest.mark.parametrize("size", SIZES)
def test_an_officer_reads_what_else_lies_at_the_house_and_what_the_tick_means(
    site: Site, window: OpenWindow, size: str
) -> None:
    site.desk.arrive(number=77)
    site.desk.arrive(number=77, house_number_addition="2")
    fleur = window("fleur", size=SIZES[size])
    page = fleur.open("/desk/officer/residents")
    for addition, told in (("II", "Zeg nog niet dat u niets bewaart"), ("", "kan over elke woning")):
        page.goto(f"{site.url}/desk/officer/residents")
        page.locator("#find-postcode").fill("1012 AB")
        page.locator("#find-house_number").fill("77")
        page.locator("#find-house_number_addition").fill(addition)
        fleur.press(page.get_by_role("button", name="Zoeken"))
        expect(page.locator("main")).to_contain_text(told)
        expect(page.locator("#beside")).to_contain_text("Zeg hiervan niets tegen wie het vraagt")
        expect(page.get_by_label("voordat ik het meegeef")).to_have_count(1)
        assert (fleur.axe(), fleur.wider_than_the_screen()) == ([], [])


def test_going_back_to_a_period_that_was_changed_asks_nothing(window: OpenWindow) -> None:
    fleur = window("fleur")
    page = fleur.open("/desk/officer/retention")
    page.locator("summary").first.click()
    page.locator("#p1-days").fill("21")
    fleur.press(page.get_by_role("button", name="Termijn wijzigen").first)
    expect(page.get_by_role("status")).to_contain_text("De termijn is gewijzigd.")
    fleur.press(page.get_by_role("link", name="Register"))
    page.go_back()
    expect(page.get_by_role("status")).to_contain_text("De termijn is gewijzigd.")
    expect(page.locator("summary").first).to_contain_text("21 dagen")
