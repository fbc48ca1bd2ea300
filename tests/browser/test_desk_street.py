"""On foot and on the phone: a round along one's own signals, and a resident who calls back.

Real Chromium, wide without JavaScript and at 360 x 640 with it.
"""

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy.orm import Session

from signals.app import make_worker
from signals.models import Signal
from signals.vocabulary import AuditAction
from tests.browser.desk import PHONE, SIZES, Site, Window
from tests.browser.desk_fixtures import OpenWindow, desk_in
from tests.support.chance import without_chance
from tests.support.desk_side import Desk
from tests.support.installations import Installation

pytestmark = [pytest.mark.browser, pytest.mark.slow]

DONE = "p.notice--done"
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
    assert "1012 AB" not in page.content()
    one.check_looks()
    left_out = site.signal(ids[first + 2]).reference
    one.press(page.get_by_text(left_out))
    one.press(page.get_by_role("button", name="Toon de ronde"))
    walked = [f"1012 AB {first + offset}" for offset in (1, 3, 4)]
    expect(page.locator(".stops__address")).to_have_text(walked)
    assert "1012" not in without_chance(page.url)
    assert not re.search("bezorger|postbode|pakket", page.locator("body").inner_text().lower())
    one.check_looks()
    _check_paper(one, walked, [site.signal(ids[first + offset]).reference for offset in (1, 3, 4)])
    printed = {entry.subject_id for entry in site.desk.entries(AuditAction.ROUND_PRINTED)}
    assert printed & set(ids.values()) == {ids[first + offset] for offset in (1, 3, 4)}

    one.press(page.get_by_role("link", name=walked[0]))
    one.press(page.locator(".tile").first)
    one.press(page.get_by_role("button", name="Geen gehoor"))
    expect(page.locator(DONE)).to_have_text("De poging is opgeslagen.")
    _check_paper(one, [walked[0]], [])
    assert len(site.signal(ids[first + 1]).attempts) == 1
    page.go_back()
    page.go_back()
    expect(page.locator(".stops__address")).to_have_text(walked)


def test_a_round_of_nothing_or_of_too_many_is_refused_and_keeps_the_choice(
    site: Site, window: OpenWindow
) -> None:
    for number in range(1, 14):
        signal_id = site.desk.arrive("9711AA", number)
        assert site.desk.call("gerda", "POST", f"/signals/{signal_id}/claim").status_code == 200
    gerda = window("gerda", size=PHONE)
    page = gerda.open("/desk/round")
    boxes = page.get_by_role("checkbox")
    expect(page.get_by_role("checkbox", checked=True)).to_have_count(12)
    boxes.last.check()
    gerda.press(page.get_by_role("button", name="Toon de ronde"))
    expect(page.get_by_role("alert")).to_have_text(re.compile("Kies minstens één signaal en hoogstens 12."))
    expect(page.get_by_role("checkbox", checked=True)).to_have_count(13)
    gerda.check_looks()
    assert "9711 AA" not in page.content()
    for box in boxes.all():
        box.uncheck()
    gerda.press(page.get_by_role("button", name="Toon de ronde"))
    expect(page.get_by_role("alert")).to_be_visible()
    assert "9711 AA" not in page.content()


@pytest.mark.parametrize("size", SIZES)
def test_a_restricted_signal_cannot_be_ticked_and_falls_out_of_a_round_that_was_begun(
    site: Site, window: OpenWindow, size: str
) -> None:
    # Of people with few signals: twelve at most are ticked, and of one day it is by chance which.
    who, number = ("anna", 95) if size == "desk" else ("bram", 91)
    ids = [site.desk.arrive(number=number + offset) for offset in range(2)]
    for signal_id in ids:
        assert site.desk.call(who, "POST", f"/signals/{signal_id}/claim").status_code == 200
    one = window(who, size=SIZES[size], options=OPTIONS[size])
    page = one.open("/desk/round?" + "&".join(f"ids={signal_id}" for signal_id in ids))
    expect(page.locator(".stops__address")).to_have_count(2)
    with Session(site.desk.engine) as session, session.begin():
        session.get_one(Signal, ids[1]).restricted_on = date(2026, 11, 24)
    page.reload()
    expect(page.locator(".stops__address")).to_have_count(1)
    expect(page.get_by_role("status")).to_contain_text("1 signaal is weggelaten")
    one.check_looks()
    page = one.open("/desk/round")
    kept = page.get_by_role("checkbox", name=site.signal(ids[1]).reference)
    expect(kept).to_be_disabled()
    expect(kept).not_to_be_checked()
    expect(page.get_by_role("checkbox", name=site.signal(ids[0]).reference)).to_be_checked()
    one.check_looks()


