"""The queue with htmx and single keys on real Chromium: nothing moves under a cursor, nothing is lost."""

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.desk import PHONE, Site, Window
from tests.browser.desk_fixtures import OpenWindow
from tests.support.desk_side import Desk

pytestmark = [pytest.mark.browser, pytest.mark.slow]

A_MINUTE = 61_000


@pytest.fixture
def three(desk: Desk) -> list[str]:
    """The ids of three new signals."""
    return [str(desk.arrive(number=number, concern_types=["not_seen"])) for number in (1, 2, 3)]


def test_a_filter_changes_the_list_at_once_and_the_address_with_it(
    window: OpenWindow, three: list[str]
) -> None:
    anna = window("anna")
    anna.open(f"/desk/signals/{three[0]}")
    anna.press(anna.page.get_by_role("button", name="Dit signaal oppakken"))
    page = anna.open()
    loads = _whole_pages(page)
    page.get_by_label("Alleen van mij").check()
    expect(page.locator(".entry")).to_have_count(1)
    expect(page.locator("#told")).to_have_text("1 signaal in de lijst")
    assert "mine=1" in urlsplit(page.url).query
    expect(page.get_by_label("Alleen van mij")).to_be_focused()
    page.select_option("#state", "new")
    expect(page.get_by_role("heading", name="Geen signalen")).to_be_visible()
    assert loads == []
    page.go_back()
    expect(page.locator(".entry")).to_have_count(1)


def test_more_is_added_below_and_the_first_of_it_has_the_focus(
    window: OpenWindow, three: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signals.web.desk.queue_page.PAGE_SIZE", 2)
    page = window("anna").open()
    first = page.locator(".entry__reference").first.inner_text()
    page.get_by_role("link", name="Meer tonen").click()
    expect(page.locator(".entry")).to_have_count(3)
    expect(page.locator(".entry__open").nth(2)).to_be_focused()
    expect(page.locator(".entry__reference").first).to_have_text(first)
    expect(page.get_by_role("heading", level=2, name="Vandaag")).to_have_count(1)
    expect(page.locator("#told")).to_have_text("1 signaal erbij")
    expect(page.get_by_role("link", name="Meer tonen")).to_have_count(0)


def test_new_signals_are_announced_and_never_put_under_the_cursor(
    site: Site, window: OpenWindow, three: list[str]
) -> None:
    anna = window("anna")
    page = _with_a_clock(anna)
    page.locator(".entry__open").nth(1).focus()
    before = page.locator("#rows").inner_html()
    site.desk.arrive(number=21)
    site.desk.arrive(number=22)
    page.clock.fast_forward(A_MINUTE)
    news = page.get_by_role("status").filter(has_text="nieuwe signalen")
    expect(news).to_have_text(re.compile(r"^\s*2 nieuwe signalen, tonen\s*$"))
    assert page.locator("#rows").inner_html() == before
    expect(page.locator(".entry__open").nth(1)).to_be_focused()
    page.get_by_role("link", name="tonen", exact=True).click()
    expect(page.locator(".entry")).to_have_count(5)
    expect(page.get_by_text("nieuwe signalen, tonen")).to_have_count(0)


def test_the_queue_announces_a_new_signal_once(site: Site, window: OpenWindow, three: list[str]) -> None:
    page = _with_a_clock(window("anna"))
    site.desk.arrive(number=21)
    page.clock.fast_forward(A_MINUTE)
    expect(page.locator("#news")).to_contain_text("1 nieuw signaal")
    page.evaluate("document.querySelector('#news p').dataset.first = 'yes'")
    with page.expect_response(lambda answer: "/desk/news" in answer.url) as polled:
        page.clock.fast_forward(A_MINUTE)
    assert polled.value.status == 204
    assert page.locator("#news p").get_attribute("data-first") == "yes"


def test_a_list_that_cannot_be_refreshed_says_so_and_says_when_it_can_again(
    window: OpenWindow, three: list[str]
) -> None:
    anna = window("anna")
    page = _with_a_clock(anna)
    anna.context.set_offline(True)
    page.clock.fast_forward(A_MINUTE)
    expect(page.get_by_role("alert")).to_contain_text("Geen verbinding.")
    anna.context.set_offline(False)
    page.clock.fast_forward(A_MINUTE)
    expect(page.get_by_role("alert")).to_have_count(0)
    anna.complaints.clear()  # htmx logs the request that failed


def test_the_whole_queue_is_worked_with_the_keyboard_alone(window: OpenWindow, three: list[str]) -> None:
    page = window("anna").open()
    rows = page.locator(".entry__open")
    page.keyboard.press("j")
    expect(rows.nth(0)).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(rows.nth(2)).to_be_focused()
    page.keyboard.press("k")
    expect(rows.nth(1)).to_be_focused()
    reference = page.locator(".entry__reference").nth(1).inner_text()
    page.keyboard.press("c")
    expect(page.locator("p.notice--done")).to_have_text("U hebt dit signaal opgepakt.")
    expect(page.locator(".signal__facts")).to_contain_text(reference)
    page.go_back()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator(".signal__address")).to_be_visible()


