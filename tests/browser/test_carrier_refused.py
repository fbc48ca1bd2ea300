"""Reports that wait on the phone and are refused, shortened or too old.

These phones cannot seal, so the service reads what they send.
"""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from tests.browser.carrier import WAITING, MakePhone, Phone, Service, put_waiting
from tests.browser.faults import Fault

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CANNOT_SEAL = "delete Crypto.prototype.subtle"
EXPIRED = "kon 7 dagen niet worden verstuurd en is van deze telefoon gewist"


@pytest.fixture
def phone(make_phone: MakePhone) -> Phone:
    """A phone of some years ago."""
    made = make_phone()
    made.context.add_init_script(CANNOT_SEAL)
    return made


def test_a_report_that_the_form_of_today_refuses_comes_back_to_be_mended(
    phone: Phone, service: Service
) -> None:
    """The form changed while the report waited: one of its tiles does not exist any more."""
    before = service.stored()
    page = phone.open()
    put_waiting(
        phone, body={"postcode": "1012AB", "house_number": 27, "concern_types": ["frail", "abolished"]}
    )
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
    put_waiting(phone, body={"postcode": "1012AB", "house_number": 27, "noticed_on": "2020-01-01"})
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
    put_waiting(phone, body={"postcode": "1012AB", "house_number": 0})
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
    put_waiting(phone, key=key, body={"postcode": "1012AB", "house_number": 28})
    page.reload()
    phone.expect_nothing_waits()
    put_waiting(phone, key=key, body={"postcode": "1012AB", "house_number": 29})
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
    put_waiting(phone, body={"postcode": "1012AB", "house_number": 30}, days=7.01)
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
    put_waiting(phone, body={"postcode": "1012AB", "house_number": 31}, days=6.99)
    page.reload()
    expect(page.locator("[data-waiting]")).to_have_text(WAITING.format(1))


def test_a_phone_clock_two_days_behind_does_not_shorten_the_seven_days(
    phone: Phone, service: Service
) -> None:
    page = phone.open()
    service.proxy.plan(*[Fault.BEFORE_REQUEST] * 3)
    page.evaluate("idb.openDB('signals').then((db) => db.delete('facts', 'clock'))")
    put_waiting(phone, body={"postcode": "1012AB", "house_number": 32}, days=6.0, guessed=True)
    page.evaluate("signalsQueue.keepClock(new Date(Date.now() + 2 * 86400000).toUTCString())")
    page.evaluate("signalsQueue.flush(true)")
    assert phone.waiting() == 1
