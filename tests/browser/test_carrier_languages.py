"""The carrier changes the language of the form, and what goes along."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.carrier import KEPT_IN_THE_BROWSER, PREFILLED, MakePhone, Phone, Service
from tests.support.chance import without_chance

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_a_language_that_is_not_on_the_phone_yet_is_said_and_what_was_chosen_stays(phone: Phone) -> None:
    page = phone.open_for_offline()
    page.locator(".tile").first.tap()
    phone.fill()
    phone.offline()
    page.locator("nav a[hreflang=pl]").tap()
    expect(page.locator("[data-said]")).to_have_text("Polski: deze taal komt zodra er bereik is.")
    expect(page.locator("html")).to_have_attribute("lang", "nl")
    expect(page.locator(".tile input").first).to_be_checked()
    phone.offline(False)
    page.reload()
    expect(page.locator("html")).to_have_attribute("lang", "pl")
    expect(page.locator("[data-said]")).to_be_hidden()


def test_the_language_switch_takes_along_what_was_typed_and_holds_without_reception(phone: Phone) -> None:
    page = phone.open_for_offline()
    phone.fill("1012AB", "12", "A")
    page.locator("nav a[hreflang=pl]").tap()
    expect(page.locator("html")).to_have_attribute("lang", "pl")
    expect(page.locator("#postcode")).to_have_value("1012 AB")
    assert "1012" not in without_chance(page.url)
    phone.offline()
    phone.open("/")
    expect(page.locator("html")).to_have_attribute("lang", "pl")


def test_the_language_switch_takes_along_what_was_chosen_and_leaves_it_nowhere(
    phone: Phone, service: Service
) -> None:
    page = phone.open("/")
    been: list[str] = []
    page.on("framenavigated", lambda frame: been.append(frame.url))
    day = _choose_a_lot(phone)
    page.locator("nav a[hreflang=pl]").tap()
    expect(page.locator("html")).to_have_attribute("lang", "pl")
    expect(page.locator("#postcode")).to_have_value("1012 AB")
    expect(page.locator("#house_number_addition")).to_have_value("C")
    expect(page.get_by_label("Wielokrotnie")).to_be_checked()
    expect(page.locator("#noticed_on")).to_have_value(day)
    expect(page.locator("#note")).to_have_value("Tuin & post, 100% vol.")
    assert _chosen(phone) == [1, 4]
    assert been == [page.url] == [f"{service.url}/?lang=pl"]
    assert page.evaluate("location.hash") == ""
    assert page.evaluate(KEPT_IN_THE_BROWSER) == 0
    heard = " ".join([*service.proxy.seen_paths, *phone.asked])
    assert not [word for word in ("1012", "Tuin", day, "not_seen", "repeatedly") if word in heard]
    phone.close_tab()
    phone.open("/?lang=pl")
    _expect_nothing_noticed(phone)


def test_a_link_fills_in_an_address_and_nothing_of_what_was_noticed(phone: Phone) -> None:
    page = phone.page
    names = (
        "note=Tuin&concern_types=frail&seen=repeatedly&noticed_on=2026-11-26&postcode=9711AA&to=nl&carried=x"
    )
    for given, postcode in ((f"pc=1012AB&hn=12&{names}", "1012AB"), (names, "")):
        page.goto("about:blank")
        phone.open(f"/m#{given}")
        expect(page.locator("#postcode")).to_have_value(postcode)
        _expect_nothing_noticed(phone)
    page.evaluate(f"location.hash = '#pc=9711AA&hn=3&{names}'")
    expect(page.locator("#postcode")).to_have_value("9711AA")
    _expect_nothing_noticed(phone)


def test_back_from_a_switch_that_did_not_come_about_nothing_is_left(phone: Phone) -> None:
    page = _switch_in_vain(phone)
    page.evaluate("() => { dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true })); }")
    assert page.evaluate(KEPT_IN_THE_BROWSER) == 0
    assert _chosen(phone) == [1, 4]


def test_a_browser_that_refuses_to_keep_anything_switches_the_language_to_an_empty_form(phone: Phone) -> None:
    phone.context.add_init_script(
        "Object.defineProperty(window, 'sessionStorage',"
        " { get() { throw new DOMException('refused', 'SecurityError'); } })"
    )
    page = phone.open("/")
    _choose_a_lot(phone)
    page.locator("nav a[hreflang=pl]").tap()
    expect(page.locator("html")).to_have_attribute("lang", "pl")
    expect(page.locator("#postcode")).to_have_value("")
    assert "#" not in page.url
    phone.fill()
    phone.press_send()
    expect(page.locator("#answer h1")).to_contain_text("Voorbeeld Welzijn Amsterdam")
    assert phone.complaints == []


def _switch_in_vain(phone: Phone) -> Page:
    """Choose another language whose page never comes."""
    page = phone.open("/")
    _choose_a_lot(phone)
    page.evaluate("() => { document.onclick = (event) => !event.target.closest('nav a'); }")
    page.locator("nav a[hreflang=pl]").tap()
    phone.until("sessionStorage.length === 1")
    return page


def _choose_a_lot(phone: Phone) -> str:
    """An address, two tiles, how often, a day (given back) and a note."""
    page = phone.page
    phone.fill("1012AB", "12", "C")
    for tile in (1, 4):
        page.locator(".tile").nth(tile).tap()
    page.get_by_text("Meer vertellen?").tap()
    page.get_by_label("Vaker").tap()
    day = page.get_attribute("#noticed_on", "min") or ""
    page.fill("#noticed_on", day)
    page.fill("#note", "Tuin & post, 100% vol.")
    return day


def _chosen(phone: Phone) -> list[int]:
    tiles = phone.page.locator(".tile input")
    return [at for at in range(tiles.count()) if tiles.nth(at).is_checked()]


def _expect_nothing_noticed(phone: Phone) -> None:
    assert _chosen(phone) == []
    expect(phone.page.locator("[name=seen][value=repeatedly]")).not_to_be_checked()
    for name in ("noticed_on", "note"):
        expect(phone.page.locator(f"#{name}")).to_have_value("")


def test_arabic_runs_from_right_to_left_to_the_receipt(make_phone: MakePhone) -> None:
    phone = make_phone(language="ar")
    page = phone.open(PREFILLED)
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    phone.press_send()
    expect(page.locator("#answer h1")).to_contain_text("Voorbeeld Welzijn Amsterdam")
    expect(page.locator("#answer .receipt")).to_have_attribute("dir", "ltr")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
