"""Act as a carrier at the door, with a real Chromium of 360 x 640 against the real server."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from signals.intake.content import open_report
from signals.settings import NotesSettings
from tests.browser.carrier import KEPT_IN_THE_BROWSER, PREFILLED, WAITING, MakePhone, Phone, Service
from tests.support.chance import without_chance

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_from_the_work_app_a_report_takes_a_tile_and_send(phone: Phone, service: Service) -> None:
    before = service.stored()
    page = phone.open(PREFILLED)
    page.locator(".tile").first.tap()
    phone.press_send()
    phone.expect_sent()
    assert service.stored() == before + 1
    assert phone.waiting() == 0
    assert phone.complaints == []


def test_the_fragment_fills_the_form_and_is_gone_from_the_address_bar(phone: Phone, service: Service) -> None:
    page = phone.open(PREFILLED)
    expect(page.locator("#postcode")).to_have_value("1012AB")
    expect(page.locator("#house_number")).to_have_value("12")
    expect(page.locator("#house_number_addition")).to_have_value("A")
    assert page.url == f"{service.url}/m"
    expect(page.get_by_text("Gaat naar: Voorbeeld Welzijn Amsterdam")).to_be_visible()
    assert not [path for path in service.proxy.seen_paths if "1012" in without_chance(path)]


def test_the_whole_report_reaches_the_team_as_it_was_typed(phone: Phone, service: Service) -> None:
    page = phone.open("/")
    phone.fill("1o12 ab", "77-c")
    page.locator(".tile", has_text="Gaat lichamelijk achteruit").tap()
    page.get_by_text("Meer vertellen?").tap()
    page.get_by_label("Vaker").tap()
    page.fill("#note", "Tuin staat vol dozen.")
    phone.press_send()
    phone.expect_sent()
    service.world.clock.moment = datetime.now(UTC)
    service.world.worker(notes=NotesSettings(enabled=True)).arrive()
    arrived = [open_report(service.world.keystore, signal) for signal in service.world.signals()]
    report = next(report for report in arrived if report.address.number == 77)
    assert (report.address.postcode, report.address.addition) == ("1012AB", "C")
    assert [code.value for code in report.summary.concern_types] == ["frail"]
    assert report.summary.seen == "repeatedly"
    assert report.note == "Tuin staat vol dozen."


def test_the_phone_says_beforehand_what_goes_out_of_a_note_and_the_team_sees_no_more(
    phone: Phone, service: Service
) -> None:
    page = phone.open("/")
    phone.fill("1012AB", "78")
    page.get_by_text("Meer vertellen?").tap()
    page.locator("#note").tap()
    phone.until("Boolean(window.signalsNote)")
    page.fill("#note", "Mevrouw Jansen, 06-12345678, wil geen post.")
    expect(page.locator("#note-removed")).to_have_text("Dit gaat eruit: Jansen, 06-12345678")
    phone.press_send()
    phone.expect_sent()
    page.get_by_text("Nog een melding").tap()
    expect(page.locator("#note-removed")).to_have_text("")
    service.world.clock.moment = datetime.now(UTC)
    service.world.worker(notes=NotesSettings(enabled=True)).arrive()
    arrived = [open_report(service.world.keystore, signal) for signal in service.world.signals()]
    [note] = [report.note for report in arrived if report.address.number == 78]
    assert note == "Mevrouw [naam], [telefoon], wil geen post."


def test_a_phone_says_that_it_passed_an_address_on_today_and_keeps_no_address(phone: Phone) -> None:
    page = phone.open("/m#pc=1012AB&hn=79&ad=-a")
    phone.press_send()
    phone.expect_sent()
    page.get_by_text("Nog een melding").tap()
    phone.fill("1012AB", "79")
    expect(page.locator("#to")).to_be_visible()
    expect(page.locator("#twice")).to_be_hidden()
    page.fill("#house_number_addition", "A")
    expect(page.locator("#twice")).to_be_visible()
    kept = page.evaluate(
        """async () => {
          const db = await signalsQueue.database();
          const key = await db.get("facts", "mark-key");
          return [JSON.stringify(await db.get("facts", "marks")), key.extractable];
        }"""
    )
    assert "1012" not in without_chance(kept[0])
    assert kept[1] is False
    page.clock.install(time=datetime.now(UTC) + timedelta(hours=25))
    phone.open("/")
    phone.open("/m#pc=1012AB&hn=79&ad=A")
    expect(page.locator("#to")).to_be_visible()
    expect(page.locator("#twice")).to_be_hidden()
    phone.until("signalsQueue.database().then((db) => db.get('facts', 'marks')).then((all) => !all.length)")


def test_an_o_for_a_zero_and_an_l_for_a_one_are_understood_and_said(phone: Phone) -> None:
    page = phone.open("/")
    page.fill("#postcode", "lO12ab")
    page.locator("#house_number").tap()
    expect(page.locator("#read-as")).to_have_text("We lezen: 1012 AB")
    expect(page.locator("#postcode")).to_have_value("1012 AB")
    expect(page.locator("#house_number")).to_be_focused()


def test_a_postcode_on_no_map_raises_a_question_and_is_sent_all_the_same(
    phone: Phone, service: Service
) -> None:
    before = service.stored()
    page = phone.open("/m#pc=1000AA&hn=1")
    expect(page.locator("#unknown")).to_have_text(
        "Klopt de postcode? Wij kennen hem niet. U mag toch versturen."
    )
    page.fill("#postcode", "1012AB")
    expect(page.locator("#to bdi")).to_have_text("Voorbeeld Welzijn Amsterdam")
    expect(page.locator("#unknown")).to_be_hidden()
    page.fill("#postcode", "1000AA")
    phone.press_send()
    phone.expect_sent()
    assert service.stored() == before + 1


def test_mistakes_stand_in_the_order_of_the_fields_in_words_that_help(phone: Phone) -> None:
    page = phone.open(PREFILLED)
    expect(page.locator("#to")).to_be_visible()  # and the phone knows what day it is
    phone.fill("1012", "0", "@@")
    page.get_by_text("Meer vertellen?").tap()
    page.fill("#noticed_on", "2020-01-01")
    page.get_by_text("Meer vertellen?").tap()
    phone.press_send()
    expect(page.locator(".error")).to_have_text(
        [
            "Een postcode is vier cijfers en twee letters, zoals 1012 AB.",
            "Een huisnummer is een heel getal van 1 tot 99999.",
            "Alleen letters en cijfers, hooguit 6.",
            "Kies vandaag of een dag tot 14 dagen terug.",
        ]
    )
    expect(page.locator("#postcode")).to_be_focused()
    phone.fill("1012AB", "12", "A")
    phone.press_send()
    day = page.locator("#noticed_on")
    expect(day).to_be_focused()  # the part that was closed is open
    expect(day).to_have_attribute("aria-invalid", "true")
    expect(day).to_have_attribute("aria-describedby", "noticed_on-hint noticed_on-error")
    day.fill("")
    phone.press_send()
    phone.expect_sent()


def test_the_focus_never_jumps_while_typing(phone: Phone) -> None:
    page = phone.open("/")
    page.locator("#postcode").tap()
    page.keyboard.type("1012AB")
    expect(page.locator("#postcode")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.type("12")
    expect(page.locator("#to")).to_be_visible()
    expect(page.locator("#house_number")).to_be_focused()


def test_a_double_tap_makes_one_report(phone: Phone, service: Service) -> None:
    before = service.stored()
    phone.open(PREFILLED)
    phone.page.evaluate(
        "() => { const send = document.querySelector('.send .button'); send.click(); send.click(); }"
    )
    phone.expect_sent()
    phone.expect_nothing_waits()
    assert service.stored() == before + 1
    assert len(set(service.proxy.sent_keys)) == 1


def test_the_same_form_sent_twice_on_purpose_makes_two(phone: Phone, service: Service) -> None:
    before = service.stored()
    phone.open(PREFILLED)
    phone.press_send()
    phone.expect_sent()
    phone.page.locator("[data-another]").tap()
    phone.fill("1012AB", "12", "A")
    phone.press_send()
    phone.expect_sent()
    assert service.stored() == before + 2


def test_sent_without_reception_a_report_survives_the_tab_and_goes_by_itself(
    phone: Phone, service: Service
) -> None:
    before = service.stored()
    phone.open_for_offline()
    phone.offline()
    phone.fill()
    phone.press_send()
    phone.expect_saved()
    expect(phone.page.locator("[data-waiting]")).to_have_text(WAITING.format(1))
    phone.close_tab()
    page = phone.open("/")
    expect(page.locator("[data-waiting]")).to_have_text(WAITING.format(1))
    phone.offline(False)
    expect(page.locator("[data-sent]")).to_have_text("Verstuurd: 1")
    expect(page.locator("[data-waiting]")).to_be_hidden()
    phone.open_list()
    expect(page.locator("#told")).to_contain_text("Verstuurd naar Voorbeeld Welzijn Amsterdam")
    assert service.stored() == before + 1


def test_the_emergency_numbers_are_there_before_after_and_without_reception(phone: Phone) -> None:
    page = phone.open_for_offline()
    phone.offline()
    page.reload()
    expect(page.locator("header a[href='tel:112']")).to_be_visible()
    phone.fill()
    phone.press_send()
    phone.expect_saved()
    for number in ("112", "08002000", "113", "08001205"):
        expect(page.locator(f"#answer a[href='tel:{number}']")).to_be_visible()
    expect(page.locator("header a[href='tel:112']")).to_be_visible()


def test_the_safety_tile_shows_the_calls_instead_of_the_form_and_stores_nothing(
    phone: Phone, service: Service
) -> None:
    before = service.stored()
    page = phone.open(PREFILLED)
    page.get_by_text("Veiligheid thuis?").tap()
    expect(page.locator("#safety a[href='tel:08002000']")).to_be_visible()
    expect(page.locator(".send .button")).to_be_hidden()
    expect(page.locator("#concern_types")).to_be_hidden()
    assert page.evaluate("scrollY") == 0
    assert phone.waiting() == 0
    assert service.stored() == before


def test_the_code_is_copied_and_kept_only_when_asked(phone: Phone) -> None:
    page = phone.open(PREFILLED)
    phone.press_send()
    phone.expect_sent()
    code = page.locator("#answer .receipt").inner_text()
    assert page.evaluate("signalsQueue.receipts.all()") == []
    page.locator("#answer [data-copy]").tap()
    expect(page.locator("#answer [data-done]")).to_have_text("De code is gekopieerd.")
    assert page.evaluate("navigator.clipboard.readText()") == code
    page.locator("#answer [data-keep]").tap()
    expect(page.locator("#answer [data-done]")).to_have_text("De code staat op deze telefoon.")
    expect(page.locator("#answer [data-keep]")).to_be_focused()  # it did not fall to the body
    page.goto(page.url.replace("/m", "/voortgang"))
    expect(page.locator("#kept .receipt")).to_have_text(code)
    page.locator("[data-look]").tap()
    expect(page.locator("#kept [data-state]")).to_have_text(
        "Ontvangen, nog niet opgepakt. Wat vandaag gebeurt, staat hier morgen."
    )
    page.locator("[data-remove]").tap()
    expect(page.locator("#kept [data-no]")).to_be_focused()
    page.locator("#kept [data-no]").tap()
    expect(page.locator("#kept [data-remove]")).to_be_focused()
    assert len(page.evaluate("signalsQueue.receipts.all()")) == 1
    page.locator("[data-remove]").tap()
    page.locator("#kept [data-yes]").tap()
    expect(page.locator("#kept")).to_be_hidden()
    expect(page.locator("h1")).to_be_focused()


def test_looking_up_a_code_says_at_once_that_it_looks_and_what_is_missing(
    phone: Phone, service: Service
) -> None:
    page = phone.open("/voortgang")
    look = page.get_by_role("button", name="Kijken")
    look.tap()
    expect(page.locator("#receipt-error")).to_have_text("Typ of plak de code die u bewaarde.")
    expect(page.locator("#receipt")).to_be_focused()
    expect(page.locator("#receipt")).to_have_attribute("aria-describedby", "receipt-error")
    page.fill("#receipt", "AAAA-AAAA-AAAA-AAAA")
    service.proxy.silent = True
    look.tap()
    expect(page.locator("#state")).to_have_text("Even kijken…")
    expect(page.locator("#receipt-error")).to_have_count(0)
    expect(page.locator("#receipt")).not_to_have_attribute("aria-invalid", "true")


def test_without_javascript_the_same_form_answers_as_a_page(make_phone: MakePhone, service: Service) -> None:
    before = service.stored()
    phone = make_phone(options={"java_script_enabled": False})
    page = phone.open("/")
    phone.fill("1O12 ab", "12")
    page.locator(".tile").first.tap()
    phone.press_send()
    expect(page.locator("h1.done")).to_contain_text("Verstuurd naar Voorbeeld Welzijn Amsterdam")
    assert service.stored() == before + 1


def test_a_keyboard_alone_is_enough(phone: Phone) -> None:
    page = phone.open("/")
    page.locator("#postcode").focus()
    for text in ("1012AB", "12", ""):
        page.keyboard.type(text)
        page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(page.locator(".tile input").first).to_be_checked()
    page.locator(".send .button").focus()
    page.keyboard.press("Enter")
    phone.expect_sent()
    expect(page.locator("#answer h1")).to_be_focused()


def test_days_to_choose_from_follow_the_service_when_the_phone_is_two_days_off(phone: Phone) -> None:
    ahead = datetime.now(UTC) + timedelta(days=2)
    phone.page.clock.set_fixed_time(ahead)
    page = phone.open(PREFILLED)
    expect(page.locator("#to")).to_be_visible()
    expect(page.locator("#noticed_on")).not_to_have_attribute("max", ahead.date().isoformat())
    assert page.get_attribute("#noticed_on", "max") <= (ahead - timedelta(days=1)).date().isoformat()  # type: ignore[operator]


def test_nothing_is_stored_but_the_report_that_was_sent(phone: Phone, service: Service) -> None:
    phone.open_for_offline(PREFILLED)
    phone.press_send()
    phone.expect_sent()
    left = phone.page.evaluate(
        "Promise.all(['reports', 'news', 'receipts'].map((name) => idb.openDB('signals')"
        ".then((db) => db.getAll(name)))).then((all) => all.flat().length)"
    )
    assert left == 0
    assert phone.page.evaluate(KEPT_IN_THE_BROWSER) == 0
    assert phone.context.cookies() == []
