"""Test that nothing moves under the thumb or covers text, also on a small or zoomed screen."""

import pytest
from playwright.sync_api import Page, expect

from signals.vocabulary import AUTONYMS
from tests.browser.carrier import MakePhone, Phone, name_receivers

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LONG_NAME = "Stichting Maatschappelijke Dienstverlening Noord- en Midden-Voorbeeldland"
TOP_OF_TILES = "document.querySelector('.tiles').getBoundingClientRect().top"
WORDS_IN_THEIR_ROOM = """() => {
  const words = document.createRange();
  words.selectNodeContents(document.getElementById("to"));
  const room = document.querySelector(".to").getBoundingClientRect().bottom;
  return [...words.getClientRects()].every((line) => (line.top + line.bottom) / 2 < room);
}"""
CUT_OFF = """() => [...document.querySelectorAll("button, summary, .tile span, label, .danger a, h1, input")]
  .filter((one) => one.checkVisibility() && one.scrollWidth > one.clientWidth + 1 && one.clientWidth)
  .map((one) => one.outerHTML.slice(0, 60))"""
BROKEN_WORDS = """() => [...document.querySelectorAll(".tile span")].flatMap(({ firstChild }) => {
  const word = document.createRange();
  return [...firstChild.data.matchAll(/[^\\s-]+/g)].filter((found) => {
    word.setStart(firstChild, found.index);
    word.setEnd(firstChild, found.index + found[0].length);
    return new Set([...word.getClientRects()].map((line) => line.top)).size > 1;
  }).map(String);
})"""


def _tap_the_top_of(page: Page, tile: int) -> None:
    box = page.locator(".tile").nth(tile).bounding_box()
    assert box
    page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + 4)


@pytest.mark.parametrize(
    ("postcode", "number", "last"),
    [("1O12AB", "12", "#postcode"), ("1012AB", "12a", "#house_number")],
    ids=["postcode", "number"],
)
def test_the_first_tap_on_a_tile_chooses_it_whatever_is_said_meanwhile(
    make_phone: MakePhone, postcode: str, number: str, last: str
) -> None:
    phone = make_phone(options={"service_workers": "block"})
    page = phone.page
    name_receivers(page, name=LONG_NAME)
    phone.open("/")
    before = page.evaluate(TOP_OF_TILES)
    for field, text in sorted(
        {"#postcode": postcode, "#house_number": number}.items(), key=lambda f: f[0] == last
    ):
        page.locator(field).tap()
        page.keyboard.type(text)
    _tap_the_top_of(page, 0)
    expect(page.locator("#read-as")).to_be_visible()
    expect(page.locator(".tile input").first).to_be_checked()
    expect(page.locator("#to")).to_be_visible()
    assert page.evaluate(TOP_OF_TILES) == pytest.approx(before, abs=1)  # pages scroll by whole pixels


def test_a_long_name_and_a_question_are_shown_in_full_and_move_nothing(make_phone: MakePhone) -> None:
    phone = make_phone(options={"service_workers": "block"})
    page = phone.page
    name_receivers(page, name=LONG_NAME, covered=False)
    phone.open("/")
    before = page.evaluate(TOP_OF_TILES)
    phone.fill("1OOO AA", "12")
    expect(page.locator("#unknown")).to_be_visible()
    assert page.evaluate(TOP_OF_TILES) == pytest.approx(before, abs=1)  # pages scroll by whole pixels
    assert page.evaluate(WORDS_IN_THEIR_ROOM)


@pytest.mark.parametrize("width", [360, 320, 180])
@pytest.mark.parametrize("language", AUTONYMS)
def test_on_every_width_all_is_there_in_every_language(
    make_phone: MakePhone, language: str, width: int
) -> None:
    """180 is a phone of 360 that zooms to twice the size."""
    viewport = {"width": width, "height": 640}
    phone = make_phone(language=language, options={"viewport": viewport, "service_workers": "block"})
    page = phone.page
    name_receivers(page, name="Landelijk meldpunt", covered=False)
    phone.open("/")
    phone.fill("1012 AB", "12345", "ABCDEF" if width != 320 else "A")
    expect(page.locator("#unknown")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(CUT_OFF) == []
    assert page.evaluate(BROKEN_WORDS) == []
    assert page.evaluate(WORDS_IN_THEIR_ROOM)
    page.locator("#safety summary").tap()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_ring_around_a_field_covers_no_word_above_it(phone: Phone) -> None:
    page = phone.open("/")
    page.locator("details:not(#safety) summary").tap()
    for field in ("postcode", "noticed_on"):
        page.locator(f"#{field}").focus()
        gap = page.evaluate(
            """(field) => {
              const input = document.getElementById(field);
              const above = document.getElementById(`${field}-hint`) || input.labels[0];
              const { outlineWidth, outlineOffset } = getComputedStyle(input);
              const ring = Math.max(0, parseFloat(outlineWidth) + parseFloat(outlineOffset));
              return input.getBoundingClientRect().top - ring - above.getBoundingClientRect().bottom;
            }""",
            field,
        )
        assert gap >= -1, field