def test_a_signal_is_followed_up_with_the_keyboard_alone(
    site: Site, window: OpenWindow, three: list[str]
) -> None:
    page = window("anna").open(f"/desk/signals/{three[0]}")
    _tab_to(page, "Dit signaal oppakken")
    page.keyboard.press("Enter")
    expect(page.locator("p.notice--done")).to_be_visible()
    _tab_to(page, "visit")
    page.keyboard.press("Space")
    _tab_to(page, "Geen gehoor")
    page.keyboard.press("Enter")
    expect(page.locator("p.notice--done")).to_have_text("De poging is opgeslagen.")


def test_the_list_of_keys_opens_with_a_key_and_with_a_button_and_gives_the_focus_back(
    window: OpenWindow, three: list[str]
) -> None:
    page = window("anna").open()
    page.keyboard.press("j")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Toetsen in de wachtrij")).to_be_visible()
    page.keyboard.press("c")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator(".entry__open").first).to_be_focused()
    page.get_by_role("button", name="Toetsen").click()
    page.get_by_role("button", name="Sluiten").click()
    expect(page.get_by_role("button", name="Toetsen")).to_be_focused()


def test_single_keys_can_be_switched_off_and_stay_off(window: OpenWindow, three: list[str]) -> None:
    page = window("anna").open()
    page.get_by_role("button", name="Toetsen").click()
    page.get_by_label("Deze toetsen gebruiken").uncheck()
    page.get_by_role("button", name="Sluiten").click()
    page.reload()
    for key in ("j", "?", "c"):
        page.keyboard.press(key)
    assert page.evaluate("document.activeElement === document.body")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_keys_do_nothing_while_somebody_types_or_holds_a_modifier(
    window: OpenWindow, three: list[str]
) -> None:
    page = window("anna").open()
    page.locator("#state").focus()
    page.keyboard.press("j")
    page.keyboard.press("?")
    expect(page.locator("#state")).to_be_focused()
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.locator(".entry__open").first.focus()
    page.keyboard.press("Control+j")
    expect(page.locator(".entry__open").first).to_be_focused()


def test_nothing_of_the_queue_is_kept_in_the_browser(window: OpenWindow, three: list[str]) -> None:
    page = window("anna").open()
    page.get_by_label("Alleen van mij").check()
    expect(page.locator(".entry")).to_have_count(0)
    assert page.evaluate("Object.keys(localStorage)") == []
    kept = page.evaluate("Object.values(sessionStorage).join()")
    assert "Kenmerk" not in kept
    assert not re.search(r"[0-9A-Z]{4}-[0-9A-Z]{4}", kept)


def test_a_phone_is_shown_no_keys(site: Site, window: OpenWindow) -> None:
    site.desk.arrive()
    page = window("anna", size=PHONE).open()
    expect(page.locator("#keys-open")).to_be_hidden()
    expect(page.locator(".entry")).not_to_have_count(0)


def _with_a_clock(one: Window) -> Page:
    """The queue, with a clock in the page that a test can move on."""
    one.page.clock.install()
    return one.open()


def _whole_pages(page: Page) -> list[str]:
    """Fills itself with the addresses of whole pages that are loaded from now on."""
    loads: list[str] = []
    page.on("request", lambda asked: loads.append(asked.url) if asked.is_navigation_request() else None)
    return loads


def _tab_to(page: Page, words: str) -> None:
    """Press Tab until what has the focus says or is worth these words."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if words in str(
            page.evaluate("(document.activeElement.value || '') + document.activeElement.innerText")
        ):
            return
    raise AssertionError(words)
