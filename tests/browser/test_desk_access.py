"""Every page of the desk for everybody: axe, a narrow screen, a thumb, forced colours and no motion."""

import re
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from playwright.sync_api import expect

from signals.vocabulary import Role
from tests.browser.desk import PHONE, SIZES, Site, Window
from tests.browser.desk_fixtures import OpenWindow
from tests.browser.measures import NARROW, THUMB

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PEOPLE = {
    "anna": Role.WORKER,
    "lena": Role.LEAD,
    "fleur": Role.PRIVACY_OFFICER,
    "bea": Role.ADMINISTRATOR,
    "coen": Role.COORDINATOR,
}

SHOWN_TO = {"/desk/account": Role.LEAD, "/figures": Role.COORDINATOR}
"""Pages that all roles share, and the role that sees the most of them."""

AT_200 = {"width": 640, "height": 400}
"""What a window of 1280 x 800 has at 200%."""
PHONE_AT_200 = {"width": 180, "height": 320}
NARROWS = (AT_200, NARROW, PHONE_AT_200)


Check = Callable[[Window], list[str]]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("who", PEOPLE)
def test_axe_finds_nothing_on_any_page(site: Site, window: OpenWindow, who: str, size: str) -> None:
    one = window(who, size=SIZES[size])
    assert _wrong_on(one, _pages_of(site, PEOPLE[who]), Window.axe) == {}


@pytest.mark.parametrize("who", PEOPLE)
def test_every_page_flows_into_a_narrow_window(site: Site, window: OpenWindow, who: str) -> None:
    one = window(who)
    assert _wrong_on(one, _pages_of(site, PEOPLE[who]), _too_wide) == {}


def test_axe_finds_nothing_on_any_state_of_a_signal_and_each_flows_into_a_narrow_window(
    site: Site, window: OpenWindow
) -> None:
    anna = window("anna")
    wrong = {name: [*anna.axe(), *_too_wide(anna)] for name in _states(site, anna)}
    assert {name: found for name, found in wrong.items() if found} == {}


def test_at_the_door_axe_finds_nothing_either_and_everything_to_press_fits_a_thumb(
    site: Site, window: OpenWindow
) -> None:
    anna = window("anna", size=PHONE)
    wrong = {name: [*_too_small(anna), *anna.axe()] for name in _states(site, anna)}
    assert {name: found for name, found in wrong.items() if found} == {}


def test_nothing_of_the_queue_is_lost_at_320_pixels(site: Site, window: OpenWindow) -> None:
    site.desk.arrive(concern_types=["frail"])
    page = window("anna", size=NARROW).open()
    row = page.locator(".entry").first
    expect(row).to_contain_text("Gaat lichamelijk achteruit")
    expect(row).to_contain_text(re.compile(r"Oppakken: \w+ \d+ \w+.*Nog niemand", re.DOTALL))
    claim = row.get_by_role("button", name="Oppakken")
    claim.scroll_into_view_if_needed()
    expect(claim).to_be_in_viewport(ratio=1)


def test_no_row_of_the_queue_runs_into_the_next_on_a_phone(site: Site, window: OpenWindow) -> None:
    for number in (1, 2):
        site.desk.arrive(number=number, concern_types=["frail", "confused", "not_seen"])
    page = window("anna", size=PHONE).open()
    overflowing = page.locator(".entry, .entry__next").evaluate_all(
        "(all) => all.filter((one) => one.scrollHeight > one.clientHeight + 1).map((one) => one.innerText)"
    )
    assert overflowing == []


def test_in_forced_colours_choice_state_and_focus_are_still_seen(
    site: Site, window: OpenWindow, signal_id: UUID
) -> None:
    anna = window("anna", options={"forced_colors": "active"})
    page = anna.open_signal(signal_id)
    page.get_by_role("button", name="Dit signaal oppakken").click()
    page.locator(".tile").first.click()
    assert _style(anna, ".tile:has(:checked)", "outlineStyle") == "solid"
    assert _style(anna, ".state", "borderTopStyle") == "solid"
    page.keyboard.press("Tab")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    assert anna.axe() == []


def test_nothing_moves_for_who_asked_for_no_motion(site: Site, window: OpenWindow, signal_id: UUID) -> None:
    anna = window("anna", options={"reduced_motion": "reduce"})
    for path in ("/desk", f"/desk/signals/{signal_id}"):
        anna.open(path)
        moving = anna.page.evaluate(
            """() => [...document.querySelectorAll("*")].filter((one) => {
              const style = getComputedStyle(one);
              return style.animationName !== "none" || parseFloat(style.transitionDuration) > 0;
            }).map((one) => one.outerHTML.slice(0, 80))"""
        )
        assert moving == []


def _pages_of(site: Site, role: Role) -> list[str]:
    """Every page that this role may open and that needs nothing more to be named, once for all roles."""
    views = site.desk.app.view_functions
    return sorted(
        rule.rule
        for rule in site.desk.app.url_map.iter_rules()
        if rule.rule.startswith(("/desk", "/admin", "/figures"))
        and "GET" in (rule.methods or ())
        and not rule.arguments
        and role in getattr(getattr(views[rule.endpoint], "authentication", None), "roles", ())
        and not any(rule.rule.startswith(part) and role is not one for part, one in SHOWN_TO.items())
    )


def _wrong_on(one: Window, paths: list[str], check: Check) -> dict[str, list[str]]:
    assert paths
    wrong: dict[str, list[str]] = {}
    for path in paths:
        answer = one.context.request.get(one.site.url + path)
        if not answer.headers.get("content-type", "").startswith("text/html"):
            continue  # PDF, JSON or a file
        one.open(path)
        found = check(one)
        if found:
            wrong[path] = found
    return wrong


