"""Where a signal is, what is suggested there, and the letterhead of a team, in real Chromium."""

from dataclasses import replace
from uuid import UUID

import pytest
from playwright.sync_api import expect

from signals.models.place import NEIGHBOURHOOD, STREET
from signals.routing.place_import import import_places
from signals.settings import DeskSettings, Settings
from tests.browser.desk import DONE, SIZES
from tests.browser.desk_fixtures import OpenWindow
from tests.support.desk_side import Desk

pytestmark = [pytest.mark.browser, pytest.mark.slow]

OPTIONS = {
    "desk": {"java_script_enabled": False, "color_scheme": "dark"},
    "phone": {"java_script_enabled": True, "color_scheme": "light"},
}
LOGO = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 90 30"><path d="M0 0h9v9z"/></svg>'


@pytest.fixture
def desk_settings(desk_settings: Settings) -> Settings:
    return replace(desk_settings, desk=DeskSettings(map_url="https://www.map.example/?q={address}"))


@pytest.fixture
def signal_id(desk: Desk) -> UUID:
    for kind, names in ((STREET, ("Lindekade", "Amsterdam")), (NEIGHBOURHOOD, ("De Kolk", "", "GM0363"))):
        import_places(desk.begin, kind=kind, file=b"", rows=[("1012AB", 12, names)])
    return desk.arrive("1012AB", 12, house_number_addition="14")


@pytest.mark.parametrize("size", SIZES)
def test_street_town_neighbourhood_and_a_map_that_says_what_it_tells_are_where_a_worker_looks(
    window: OpenWindow, signal_id: UUID, size: str
) -> None:
    anna = window("anna", size=SIZES[size], options=OPTIONS[size])
    page = anna.open()
    row = page.locator(".entry", has_text="De Kolk")
    row.get_by_role("link").press("Enter")
    expect(page.locator("h1")).to_contain_text("Lindekade 12-14")
    expect(page.locator("h1")).to_contain_text("1012 AB Amsterdam")
    expect(page.locator(".signal__about")).to_contain_text("De Kolk")
    expect(page.locator(".signal__about")).to_contain_text("Kaart (map.example ziet dan dit adres)")
    expect(page.locator("#suggestion")).to_contain_text("Bij schuldsignalen (Divosa, 2023).")
    expect(page.locator("#suggestion strong")).to_have_text("huisbezoek in de ochtend")
    anna.check_looks()
    page.get_by_role("button", name="Dit signaal oppakken").press("Enter")
    expect(page.locator(DONE)).to_be_visible()
    page.get_by_role("link", name="Ronde te voet").press("Enter")
    expect(page.get_by_text("Lindekade 12-14, 1012 AB Amsterdam")).to_be_visible()
    anna.check_looks()


@pytest.mark.parametrize("size", SIZES)
def test_a_lead_gives_the_letters_a_logo_and_reads_why_another_file_is_none(
    window: OpenWindow, size: str
) -> None:
    lena = window("lena", size=SIZES[size], options=OPTIONS[size])
    page = lena.open("/desk/settings")
    part = page.locator("#letterhead")
    for name, content, told in (
        ("logo.svg", LOGO, "Saved."),
        ("logo.gif", b"GIF89a", "This file is no SVG or PNG, or it is damaged."),
    ):
        file = {"name": name, "mimeType": "image/svg+xml", "buffer": content}
        part.locator("[name=logo]").set_input_files(file)  # type: ignore[arg-type]
        lena.press(part.get_by_role("button", name="Save"))
        expect(part.get_by_text(told)).to_be_visible()
        expect(part.get_by_role("img", name="The logo of")).to_be_visible()
        lena.check_looks()
