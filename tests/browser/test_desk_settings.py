"""A lead arranges the team on a phone: parts that are found, boxes for a thumb, a deputy who confirms."""

import pytest

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
