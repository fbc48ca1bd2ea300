"""Test access and weight: axe and contrast in every state, room for fingers, bytes of the first load."""

import sys
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from signals.vocabulary import AUTONYMS
from tests.browser.carrier import MakePhone, Phone, Service, name_receivers, wait_until
from tests.browser.faults import Fault
from tests.browser.measures import ONLY_WRONG, in_both_themes

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LANGUAGES = ("nl", "ar")
LONGEST_NAME = "Stichting Maatschappelijke Dienstverlening ".ljust(120, "w")
TOTAL_BYTES, PAGE_BYTES, REQUESTS = 30 * 1024, 6 * 1024, 9
SLOW_3G = {"offline": False, "latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 50_000}
"""400 ms and 400 kbit/s, WebPageTest's "3G Slow"."""
PAINT_SECONDS = 1.5
NOTHING_OVER = """(part) => {
  const wanted = document.querySelector(part);
  const { left, right, top, bottom } = wanted.getBoundingClientRect();
  return [[left + 8, top + 2], [right - 8, top + 2], [left + 8, bottom - 2], [right - 8, bottom - 2]]
    .every(([x, y]) => wanted.contains(document.elementFromPoint(x, y)));
}"""


@pytest.mark.parametrize("language", [*LANGUAGES, "uk"])
def test_in_any_state_axe_finds_nothing_each_press_has_48_pixels_and_no_other_host_is_asked(
    make_phone: MakePhone, service: Service, language: str
) -> None:
    phone = make_phone(language=language)
    for name in _states(phone, service):
        assert _too_small(phone.page) == [], name
        if language in LANGUAGES:
            _refuse_to_find_anything(phone.page, name)
    assert {url.split("/")[2] for url in phone.asked} == {f"127.0.0.1:{service.proxy.port}"}


def _refuse_to_find_anything(page: Page, name: str) -> None:
    for theme, found in in_both_themes(page, {"color-contrast-enhanced": {"enabled": True}}):
        assert found.response["violations"] == [], (name, theme, found.generate_report())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", ["/gezien", "/privacy", "/toegankelijkheid"])
def test_axe_finds_nothing_on_a_statement_that_the_form_links_to(
    make_phone: MakePhone, path: str, language: str
) -> None:
    phone = make_phone(language=language)
    page = phone.open_for_offline("/")
    page.locator(f"footer a[href^='{path}']").tap()
    expect(page.locator("h1")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    found = Axe().run(page, options=ONLY_WRONG | {"rules": {"color-contrast-enhanced": {"enabled": True}}})
    assert found.response["violations"] == [], found.generate_report()


def _states(phone: Phone, service: Service) -> Any:
    """Brings the page into each of its states and gives the name of it."""
    page = phone.open_for_offline("/m#pc=1012AB&hn=41")
    expect(page.locator("#to")).to_be_visible()
    page.locator(".tile").first.tap()
    yield "filled"
    page.locator("#safety summary").tap()
    yield "safety"
    page.locator("#safety summary").tap()
    page.locator("details:not(#safety) summary").tap()
    yield "more"
    page.fill("#postcode", "1")
    phone.press_send()
    expect(page.locator("#postcode-error")).to_be_visible()
    yield "mistake"
    page.fill("#postcode", "1O12AB")
    page.locator("#house_number").tap()
    yield "read as"
    phone.press_send()
    expect(page.locator("#answer .receipt")).to_be_visible()
    page.locator("#answer [data-keep]").tap()
    expect(page.locator("#answer [data-keep]")).to_be_disabled()
    yield "sent"
    page.locator("[data-another]").tap()
    service.proxy.plan(Fault.PORTAL)
    phone.fill("1012AB", "42")
    phone.press_send()
    expect(page.locator("#answer [data-why]")).to_be_visible()
    yield "saved"
    phone.offline()
    page.reload()
    expect(page.locator("#waiting")).to_be_visible()
    yield "waiting without reception"
    phone.offline(False)
    expect(page.locator("[data-sent]")).to_be_visible()
    yield "sent meanwhile"
    phone.open_list()
    yield "list of what was sent"
    phone.open("/voortgang")
    page.locator("[data-look]").tap()
    expect(page.locator("#kept [data-state]")).not_to_be_empty()
    yield "progress"


def test_the_send_button_is_in_view_once_the_address_is_filled(phone: Phone) -> None:
    page = phone.open("/m#pc=1012AB&hn=43")
    expect(page.locator("#to")).to_be_visible()
    assert page.evaluate("scrollY") == 0
    expect(page.locator(".send .button")).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize("language", AUTONYMS)
def test_a_name_of_any_length_covers_neither_the_calls_nor_the_button(
    make_phone: MakePhone, language: str
) -> None:
    phone = make_phone(language=language, options={"service_workers": "block"})
    name_receivers(phone.page, name=LONGEST_NAME)
    page = phone.open("/m#pc=1012AB&hn=45")
    expect(page.locator("#to")).to_contain_text(LONGEST_NAME)
    for part in ("#safety summary", ".send .button"):
        expect(page.locator(part)).to_be_in_viewport(ratio=1)
        assert page.evaluate(NOTHING_OVER, part), part
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def _too_small(page: Page) -> list[str]:
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll(
            'a, button, summary, label.tile, label.choice, input, textarea')]
          .filter((one) => one.checkVisibility() && !one.matches('[type=hidden], .tile *, .choice *'))
          .filter((one) => {
            const box = one.getBoundingClientRect();
            return box.width < 48 || box.height < 48;
          })
          .map((one) => one.outerHTML.slice(0, 80))"""
    )
    return found


def test_the_first_load_with_all_offline_parts_and_headers_fits(
    phone: Phone, service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    phone.open_for_offline()
    passed = service.proxy.passed
    del passed[: [path for path, *_ in passed].index("/")]  # late requests of the phone before
    whole = sum(size for _, size, _ in passed)
    bodies = sum(size for _, _, size in service.proxy.passed)
    _, page, page_body = service.proxy.passed[0]
    to_use = sum(size for _, size, _ in _to_use(service))
    requests = len(service.proxy.passed)
    _say(
        capsys,
        f"first load, compressed, with headers: page {page} B ({page_body} B without); "
        f"what is needed to use it {to_use} B; "
        f"with all offline parts {whole} B ({bodies} B without headers, {requests} requests)",
    )
    assert page <= PAGE_BYTES
    assert whole <= TOTAL_BYTES
    assert requests <= REQUESTS


def test_by_its_bytes_and_exchanges_the_page_paints_in_time_on_slow_3g(
    phone: Phone, service: Service
) -> None:
    """Reckoned, for a clock on a busy machine tells nothing: each exchange waits for the one before."""
    page = phone.open()
    blocking = page.evaluate(
        "performance.getEntriesByType('resource').filter((one) => one.renderBlockingStatus === 'blocking')"
        ".map((one) => new URL(one.name).pathname)"
    )
    assert blocking == ["/static/bundles/page.css"]
    sizes = {path.partition("?")[0]: size for path, size, _ in service.proxy.passed}
    before_paint = sizes["/"] + sizes["/static/bundles/page.css"]
    seconds = 2 * SLOW_3G["latency"] / 1000 + before_paint / SLOW_3G["downloadThroughput"]
    assert seconds < PAINT_SECONDS


def test_from_the_second_time_on_opening_asks_the_network_for_nothing_that_is_shown(
    phone: Phone, service: Service
) -> None:
    """The half second then depends on the phone alone."""
    phone.open_for_offline()
    service.proxy.seen_paths.clear()
    phone.close_tab()
    expect(phone.open().locator(".send .button")).to_be_visible()
    assert not set(service.proxy.seen_paths) - {"/sw.js", "/manifest.webmanifest"}


def test_on_a_desktop_it_is_the_same_form_without_a_violation(make_phone: MakePhone) -> None:
    wide = {"viewport": {"width": 1280, "height": 800}, "has_touch": False, "is_mobile": False}
    phone = make_phone(options=wide)
    page = phone.open("/m#pc=1012AB&hn=44")
    expect(page.locator("#to")).to_be_visible()
    expect(page.locator(".send .button")).to_be_in_viewport(ratio=1)
    assert Axe().run(page).response["violations"] == []
    page.locator(".send .button").click()
    phone.expect_sent()


def _to_use(service: Service) -> list[tuple[str, int, int]]:
    """Return the paths that a first visit asks before the service worker begins."""
    paths = [path for path, _, _ in service.proxy.passed]
    return service.proxy.passed[: paths.index("/sw.js")]


def test_painting_on_a_slow_network_and_again_without_one(
    phone: Phone, capsys: pytest.CaptureFixture[str]
) -> None:
    phone.context.request.get(phone.service.url)  # the server's own first page compiles templates
    tab = phone.context.new_page()
    session = phone.context.new_cdp_session(tab)
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    session.send("Network.emulateNetworkConditions", SLOW_3G)
    tab.goto(phone.service.url)
    slow = _first_paint(tab)
    tab.evaluate(
        "navigator.serviceWorker.ready.then(() => true)"
    )  # a page that opens meanwhile has no worker yet
    tab.close()
    phone.open_for_offline()
    phone.offline()
    phone.close_tab()
    phone.open()
    offline = _first_paint(phone.page)
    _say(capsys, f"first contentful paint: {slow:.0f} ms on slow 3G, {offline:.0f} ms without network")
    assert slow > 0
    assert offline > 0


def _say(capsys: pytest.CaptureFixture[str], words: str) -> None:
    with capsys.disabled():
        sys.stdout.write(f"\n{words}\n")


def _first_paint(page: Page) -> float:
    wait_until(page, "performance.getEntriesByName('first-contentful-paint').length > 0")
    paint: float = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    return paint
