"""Test that waiting reports leave while the carrier writes the next: nothing moves, no code is lost."""

import pytest
from playwright.sync_api import expect

from tests.browser.carrier import WAITING, Phone
from tests.browser.faults import Fault

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TOP_OF_FIELD = "document.querySelector('#postcode').getBoundingClientRect().top"
NEWS = "idb.openDB('signals').then((db) => db.getAll('news'))"


def _send_without_reception(phone: Phone, reports: int) -> None:
    phone.open_for_offline()
    phone.offline()
    for number in range(1, reports + 1):
        phone.fill("1012AB", str(60 + number))
        phone.press_send()
        phone.expect_saved()
        phone.page.locator("[data-another]").tap()


def test_a_backlog_that_goes_moves_nothing_under_the_thumb_of_who_types(phone: Phone) -> None:
    _send_without_reception(phone, 7)
    page = phone.page
    expect(page.locator("[data-waiting]")).to_have_text(WAITING.format(7))
    page.locator("#postcode").tap()
    page.keyboard.type("9711")
    before = page.evaluate(TOP_OF_FIELD)
    phone.offline(False)
    expect(page.locator("[data-sent]")).to_have_text("Verstuurd: 7")
    assert page.evaluate(TOP_OF_FIELD) == before
    expect(page.locator("#postcode")).to_be_focused()
    expect(page.locator("#told")).to_be_hidden()


def test_the_page_keeps_the_field_in_place_when_a_line_appears_above_the_form(phone: Phone) -> None:
    """Another tab keeps a report before this page has a line about one."""
    page = phone.open()
    expect(page.locator("#waiting")).to_be_hidden()
    page.locator("#postcode").tap()
    before = page.evaluate(TOP_OF_FIELD)
    other = phone.context.new_page()
    other.goto(phone.service.url)
    phone.service.proxy.plan(*[Fault.BEFORE_REQUEST] * 20)
    other.evaluate("signalsQueue.add({ key: signalsQueue.newKey(), body: '{}', language: 'nl' })")
    expect(page.locator("[data-waiting]")).to_have_text(WAITING.format(1))
    assert page.evaluate(TOP_OF_FIELD) == pytest.approx(before, abs=1)


def test_news_stays_with_its_codes_until_it_is_read(phone: Phone) -> None:
    _send_without_reception(phone, 2)
    phone.offline(False)
    page = phone.page
    expect(page.locator("[data-sent]")).to_have_text("Verstuurd: 2")
    page.reload()
    expect(page.locator("[data-sent]")).to_have_text("Verstuurd: 2")
    phone.open_list()
    entries = page.locator("#told li")
    expect(entries).to_have_count(2)
    expect(entries.first).to_contain_text("Verstuurd naar Voorbeeld Welzijn Amsterdam. Dank u wel.")
    code = entries.first.locator(".receipt").inner_text()
    entries.first.locator("[data-copy]").tap()
    expect(entries.first.locator("[data-done]")).to_have_text("De code is gekopieerd.")
    assert page.evaluate("navigator.clipboard.readText()") == code
    page.locator("[data-keep-all]").tap()
    expect(entries.last.locator("[data-done]")).to_have_text("De code staat op deze telefoon.")
    phone.until("signalsQueue.receipts.all().then((all) => all.length === 2)")
    page.locator("[data-read]").tap()
    expect(page.locator("#waiting")).to_be_hidden()
    expect(page.locator("h1")).to_be_focused()
    assert page.evaluate(NEWS) == []


def test_a_code_that_nobody_reads_for_seven_days_goes_from_the_phone(phone: Phone) -> None:
    page = phone.open()
    page.evaluate(
        """idb.openDB('signals').then((db) => Promise.all([6.99, 7.01].map((days) => db.put('news', {
          kind: 'sent', key: String(days), at: Date.now() - days * 86400000, answer: { receipt: 'A' } }))))"""
    )
    page.reload()
    expect(page.locator("[data-sent]")).to_have_text("Verstuurd: 1")
    assert [item["key"] for item in page.evaluate(NEWS)] == ["6.99"]
