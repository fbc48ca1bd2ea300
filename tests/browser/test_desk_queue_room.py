"""The room that the queue takes on a screen: sections of lines that open as a whole."""

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.browser.desk import PHONE, SIZES, Site
from tests.browser.desk_fixtures import OpenWindow
from tests.browser.measures import boxes
from tests.support.desk_side import Desk
from tests.support.pages import Browser

pytestmark = [pytest.mark.browser, pytest.mark.slow]

NOTICED = [["mail_piling_up"], ["not_seen", "seems_lonely"], [], ["self_neglect", "home_neglected", "frail"]]


@pytest.fixture
def fourteen(desk: Desk) -> None:
    """Four late signals, two of Anna's, two of Bram's, and six that wait for anybody."""
    for number in range(1, 15):
        if number in (5, 7):
            desk.clock.moment += timedelta(days=1)
        signal_id = desk.arrive(number=number, concern_types=NOTICED[number % 4])
        if who := {7: "anna", 8: "anna", 9: "bram", 10: "bram"}.get(number):
            Browser(desk, who).send(signal_id, "claim")


def _parts(page: Page) -> dict[str, int]:
    return {
        part.locator("h2").inner_text(): part.locator(".entry").count()
        for part in page.locator(".part").all()
    }


@pytest.mark.usefixtures("fourteen")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_the_queue_shows_what_is_late_due_yours_and_later_in_little_room(
    window: OpenWindow, size: str, scheme: str
) -> None:
    anna = window("anna", size=SIZES[size], options={"color_scheme": scheme})
    page = anna.open()
    assert _parts(page) == {"Te laat": 4, "Vandaag": 6, "Van u": 2, "Later": 2}
    ends = [box["y"] + box["height"] for box in boxes(page.locator(".entry"))]
    if size == "phone":
        assert page.evaluate("document.documentElement.scrollHeight") <= 2000
    else:
        assert sum(end <= SIZES[size]["height"] for end in ends) >= 10
    anna.check_looks()


def test_a_whole_line_opens_its_signal_and_its_button_claims(site: Site, window: OpenWindow) -> None:
    for number in (1, 2):
        site.desk.arrive(number=number)
    anna = window("anna", size=PHONE)
    page = anna.open()
    [first, _second] = boxes(page.locator(".entry"))
    page.touchscreen.tap(first["x"] + 12, first["y"] + first["height"] - 8)
    expect(page.locator(".signal__address")).to_be_visible()
    page.go_back()
    anna.press(page.get_by_role("button", name="Oppakken").first)
    expect(page.locator("p.notice--done")).to_have_text("U hebt dit signaal opgepakt.")
