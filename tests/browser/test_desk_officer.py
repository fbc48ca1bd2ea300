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
