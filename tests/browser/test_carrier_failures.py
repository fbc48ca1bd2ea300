"""Test failures between phone and service: the carrier reads the result; nothing is lost or doubled."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from tests.browser.carrier import WAITING, MakePhone, Phone, Service, put_waiting
from tests.browser.faults import Fault

pytestmark = [pytest.mark.browser, pytest.mark.slow]

YEARS_AGO = "delete AbortSignal.timeout; delete Crypto.prototype.randomUUID;"


SENTENCES = {
    Fault.BEFORE_REQUEST: "Gaat vanzelf zodra er bereik is.",
    Fault.MID_REQUEST: "Gaat vanzelf zodra er bereik is.",
    Fault.AFTER_STORED: "Gaat vanzelf zodra er bereik is.",
    Fault.AFTER_HALF_ANSWER: "Gaat vanzelf zodra er bereik is.",
    Fault.AFTER_GARBAGE: "Gaat vanzelf zodra er bereik is.",
    Fault.GARBAGE: "Gaat vanzelf zodra er bereik is.",
    Fault.REDIRECT: "Gaat vanzelf zodra er bereik is.",
    Fault.PORTAL: "Dit netwerk wil dat u eerst inlogt.",
    Fault.AFTER_PORTAL: "Dit netwerk wil dat u eerst inlogt.",
    Fault.HTML_201: "Dit netwerk wil dat u eerst inlogt.",
    Fault.JSON_201_OF_ANOTHER: "Dit netwerk wil dat u eerst inlogt.",
    Fault.LOGIN_511: "Dit netwerk wil dat u eerst inlogt.",
    Fault.JSON_200: "Deze pagina is ouder dan de dienst.",
    Fault.PROBLEM_422: "Deze pagina is ouder dan de dienst.",
    Fault.PROXY_403: "Dit netwerk laat de melding niet door.",
    Fault.HTML_400: "Dit netwerk laat de melding niet door.",
    Fault.BROKEN_PROBLEM_400: "Dit netwerk laat de melding niet door.",
    Fault.HTML_404: "Dit netwerk laat de melding niet door.",
    Fault.HTML_502: "De dienst antwoordt nu niet goed.",
    Fault.PROBLEM_500: "De dienst antwoordt nu niet goed.",
    Fault.AFTER_ERROR: "De dienst antwoordt nu niet goed.",
    Fault.BUSY_503: "De dienst antwoordt nu niet goed.",
    Fault.BUSY_UNTIL: "De dienst antwoordt nu niet goed.",
    Fault.PORTAL_503_FOR_A_DAY: "De dienst antwoordt nu niet goed.",
    Fault.FULL_429: "Er zijn nu te veel meldingen voor dit gebied.",
    Fault.GONE_410: "Deze pagina is ouder dan de dienst.",
}


def test_every_fault_has_a_sentence() -> None:
    assert set(SENTENCES) == set(Fault)


@pytest.mark.parametrize("fault", Fault)
def test_each_fault_is_told_and_the_report_arrives_once(phone: Phone, service: Service, fault: Fault) -> None:
    before = service.stored()
    phone.open()
    service.proxy.plan(fault)
    phone.fill("1012AB", "21")
    phone.press_send()
    phone.expect_saved()
    expect(phone.page.locator("[data-why]")).to_contain_text(SENTENCES[fault])
    assert phone.waiting() == 1
    if fault is Fault.BUSY_UNTIL:  # an hour from now, which pressing does not shorten
        return
    if fault not in (Fault.BUSY_503, Fault.FULL_429):  # these named a time: a second
        phone.page.locator("[data-now]").tap()
    phone.expect_sent()
    phone.expect_nothing_waits()
    assert service.stored() == before + 1
    assert len(set(service.proxy.sent_keys)) == 1
    assert phone.complaints == []


def test_a_wait_that_the_service_asks_for_is_kept_by_the_timer(phone: Phone, service: Service) -> None:
    phone.open()
    service.proxy.plan(Fault.BUSY_503)
    phone.fill("1012AB", "22")
    phone.press_send()
    phone.expect_saved()
    expect(phone.page.locator("[data-now]")).to_be_hidden()
    assert phone.waiting() == 1
    phone.expect_sent()


def test_a_wait_that_somebodys_network_asks_for_ends_with_that_network(
    phone: Phone, service: Service
) -> None:
    phone.open()
    service.proxy.plan(Fault.PORTAL_503_FOR_A_DAY)
    phone.fill("1012AB", "35")
    phone.press_send()
    phone.expect_saved()
    waits = "signalsQueue.reports().then((all) => all[0].next - Date.now())"
    assert phone.page.evaluate(waits) < 20 * 60 * 1000
    expect(phone.page.locator("[data-now]")).to_be_visible()
    phone.page.evaluate("dispatchEvent(new Event('online'))")
    phone.expect_sent()


def test_the_pauses_begin_anew_when_reception_returns(phone: Phone, service: Service) -> None:
    """The first try may fail, for the network is not ready. The next pause would be 40 seconds."""
    phone.open()
    put_waiting(phone, body={"postcode": "1012AB", "house_number": 40})
    service.proxy.plan(Fault.BEFORE_REQUEST)
    phone.page.evaluate("dispatchEvent(new Event('online'))")
    phone.until("signalsQueue.reports().then((all) => !all.length || all[0].tries === 1)")
    phone.expect_nothing_waits()


def test_a_moment_to_come_back_is_read_by_the_clock_of_the_service(phone: Phone, service: Service) -> None:
    """A phone two days ahead takes it for past, one two days behind waits for days."""
    for days in (-2, 2):
        phone.page.clock.set_fixed_time(datetime.now(UTC) + timedelta(days=days))
        phone.open()
        service.proxy.plan(Fault.BUSY_UNTIL)
        phone.fill("1012AB", "36")
        phone.press_send()
        phone.expect_saved()
        wait = phone.page.evaluate("signalsQueue.reports().then((all) => all[0].next - Date.now())")
        assert 3_600_000 <= wait <= 3_600_000 * 1.2 + 1000
        phone.page.evaluate("signalsQueue.reports().then((all) => signalsQueue.discard(all[0].key))")


def test_a_phone_of_some_years_ago_sends_and_opens_without_reception(phone: Phone, service: Service) -> None:
    """A browser of 2021 has no AbortSignal.timeout and no crypto.randomUUID."""
    before = service.stored()
    phone.page.add_init_script(YEARS_AGO)
    service.proxy.replace = (b'"use strict";', b'"use strict"; ' + YEARS_AGO.encode())
    page = phone.open_for_offline()
    phone.offline()
    page.reload()
    phone.fill("1012AB", "37")
    phone.press_send()
    phone.expect_saved()
    phone.offline(False)
    phone.expect_sent()
    assert service.stored() == before + 1
    assert phone.complaints == []


def test_the_page_shows_and_sends_waiting_reports_when_the_phone_opens_its_storage_late(
    phone: Phone, service: Service
) -> None:
    before = service.stored()
    phone.open()
    put_waiting(phone, body={"postcode": "1012AB", "house_number": 39})
    phone.page.add_init_script(
        """const open = IDBFactory.prototype.open;
        IDBFactory.prototype.open = function (...values) {
          const request = open.apply(this, values);
          const listen = request.addEventListener.bind(request);
          request.addEventListener = (name, then) =>
            listen(name, name === "success" ? (event) => setTimeout(() => then(event), 7000) : then);
          return request;
        };"""
    )
    # The page may come to its first try after the storage did: sent before anybody saw that it waits.
    service.proxy.plan(*[Fault.BEFORE_REQUEST] * 20)
    phone.page.reload()
    expect(phone.page.locator("#waiting")).to_contain_text(WAITING.format(1), timeout=20_000)
    service.proxy.plan()
    phone.page.locator("[data-now]").tap()
    phone.expect_nothing_waits()
    assert service.stored() == before + 1


def test_an_answer_that_does_not_come_lets_the_carrier_walk_on(phone: Phone, service: Service) -> None:
    before = service.stored()
    phone.open()
    service.proxy.slow = 6.0
    phone.fill("1012AB", "23")
    phone.press_send()
    phone.expect_saved()
    service.proxy.slow = 0.0
    phone.expect_sent()
    assert service.stored() == before + 1


def test_killed_after_the_service_stored_it_and_before_the_answer_it_is_not_doubled(
    make_phone: MakePhone, service: Service
) -> None:
    before = service.stored()
    phone = make_phone(own_process=True)
    phone.open()
    service.proxy.plan(Fault.AFTER_STORED)
    phone.fill("1012AB", "25")
    phone.press_send()
    phone.expect_saved()
    phone.kill()
    assert service.stored() == before + 1
    phone.start()
    phone.open()
    phone.expect_nothing_waits()
    expect(phone.page.locator("#told")).to_contain_text("Verstuurd naar")
    assert service.stored() == before + 1


def test_an_update_of_the_app_leaves_what_waits(phone: Phone, service: Service) -> None:
    before = service.stored()
    phone.open_for_offline()
    phone.offline()
    phone.fill("1012AB", "26")
    phone.press_send()
    phone.expect_saved()
    service.proxy.down = False
    service.proxy.replace = (b"const VERSION =", b"const PREVIOUS = 1; const VERSION = 'new' +")
    service.proxy.plan(*[Fault.HTML_502] * 3)
    phone.context.set_offline(False)
    # Ask again and again, as a browser does: just after a tunnel a request may still be lost.
    phone.until(
        "navigator.serviceWorker.getRegistration().then((one) => one.update()).catch(() => {})"
        ".then(() => new Promise((go) => setTimeout(go, 500))).then(() => caches.keys())"
        ".then((names) => names.filter((n) => n.startsWith('signals-new')).length === 1"
        " && names.filter((n) => /^signals-[0-9a-f]/.test(n)).length === 0)"
    )
    service.proxy.replace = None
    service.proxy.plan()
    phone.close_tab()
    phone.open()
    phone.expect_nothing_waits()
    assert service.stored() == before + 1


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("Object.defineProperty(window, 'indexedDB', { value: undefined })", "Dit venster bewaart niets"),
        (
            "IDBObjectStore.prototype.put = () => { throw new DOMException('', 'QuotaExceededError') }",
            "Deze telefoon is vol",
        ),
    ],
    ids=["private", "full"],
)
def test_a_form_stays_until_it_is_sent_under_one_key_when_the_phone_keeps_nothing(
    phone: Phone, service: Service, script: str, words: str
) -> None:
    before = service.stored()
    phone.page.add_init_script(script)
    page = phone.open("/m#pc=1012AB&hn=34&ad=B")
    service.proxy.plan(Fault.AFTER_STORED)
    phone.press_send()
    expect(page.locator("#not-sent")).to_contain_text(words)
    expect(page.locator("#house_number_addition")).to_have_value("B")
    phone.press_send()
    phone.expect_sent()
    assert service.stored() == before + 1
    assert len(set(service.proxy.sent_keys)) == 1


def test_a_sign_in_page_of_somebodys_network_is_never_kept_as_ours(phone: Phone, service: Service) -> None:
    page = phone.open_for_offline()
    service.proxy.portal = True
    page.evaluate("navigator.serviceWorker.getRegistration().then((one) => one.update()).catch(() => 0)")
    page.goto(f"{service.url}/?lang=ro")
    expect(page.locator("h1")).not_to_have_text("Wifi")
    service.proxy.portal = False
    kept = page.evaluate(
        "caches.keys().then(async (names) => (await Promise.all(names.map(async (name) => "
        "(await caches.open(name)).keys()))).flat().map((request) => request.url))"
    )
    assert not [url for url in kept if "lang=ro" in url]
