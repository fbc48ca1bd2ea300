"""Door mode: a worker stands before a door with a phone in one hand."""

import pytest
from playwright.sync_api import expect

from tests.browser.desk import PHONE, Site
from tests.browser.desk_fixtures import OpenWindow
from tests.browser.measures import boxes

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_first_screen_shows_the_address_what_was_noticed_and_the_tiles(
    site: Site, window: OpenWindow, scheme: str
) -> None:
    anna = window("anna", size=PHONE, options={"color_scheme": scheme})
    signal_id = site.desk.arrive(concern_types=["frail", "not_seen"])
    for page in (anna.open_signal(signal_id), anna.claim(signal_id)):
        for part in (".signal__address", ".noticed", ".tiles--kinds .tile", ".tiles--results .button"):
            assert all(0 <= box["y"] <= 640 - box["height"] for box in boxes(page.locator(part))), part
    expect(page.get_by_text('"Iemand maakte zich zorgen. Hoe gaat het met u?"')).to_be_visible()
    expect(page.get_by_text("Van iemand, zonder naam.")).to_be_visible()
    anna.check_looks()
