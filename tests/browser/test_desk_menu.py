"""Test the menu on a phone and in a wide window: real Chromium, also without script."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.desk import PHONE, WIDE, Window
from tests.browser.desk_fixtures import OpenWindow
from tests.browser.measures import NARROW, THUMB, boxes

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MENU, SHEET = ".sections__open", ".sections__sheet"
PARTS = ["Queue", "Search", "Round on foot", "Absence", "Figures", "Your team", "Settings", "Approvals"]
NO_SCRIPT = {"java_script_enabled": False}


def menu_of(one: Window, path: str = "/desk") -> Page:
    page = one.open(path)
    one.press(page.locator(MENU))
    return page


@pytest.mark.parametrize("options", [{}, NO_SCRIPT], ids=["script", "no script"])
def test_on_a_phone_a_button_opens_the_parts_and_they_lead_on(
    window: OpenWindow, options: dict[str, object]
) -> None:
    lena = window("lena", size=PHONE, options=options)
    page = lena.open()
    expect(page.locator(SHEET)).to_be_hidden()
    lena.press(page.locator(MENU))
    assert page.locator(f"{SHEET} a").all_inner_texts() == PARTS
    expect(page.locator(f"{SHEET} [aria-current]")).to_have_text("Queue")
    expect(page.locator(f"{SHEET} a").last).to_be_in_viewport(ratio=1)
    lena.press(page.locator(SHEET).get_by_role("link", name="Settings"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Settings")
    expect(page.locator(SHEET)).to_be_hidden()


def test_the_parts_take_one_line_of_a_phone_until_they_are_asked_for(window: OpenWindow) -> None:
    page = window("lena", size=PHONE).open()
    [box] = boxes(page.locator("nav.sections"))
    assert box["height"] <= 1.5 * THUMB


@pytest.mark.parametrize("options", [{}, NO_SCRIPT], ids=["script", "no script"])
def test_the_menu_is_opened_walked_and_closed_with_keys(
    window: OpenWindow, options: dict[str, object]
) -> None:
    page = window("lena", size=NARROW, options=options).open()
    page.locator(MENU).focus()
    page.keyboard.press("Enter")
    expect(page.locator(SHEET)).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.locator(".sections__close")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator(f"{SHEET} a").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(SHEET)).to_be_hidden()
    expect(page.locator(MENU)).to_be_focused()


def test_the_menu_is_closed_by_its_button_and_by_a_touch_beside_it(window: OpenWindow) -> None:
    lena = window("lena", size=PHONE)
    page = menu_of(lena)
    lena.press(page.locator(".sections__close"))
    expect(page.locator(SHEET)).to_be_hidden()
    lena.press(page.locator(MENU))
    page.touchscreen.tap(180, 620)
    expect(page.locator(SHEET)).to_be_hidden()


@pytest.mark.parametrize(
    ("who", "path"),
    [("lena", "/desk"), ("fleur", "/desk/officer"), ("bea", "/admin"), ("coen", "/figures")],
)
def test_the_open_menu_has_no_fault_fits_and_is_made_for_a_thumb(
    window: OpenWindow, who: str, path: str
) -> None:
    for size in (PHONE, NARROW):
        one = window(who, size=size, options={"forced_colors": "active"} if size == NARROW else {})
        page = menu_of(one, path)
        assert one.axe() == []
        assert one.wider_than_the_screen() == []
        assert [
            box for box in boxes(page.locator(f"{SHEET} a, {SHEET} button")) if box["height"] < THUMB
        ] == []


def test_in_forced_colours_one_sees_where_one_is(window: OpenWindow) -> None:
    page = menu_of(window("lena", size=PHONE, options={"forced_colors": "active"}))
    here = page.locator(f"{SHEET} [aria-current]")
    assert here.evaluate("(one) => getComputedStyle(one).outlineStyle") == "solid"


def test_a_wide_window_shows_the_parts_in_one_row(window: OpenWindow) -> None:
    page = window("lena", size=WIDE).open()
    expect(page.locator(MENU)).to_be_hidden()
    found = boxes(page.locator(f"{SHEET} a"))
    assert len({box["y"] for box in found}) == 1
    assert len(found) == len(PARTS)