def _states(site: Site, anna: Window) -> Iterator[str]:
    """Bring Anna's window into each state of her work with a signal, and give the state's name."""
    page = anna.page
    yield from _empty(anna)
    first, second = (site.desk.arrive(number=12, concern_types=["frail", "confused"]) for _ in range(2))
    anna.open()
    yield "queue"
    anna.open_signal(second)
    yield "new, with an earlier one at the address"
    page.get_by_role("button", name="Dit signaal oppakken").click()
    expect(page.locator("p.notice--done")).to_be_visible()
    _open_all(anna)
    yield "claimed, everything open"
    page.get_by_role("button", name="Later afgesproken").click()
    expect(page.get_by_role("alert")).to_be_visible()
    yield "a field is missing"
    page.locator(".tile").first.click()
    page.get_by_role("button", name="Contact gehad").click()
    expect(page.locator("p.notice--done")).to_be_visible()
    _open_all(anna)
    yield "contact made, everything open"
    anna.context.request.get(f"{site.url}/desk/signals/{second}/notice.pdf")
    anna.open_signal(second)
    yield "the letter is printed"
    page.locator(".tile", has_text="Hulp aanvaard").click()
    yield "an outcome chosen"
    anna.ended("Hulp aanvaard", "Aan de deur")
    _open_all(anna)
    yield "concluded"
    anna.open(f"/desk/signals/{first}/refer")
    yield "hand over to another organisation"
    page.get_by_role("radio").first.check()
    page.select_option("#refer-reason", "moved")
    page.get_by_role("button", name="Verder").click()
    expect(page.get_by_role("button", name="Ja, draag het over")).to_be_visible()
    yield "is this the right organisation"
    page.get_by_role("button", name="Ja, draag het over").click()
    expect(page.get_by_role("button", name="Neem het signaal terug")).to_be_visible()
    yield "handed over"
    page.get_by_role("button", name="Neem het signaal terug").click()
    expect(page.locator("#timeline + ol")).to_contain_text("Teruggenomen")
    yield from _without_a_session(anna, first)


def _empty(anna: Window) -> Iterator[str]:
    anna.open()
    yield "empty queue"
    anna.open("/desk?mine=1")
    yield "nothing fits"
    anna.open(f"/desk/signals/{UUID(int=1)}")
    yield "no such signal"


def _without_a_session(anna: Window, signal_id: UUID) -> Iterator[str]:
    anna.open_signal(signal_id)
    anna.page.locator("summary", has_text="Notitie toevoegen").click()
    anna.page.fill("#notes-text", "Wat ik typte")
    anna.context.clear_cookies()
    anna.page.get_by_role("button", name="Notitie opslaan").click()
    expect(anna.page.get_by_role("heading", level=1)).to_have_text("Aanmelden")
    yield "sign in, with what was typed"
    anna.page.get_by_role("button", name="Aanmelden", exact=True).click()
    expect(anna.page.get_by_role("alert")).to_be_visible()
    yield "sign in, refused"
    anna.sign_in("anna")
    expect(anna.page.get_by_role("heading", level=1)).to_have_text("Wat u typte is bewaard")
    yield "send again"


def _open_all(one: Window) -> None:
    one.page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true; })")


def _too_wide(one: Window) -> list[str]:
    """Return what people must scroll sideways for in any of the narrow windows."""
    found = []
    for size in NARROWS:
        one.page.set_viewport_size(size)  # type: ignore[arg-type]
        found += one.wider_than_the_screen()
    one.page.set_viewport_size(one.size)  # type: ignore[arg-type]
    return found


def _too_small(one: Window) -> list[str]:
    """Return controls under 48 pixels high or wide, except links within a sentence (WCAG 2.5.8, inline)."""
    found: list[str] = one.page.evaluate(
        """(least) => [...document.querySelectorAll(
            "button, summary, .tile, label.choice, select, textarea, input, nav a, a.button, " +
            ".back a, .earlier li a")]
          .filter((one) => one.checkVisibility() && !one.matches("[type=hidden], .tile *, .choice *"))
          .filter((one) => {
            const box = one.getBoundingClientRect();
            return box.width && (box.width < least || box.height < least - 0.5);
          })
          .map((one) => `${Math.round(one.getBoundingClientRect().height)} ${one.outerHTML.slice(0, 90)}`)""",
        THUMB,
    )
    return found


def _style(one: Window, selector: str, name: str) -> Any:
    return one.page.locator(selector).first.evaluate("(one, name) => getComputedStyle(one)[name]", name)


def test_the_page_focuses_errors_and_results_so_that_a_screen_reader_reads_them_out(
    site: Site, window: OpenWindow
) -> None:
    """A live region that came with the page is read out by no screen reader: what has the focus is."""
    anna = window()
    page = anna.open("/desk/sign-in")
    page.press("#sign-in-email", "Enter")
    expect(page.get_by_role("alert")).to_be_focused()
    anna.sign_in("anna")
    anna.claim(site.desk.arrive())
    expect(page.locator("p.notice--done")).to_be_focused()
    anna.press(page.get_by_role("button", name="Later afgesproken"))
    expect(page.get_by_role("alert")).to_be_focused()
    anna.press(page.get_by_role("alert").get_by_role("link").first)
    expect(page.locator("#contact-attempts-postponed_until")).to_be_focused()
