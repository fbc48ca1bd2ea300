"""What goes wrong between phone and service: the carrier reads what happened; nothing is lost or doubled."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from tests.browser.carrier import WAITING, MakePhone, Phone, Service
from tests.browser.faults import Fault

pytestmark = [pytest.mark.browser, pytest.mark.slow]

YEARS_AGO = "delete AbortSignal.timeout; delete Crypto.prototype.randomUUID;"
EXPIRED = "kon 7 dagen niet worden verstuurd en is van deze telefoon gewist"
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
    """As of 2021: no AbortSignal.timeout, no crypto.randomUUID, neither in the page nor in its worker."""
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
    _put(phone, body={"postcode": "1012AB", "house_number": 39})
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
    # As often as a browser asks on its way: of the first moments after a tunnel a request may still be lost.
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


def test_a_report_that_the_form_of_today_refuses_comes_back_to_be_mended(
    phone: Phone, service: Service
) -> None:
    """As after a change of the form while it waited: here a tile that does not exist any more."""
    before = service.stored()
    page = phone.open()
    _put(phone, body={"postcode": "1012AB", "house_number": 27, "concern_types": ["frail", "abolished"]})
    page.reload()
    expect(page.locator("[data-refused]")).to_have_text("Nog niet aangenomen: 1")
    page.fill("#postcode", "9711 AA")
    phone.open_list()
    expect(page.locator("#told")).to_contain_text(
        "Een melding is nog niet aangenomen. Verbeter hem, dan kan hij weg. 1012AB 27"
    )
    page.locator("[data-mend]").tap()
    expect(page.locator("#not-sent")).to_contain_text("Nog niet verstuurd")
    expect(page.locator("#house_number")).to_have_value("27")
    phone.press_send()
    phone.expect_sent()
    phone.expect_nothing_waits()
    assert service.stored() == before + 1
    page.locator("[data-another]").tap()
    expect(page.locator("#postcode")).to_have_value("9711 AA")  # what was being typed is back


def test_a_day_that_passed_while_the_report_waited_is_asked_for_again_beside_its_field(phone: Phone) -> None:
    page = phone.open()
    _put(phone, body={"postcode": "1012AB", "house_number": 27, "noticed_on": "2020-01-01"})
    page.reload()
    phone.open_list()
    page.locator("[data-mend]").tap()
    expect(page.locator("#not-sent")).to_contain_text("Wanneer: Kies vandaag of een dag tot 14 dagen terug.")
    day = page.locator("#noticed_on")
    expect(day).to_have_attribute("aria-describedby", "noticed_on-hint noticed_on-error")
    expect(page.locator("#noticed_on-error")).to_be_visible()
    day.fill("")
    page.locator("#postcode").tap()
    expect(page.locator("#noticed_on-error")).to_have_count(0)
    expect(day).to_have_attribute("aria-describedby", "noticed_on-hint")


def test_a_phone_that_knows_no_day_leaves_the_day_to_the_service(phone: Phone, service: Service) -> None:
    """Twenty days behind, without reception since it was bought: what it takes for future may be right."""
    before = service.stored()
    phone.page.clock.set_fixed_time(datetime.now(UTC) - timedelta(days=20))
    phone.page.route("**/coverage/lookup", lambda route: route.abort())
    page = phone.open("/m#pc=1012AB&hn=44")
    page.locator("details:not(#safety) summary").tap()
    page.evaluate("idb.openDB('signals').then((db) => db.delete('facts', 'clock'))")
    page.fill("#noticed_on", service.world.clock.now().date().isoformat())
    phone.press_send()
    phone.expect_sent()
    assert service.stored() == before + 1


def test_a_refused_report_is_thrown_away_after_a_second_question_only(phone: Phone) -> None:
    page = phone.open()
    _put(phone, body={"postcode": "1012AB", "house_number": 0})
    page.reload()
    phone.open_list()
    page.locator("[data-discard]").tap()
    expect(page.get_by_text("Deze melding wordt dan nooit verstuurd.")).to_be_visible()
    expect(page.locator("[data-no]")).to_be_focused()
    page.locator("[data-no]").tap()
    expect(page.locator("[data-discard]")).to_be_focused()
    assert phone.waiting() == 1
    page.locator("[data-discard]").tap()
    page.locator("[data-yes]").tap()
    phone.expect_nothing_waits()
    expect(page.locator("[data-said]")).to_have_text("De melding is weggegooid.")
    expect(page.locator("h1")).to_be_focused()
    expect(page.locator("#told")).to_be_hidden()


def test_a_key_that_belongs_to_another_report_is_told_and_a_new_one_goes(
    phone: Phone, service: Service
) -> None:
    before = service.stored()
    page = phone.open()
    key = str(uuid.uuid4())
    _put(phone, key=key, body={"postcode": "1012AB", "house_number": 28})
    page.reload()
    phone.expect_nothing_waits()
    _put(phone, key=key, body={"postcode": "1012AB", "house_number": 29})
    page.reload()
    phone.open_list()
    page.locator("[data-mend]").tap()
    expect(page.locator("#not-sent")).to_contain_text("Uw vorige melding is al verstuurd.")
    phone.press_send()
    phone.expect_sent()
    assert service.stored() == before + 2


def test_after_seven_days_a_report_is_deleted_and_said_so(phone: Phone, service: Service) -> None:
    before = service.stored()
    page = phone.open()
    _put(phone, body={"postcode": "1012AB", "house_number": 30}, days=7.01)
    service.proxy.plan(*[Fault.BEFORE_REQUEST] * 3)
    page.reload()
    told = page.locator("#told")
    expect(told).to_contain_text(EXPIRED)
    phone.expect_nothing_waits()
    assert service.stored() == before
    page.reload()
    expect(told).to_contain_text(EXPIRED)  # a page that goes too soon takes nothing away unread
    phone.open_list()
    told.locator("[data-read]").tap()
    phone.until("idb.openDB('signals').then((db) => db.count('news')).then((left) => left === 0)")
    page.reload()
    expect(page.locator("#postcode")).to_be_visible()
    expect(told.locator("li")).to_have_count(0)


def test_until_seven_days_a_report_is_kept(phone: Phone, service: Service) -> None:
    page = phone.open()
    service.proxy.plan(*[Fault.BEFORE_REQUEST] * 3)
    _put(phone, body={"postcode": "1012AB", "house_number": 31}, days=6.99)
    page.reload()
    expect(page.locator("[data-waiting]")).to_have_text(WAITING.format(1))


def test_a_phone_clock_two_days_behind_does_not_shorten_the_seven_days(
    phone: Phone, service: Service
) -> None:
    page = phone.open()
    service.proxy.plan(*[Fault.BEFORE_REQUEST] * 3)
    page.evaluate("idb.openDB('signals').then((db) => db.delete('facts', 'clock'))")
    _put(phone, body={"postcode": "1012AB", "house_number": 32}, days=6.0, guessed=True)
    page.evaluate("signalsQueue.keepClock(new Date(Date.now() + 2 * 86400000).toUTCString())")
    page.evaluate("signalsQueue.flush(true)")
    assert phone.waiting() == 1


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


def _put(
    phone: Phone, *, body: dict[str, object], key: str = "", days: float = 0, guessed: bool = False
) -> None:
    """A report that waits since some days, put there without anybody hearing of it.

    In turn with the page, which may not have looked yet for what waits when it was opened: it would send it.
    """
    phone.page.evaluate(
        """([key, body, age, guessed]) => navigator.locks.request("signals-flush", async () => {
          await (await idb.openDB("signals")).put("reports", {
            key, body: JSON.stringify(body), language: "nl", created: Date.now() - age, guessed,
            tries: 3, next: Date.now() + 3600000, asked: false, state: "waiting", why: "offline",
          });
        })""",
        [key or str(uuid.uuid4()), body, days * 86_400_000, guessed],
    )