@pytest.mark.parametrize("size", SIZES)
def test_a_resident_who_calls_back_is_found_by_reference_and_by_address(
    site: Site, window: OpenWindow, size: str
) -> None:
    number = 81 if size == "desk" else 83
    signal_id = site.desk.arrive(number=number)
    reference = site.signal(signal_id).reference
    before = Counter(entry.ground for entry in site.desk.entries(AuditAction.SEARCHED))
    anna = window("anna", size=SIZES[size], options=OPTIONS[size])
    page = anna.open()
    _go_to(anna, "Zoeken")
    expect(page.get_by_role("heading", level=1)).to_have_text("Belt een bewoner terug?")
    anna.check_looks()
    page.fill("#by-reference-reference", f" {reference.lower()} ")
    page.press("#by-reference-reference", "Enter")
    expect(page.get_by_role("status")).to_contain_text("1 signaal gevonden")
    anna.check_looks()
    page.fill("#by-address-postcode", "1012 ab")
    anna.press(page.get_by_role("button", name="Zoek op adres"))
    expect(page.get_by_role("alert")).to_contain_text("Huisnummer")
    expect(page.locator("#by-address-postcode")).to_have_value("1012 ab")
    page.fill("#by-address-house_number", str(number))
    anna.press(page.get_by_role("button", name="Zoek op adres"))
    expect(page.get_by_role("status")).to_contain_text("1 signaal gevonden")
    there = page.url
    assert re.fullmatch(re.escape(site.url) + r"/desk/search\?found=[A-Za-z0-9_-]+", there)
    anna.check_looks()
    anna.press(page.get_by_role("link", name=reference))
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"1012 AB {number}")
    page.go_back()
    expect(page.get_by_role("status")).to_contain_text("1 signaal gevonden")
    assert page.url == there
    page.go_forward()
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"1012 AB {number}")
    grounds = Counter(entry.ground for entry in site.desk.entries(AuditAction.SEARCHED))
    assert grounds - before == {"reference": 2, "address": 2}  # that was searched, and what was found

    gerda = window("gerda", size=SIZES[size], options=OPTIONS[size])
    _search(gerda, reference)
    expect(gerda.page.get_by_role("status")).to_contain_text("0 signalen gevonden")


def test_the_page_explains_to_a_worker_that_the_open_signal_was_deleted_and_when(
    site: Site, window: OpenWindow
) -> None:
    signal_id = site.desk.arrive(number=91)
    reference = site.signal(signal_id).reference
    site.desk.clock.moment += timedelta(days=400)
    anna = window("anna")
    page = anna.open_signal(signal_id)
    page.locator("summary", has_text="Notitie toevoegen").click()
    page.fill("#notes-text", "Ik belde aan.")
    with closing(make_worker(site.desk.settings, clock=site.desk.clock)) as worker:
        assert worker.retain().total >= 1
    anna.press(page.get_by_role("button", name="Notitie opslaan"))
    expect(page.get_by_text("Dan is het verwijderd of overgedragen.")).to_be_visible()
    assert anna.axe() == []
    anna.press(page.get_by_role("link", name="Zoek op kenmerk"))
    _search(anna, reference, opened=True)
    expect(page.get_by_role("status")).to_contain_text(re.compile(r"Verwijderd op \w\w 29 dec 2027\."))
    expect(page.get_by_role("status")).to_contain_text("Wat opviel en het leesbare adres zijn weg")
    anna.open()
    expect(page.locator("#rows tr", has_text=reference)).to_have_count(0)


def _claim_from_the_queue(one: Window, reference: str) -> None:
    one.press(one.open().get_by_role("button", name=f"Oppakken {reference}"))
    expect(one.page.locator(DONE)).to_be_visible()


def _go_to(one: Window, part: str) -> None:
    """By the menu of parts, which a phone may show only when it is asked to."""
    link = one.page.get_by_role("link", name=part, exact=True)
    if not link.is_visible():
        one.press(one.page.get_by_text("Menu", exact=True))
    one.press(link)


def _search(one: Window, reference: str, *, opened: bool = False) -> None:
    page: Page = one.page if opened else one.open("/desk/search")
    page.fill("#by-reference-reference", reference)
    one.press(page.get_by_role("button", name="Zoek op kenmerk"))


def _check_paper(one: Window, addresses: list[str], references: list[str]) -> None:
    """What a printer would be given: addresses, references and the day, and nothing of what was noticed."""
    one.page.emulate_media(media="print")
    said = one.page.locator("body").inner_text()
    one.page.emulate_media(media="screen")
    for words in (*addresses, *references):
        assert words in said
    left = re.sub("|".join(map(re.escape, (*addresses, *references))), "", said)
    left = re.sub(r"Ronde van \w\w \d+ \w+ \d+|Adres:", "", left)
    assert left.split() == []
