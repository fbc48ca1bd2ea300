"""Test a round on foot along one's own signals.

Chromium is real: wide without JavaScript, and at 360 x 640 with it.
"""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from signals.vocabulary import AuditAction
from tests.browser.desk import DONE, SIZES, Site, Window
from tests.browser.desk_fixtures import OpenWindow, desk_in
from tests.support.chance import without_chance
from tests.support.desk_side import Desk
from tests.support.installations import Installation

pytestmark = [pytest.mark.browser, pytest.mark.slow]

OPTIONS = {"desk": {"java_script_enabled": False}, "phone": {"java_script_enabled": True}}
"""The phone scripted and the desk not: together they show that neither needs the other."""


@pytest.fixture(scope="module")
def desk(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """One for the module: these tests tell their signals apart."""
    with desk_in(tmp_path_factory.mktemp("street"), installation) as made:
        yield made


@pytest.mark.parametrize("size", SIZES)
def test_a_round_is_made_of_what_was_claimed_and_walked_and_noted_at_each_door(
    site: Site, window: OpenWindow, size: str
) -> None:
    who, first = ("anna", 10) if size == "desk" else ("bram", 60)
    numbers = [first + offset for offset in (4, 1, 2, 3)]
    ids = {number: site.desk.arrive(number=number, concern_types=["frail"]) for number in numbers}
    one = window(who, size=SIZES[size], options=OPTIONS[size])
    for signal_id in ids.values():
        _claim_from_the_queue(one, site.signal(signal_id).reference)
    page = one.open()
    _go_to(one, "Ronde te voet")
    expect(page.get_by_role("checkbox", checked=True)).to_have_count(4)
    one.check_looks()
    one.press(page.get_by_text(f"1012 AB {first + 2}", exact=True))
    one.press(page.get_by_role("button", name="Toon de ronde"))
    walked = [f"1012 AB {first + offset}" for offset in (1, 3, 4)]
    expect(page.locator(".stops__address")).to_have_text(walked)
    assert "1012" not in without_chance(page.url)
    assert not re.search("bezorger|postbode|pakket", page.locator("body").inner_text().lower())
    one.check_looks()
    _check_paper(one, walked, [site.signal(ids[first + offset]).reference for offset in (1, 3, 4)])
    printed = {entry.subject_id for entry in site.desk.entries(AuditAction.ROUND_PRINTED)}
    assert printed >= set(ids.values())  # the page to choose from shows all addresses

    one.press(page.get_by_role("link", name=walked[0]))
    one.press(page.locator(".tile").first)
    one.press(page.get_by_role("button", name="Geen gehoor"))
    expect(page.locator(DONE)).to_have_text("De poging is opgeslagen.")
    _check_paper(one, [walked[0]], [])
    assert len(site.signal(ids[first + 1]).attempts) == 1
    page.go_back()
    page.go_back()
    expect(page.locator(".stops__address")).to_have_text(walked)


def _claim_from_the_queue(one: Window, reference: str) -> None:
    one.press(one.open().get_by_role("button", name=f"Oppakken {reference}"))
    expect(one.page.locator(DONE)).to_be_visible()


def _go_to(one: Window, part: str) -> None:
    """Open a part by the menu, which a phone shows at a press only."""
    link = one.page.get_by_role("link", name=part, exact=True)
    if not link.is_visible():
        one.press(one.page.get_by_text("Menu", exact=True))
    one.press(link)


def _check_paper(one: Window, addresses: list[str], references: list[str]) -> None:
    """Check that paper shows addresses, references and the day, and nothing of a concern."""
    one.page.emulate_media(media="print")
    said = one.page.locator("body").inner_text()
    one.page.emulate_media(media="screen")
    for words in (*addresses, *references):
        assert words in said
    left = re.sub("|".join(map(re.escape, (*addresses, *references))), "", said)
    left = re.sub(r"Ronde van \w\w \d+ \w+ \d+|Adres:", "", left)
    assert left.split() == []
