"""A stairwell without reception: an attempt waits on the phone, sealed for its writer, and goes later."""

from uuid import UUID

import pytest
from playwright.sync_api import Page, expect

from signals.vocabulary import AttemptResult
from tests.browser.desk import PHONE, SIZES, Site, Window
from tests.browser.desk_fixtures import OpenWindow
from tests.support.pages import Browser

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WAITING = "Nog niet verstuurd vanaf deze telefoon: 1."
SENT = "Verstuurd vanaf deze telefoon: 1."


def at_the_door(anna: Window, signal_id: UUID) -> Page:
    """Open a signal with reception; from then on the service worker answers without it."""
    page = anna.open_signal(signal_id)
    page.evaluate(
        """() => new Promise((then) => {
          navigator.serviceWorker.oncontrollerchange = () => then(0);
          if (navigator.serviceWorker.controller) then(0);
        })"""
    )
    anna.context.set_offline(True)
    return page


def press_without_reception(anna: Window, result: str = "Geen gehoor") -> None:
    anna.press(anna.page.get_by_role("button", name=result))
    expect(anna.page.get_by_role("heading", level=1)).to_have_text("Geen bereik")
    expect(anna.page.get_by_text("Uw poging is bewaard op deze telefoon")).to_be_visible()
    expect(anna.page.get_by_text(WAITING)).to_be_visible()


def back_with_reception(anna: Window) -> Page:
    """Open the desk anew, as after a walk with the phone in a pocket."""
    anna.page.close()
    anna.page = anna.context.new_page()
    anna.context.set_offline(False)
    return anna.open()


def sign_in_as(anna: Window, who: str) -> None:
    anna.context.clear_cookies()
    anna.who = who
    anna.sign_in_unseen()


def test_an_attempt_without_reception_waits_and_goes_once_after_the_page_was_closed(
    site: Site, window: OpenWindow, signal_id: UUID
) -> None:
    anna = window("anna", size=PHONE)
    at_the_door(anna, signal_id)
    press_without_reception(anna)
    page = back_with_reception(anna)
    expect(page.get_by_text(SENT)).to_be_visible()
    anna.open()
    [attempt] = site.signal(signal_id).attempts
    assert attempt.result is AttemptResult.NO_ANSWER
    assert page.evaluate("signalsOutbox.all()") == []


def test_the_page_without_a_network_sends_by_itself_and_leads_back_to_the_signal(
    site: Site, window: OpenWindow, signal_id: UUID
) -> None:
    anna = window("anna", size=PHONE)
    page = at_the_door(anna, signal_id)
    press_without_reception(anna)
    anna.context.set_offline(False)
    expect(page.locator(".timeline li", has_text="Huisbezoek: geen gehoor")).to_be_visible()
    assert len(site.signal(signal_id).attempts) == 1


def test_a_double_press_without_reception_is_one_attempt(
    site: Site, window: OpenWindow, signal_id: UUID
) -> None:
    anna = window("anna", size=PHONE)
    page = at_the_door(anna, signal_id)
    page.get_by_role("button", name="Geen gehoor").dblclick()
    expect(page.get_by_text(WAITING)).to_be_visible()
    expect(back_with_reception(anna).get_by_text(SENT)).to_be_visible()
    assert len(site.signal(signal_id).attempts) == 1


def test_what_waits_is_sealed_and_another_person_on_the_phone_neither_sees_nor_sends_it(
    site: Site, window: OpenWindow, signal_id: UUID
) -> None:
    anna = window("anna", size=PHONE)
    page = at_the_door(anna, signal_id)
    press_without_reception(anna)
    [kept] = page.evaluate("signalsOutbox.all()")
    assert kept.keys() == {"id", "writer", "sealed", "created"}
    assert page.evaluate("caches.keys().then((names) => names.length)") == 1
    sign_in_as(anna, "bram")
    with anna.context.expect_event("response", lambda answer: answer.url.endswith("/desk/outbox")):
        page = back_with_reception(anna)
    expect(page.locator("#outbox")).to_be_hidden()
    assert site.signal(signal_id).attempts == []
    sign_in_as(anna, "anna")
    expect(anna.open().get_by_text(SENT)).to_be_visible()
    [attempt] = site.signal(signal_id).attempts
    assert attempt.result is AttemptResult.NO_ANSWER


def test_an_attempt_that_the_server_refuses_is_told_in_words_and_stays_until_it_is_deleted(
    site: Site, window: OpenWindow, signal_id: UUID
) -> None:
    anna = window("anna", size=PHONE)
    at_the_door(anna, signal_id)
    press_without_reception(anna)
    Browser(site.desk, "bram").send(signal_id, "claim")
    page = back_with_reception(anna)
    part = page.locator("[data-refused]:visible")
    expect(part).to_contain_text("Deze poging is niet opgeslagen. Bram Voorbeeld heeft dit signaal sinds")
    expect(part).to_contain_text("Hoe: Huisbezoek. Resultaat: Geen gehoor. ")
    anna.check_looks()
    expect(anna.open_signal(signal_id).locator("[data-refused]:visible")).to_be_visible()
    anna.press(page.get_by_role("button", name="Verwijderen van deze telefoon"))
    expect(page.locator("#outbox")).to_be_hidden()
    assert page.evaluate("signalsOutbox.all()") == []


def test_an_attempt_of_a_week_ago_is_told_to_its_writer_before_it_goes(
    site: Site, window: OpenWindow, signal_id: UUID
) -> None:
    anna = window("anna", size=PHONE)
    page = at_the_door(anna, signal_id)
    press_without_reception(anna)
    page.evaluate(
        """async () => {
          const [one] = await signalsOutbox.all(), db = await idb.openDB("signals-desk");
          await db.put("attempts", { ...one, created: Date.now() - 8 * 86400000 });
        }"""
    )
    page = back_with_reception(anna)
    expect(page.locator("[data-refused]:visible")).to_contain_text("Resultaat: Geen gehoor. ")
    expect(page.locator("[data-waiting]")).to_be_hidden()
    assert page.evaluate("signalsOutbox.all()") == []
    assert site.signal(signal_id).attempts == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_every_other_page_without_reception_says_so_and_comes_back(
    window: OpenWindow, signal_id: UUID, size: str, scheme: str
) -> None:
    anna = window("anna", size=SIZES[size], options={"color_scheme": scheme})
    at_the_door(anna, signal_id)
    page = anna.open("/desk/search")
    expect(page.get_by_role("heading", level=1)).to_have_text("Geen bereik")
    expect(page.get_by_text("Er is niets veranderd.")).to_be_visible()
    anna.check_looks()
    anna.context.set_offline(False)
    anna.press(page.get_by_role("link", name="Opnieuw proberen"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Belt een bewoner terug?")
