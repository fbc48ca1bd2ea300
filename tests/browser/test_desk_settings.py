"""A lead arranges the team on a phone: parts that are found, boxes for a thumb, a deputy who confirms."""

import pytest
from playwright.sync_api import expect

from tests.browser.desk import PHONE, WIDE
from tests.browser.desk_fixtures import OpenWindow
from tests.browser.measures import NARROW, THUMB, boxes

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.mark.parametrize("size", [NARROW, PHONE, WIDE], ids=["320", "360", "1280"])
def test_the_boxes_of_the_weekdays_are_even_and_hold_their_words(
    window: OpenWindow, size: dict[str, int]
) -> None:
    page = window("lena", size=size).open("/desk/settings")
    days = page.locator(".days .tile")
    assert len({(round(box["width"]), round(box["height"])) for box in boxes(days)}) == 1
    assert boxes(days)[0]["height"] >= THUMB
    spilled = days.evaluate_all("(all) => all.filter((one) => one.scrollWidth > one.clientWidth).length")
    assert (days.count(), spilled) == (7, 0)


def test_on_a_phone_everything_to_press_among_the_settings_fits_a_thumb(window: OpenWindow) -> None:
    page = window("lena", size=PHONE).open("/desk/settings")
    page.locator("summary").click()
    pressed = page.locator(
        "main :is(button, summary, select, .tile, nav a, input:not([type=hidden], [type=checkbox]))"
    )
    assert [box for box in boxes(pressed) if box["height"] < THUMB - 0.5] == []


def test_links_lead_to_each_part_and_saving_leads_back_to_it(window: OpenWindow) -> None:
    lena = window("lena", size=PHONE)
    page = lena.open("/desk/settings")
    links = page.locator(".contents a")
    names = links.all_inner_texts()
    assert names == page.locator("main section h2").all_inner_texts()
    for name in names:
        lena.press(links.filter(has_text=name))
        expect(page.get_by_role("heading", level=2, name=name)).to_be_in_viewport(ratio=1)
    lena.press(page.locator("#escalation").get_by_role("button", name="Save"))
    expect(page.locator("#escalation").get_by_role("status")).to_have_text("Saved.")
    expect(page.locator("#escalation").get_by_role("status")).to_be_in_viewport(ratio=1)


def test_a_lead_names_a_deputy_and_reads_that_they_have_not_confirmed(window: OpenWindow) -> None:
    lena = window("lena", size=PHONE)
    page = lena.open("/desk/settings#escalation")
    page.locator("#escalation-deputy_email").fill("lies@example.org")
    lena.press(page.locator("#escalation").get_by_role("button", name="Save"))
    lena.press(page.get_by_role("link", name="See what that means"))
    again = page.locator("#escalation").get_by_role("button", name="Send a new link")
    expect(again).to_be_in_viewport(ratio=1)
    assert lena.axe() == []
    lena.press(again)
    expect(page.locator("#escalation").get_by_role("status")).to_have_text("A new link is on its way.")
