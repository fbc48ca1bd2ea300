"""A signal worked from new to concluded on real Chromium: presses counted, two at once, nothing lost."""

from uuid import UUID

import pytest
from playwright.sync_api import Page, expect

from signals.vocabulary import Action, AttemptKind, AttemptResult, Outcome, SignalState
from tests.browser.desk import DONE, SIZES, Site, Window
from tests.browser.desk_fixtures import OpenWindow

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.mark.parametrize("size", SIZES)
def test_a_signal_is_claimed_with_one_press_after_signing_in(
    site: Site, window: OpenWindow, signal_id: UUID, size: str
) -> None:
    anna = window(size=SIZES[size])
    anna.open()
    anna.sign_in("anna")
    anna.begin_counting()
    anna.press(anna.page.get_by_role("button", name="Oppakken"))
    expect(anna.page.locator(DONE)).to_have_text("U hebt dit signaal opgepakt.")
    assert anna.presses() == 1
    assert site.signal(signal_id).state is SignalState.CLAIMED


@pytest.mark.parametrize("size", SIZES)
def test_an_attempt_is_recorded_with_two_presses(
    site: Site, window: OpenWindow, signal_id: UUID, size: str
) -> None:
    anna = window("anna", size=SIZES[size])
    _claimed(anna.open_signal(signal_id))
    anna.begin_counting()
    anna.press_attempt("Geen gehoor")
    expect(anna.page.locator(DONE)).to_have_text("De poging is opgeslagen.")
    assert anna.presses() == 2
    (attempt,) = site.signal(signal_id).attempts
    assert (attempt.kind, attempt.result) == (AttemptKind.VISIT, AttemptResult.NO_ANSWER)
    assert attempt.attempted_at == site.desk.clock.now()


def test_enter_in_a_field_records_no_result_that_nobody_chose(
    site: Site, window: OpenWindow, signal_id: UUID
) -> None:
    anna = window("anna")
    _claimed(anna.open_signal(signal_id))
    anna.page.locator(".tile").first.click()
    anna.page.locator("summary", has_text="Andere dag of tijd").click()
    anna.page.fill("#contact-attempts-attempted_time", "09:00")
    anna.page.press("#contact-attempts-attempted_time", "Enter")
    expect(anna.page.get_by_role("alert")).to_contain_text("Resultaat: Kies hoe het ging.")
    assert site.signal(signal_id).attempts == []
    expect(anna.page.locator(".tile :checked")).to_have_count(1)
    expect(anna.page.locator("#contact-attempts-attempted_time")).to_have_value("09:00")


def test_a_double_press_saves_one_attempt(site: Site, window: OpenWindow, signal_id: UUID) -> None:
    anna = window("anna")
    _claimed(anna.open_signal(signal_id))
    anna.page.locator(".tile").first.click()
    anna.page.get_by_role("button", name="Geen gehoor").dblclick()
    expect(anna.page.locator(".timeline li", has_text="Huisbezoek")).to_have_count(1)
    assert len(site.signal(signal_id).attempts) == 1


def test_going_back_shows_what_was_saved_since(site: Site, window: OpenWindow, signal_id: UUID) -> None:
    anna = window("anna")
    _claimed(anna.open_signal(signal_id))
    _tried(anna.page, "Geen gehoor")
    expect(anna.page.locator(DONE)).to_have_text("De poging is opgeslagen.")
    anna.page.go_back()
    expect(anna.page.locator(".timeline li", has_text="Huisbezoek: geen gehoor")).to_have_count(1)
    assert len(site.signal(signal_id).attempts) == 1


@pytest.mark.parametrize("size", SIZES)
def test_without_javascript_a_signal_goes_from_new_to_concluded(
    site: Site, window: OpenWindow, signal_id: UUID, size: str
) -> None:
    anna = window(size=SIZES[size], options={"java_script_enabled": False})
    page = anna.open()
    anna.sign_in("anna")
    page.select_option("#state", "new")
    anna.press(page.get_by_role("button", name="Tonen"))
    anna.press(page.get_by_role("button", name="Oppakken"))
    expect(page.locator(DONE)).to_have_text("U hebt dit signaal opgepakt.")
    _tried(page, "Contact gehad")
    _write_note(page, "Gaat goed.")
    anna.press(page.get_by_role("button", name="Notitie opslaan"))
    anna.press(page.locator("summary", has_text="De bewoner informeren"))
    page.fill("#notice-notified_on", "2026-11-24")
    anna.press(page.locator("form[action$='/notice'] button[type=submit]").last)
    expect(page.locator(DONE)).to_contain_text("Het informeren van de bewoner is vastgelegd")
    anna.ended("Een gesprek was genoeg")
    found = site.signal(signal_id)
    assert (found.outcome, found.notified_on is not None) == (Outcome.TALK_SUFFICED, True)


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_a_question_waits_for_an_outcome_that_asks_it(site: Site, window: OpenWindow, scripts: bool) -> None:
    anna = window("anna", options={"java_script_enabled": scripts})
    page = anna.claim(site.desk.arrive(number=43))
    anna.press(page.locator("summary", has_text="Afronden"))
    questions = page.locator("form[action*='/conclude'] fieldset")
    expect(questions.filter(visible=True)).to_have_count(1)
    for tile, asked in (
        ("Doorverwezen", ["Naar wie", "Hoe sprak u de bewoner?", "Hoe hoorde de bewoner"]),
        ("Verhuisd", ["Hoe hoorde de bewoner"]),
        ("Misbruik", []),
        ("Hulp aanvaard", ["Hoe sprak u de bewoner?", "Hoe hoorde de bewoner"]),
    ):
        anna.press(page.locator(".tile", has_text=tile))
        expect(questions.filter(visible=True)).to_contain_text(["Hoe liep het af?", *asked])
    anna.press(questions.nth(2).locator(".tile", has_text="Bij een bezoek"))
    expect(page.get_by_text("Was deze bewoner nog niet in beeld")).to_be_visible()
    anna.press(page.get_by_role("button", name="Dit signaal afronden"))
    expect(page.get_by_role("alert").get_by_role("link")).to_have_count(1)
    anna.ended("Hulp aanvaard", "Ja, nieuw in beeld", "Aan de deur")


def test_a_button_pressed_again_while_the_answer_is_under_way_does_its_work_once_and_says_so(
    site: Site, window: OpenWindow
) -> None:
    signal_id = site.desk.arrive()
    anna = window("anna")
    page = anna.claim(signal_id)
    page.locator(".tile").first.click()
    _pressed_again(anna, "Contact gehad")
    expect(page.locator(DONE)).to_have_text("De poging is opgeslagen.")
    page.locator("summary", has_text="Notitie toevoegen").click()
    page.fill("#notes-text", "Bel eerst.")
    _pressed_again(anna, "Notitie opslaan")
    expect(page.locator(DONE)).to_have_text("De notitie is opgeslagen.")
    page.locator(".tile", has_text="Een gesprek was genoeg").click()
    page.locator(".tile", has_text="Aan de deur").click()
    _pressed_again(anna, "Dit signaal afronden")
    expect(page.locator(DONE)).to_have_text("Het signaal is afgerond.")
    page.locator("summary", has_text="Heropenen").click()
    _pressed_again(anna, "Dit signaal heropenen")
    expect(page.locator(DONE)).to_have_text("Het signaal staat weer open, en u hebt het.")
    found = site.signal(signal_id)
    assert (len(found.attempts), len(found.notes)) == (1, 1)
    assert [one.action for one in found.history if one.action in (Action.CONCLUDE, Action.REOPEN)] == [
        Action.CONCLUDE,
        Action.REOPEN,
    ]


def _claimed(page: Page) -> None:
    page.get_by_role("button", name="Dit signaal oppakken").click()
    expect(page.locator(DONE)).to_be_visible()


def _tried(page: Page, result: str) -> None:
    page.locator(".tile").first.click()
    page.get_by_role("button", name=result).click()


def _write_note(page: Page, text: str) -> None:
    page.locator("summary", has_text="Notitie toevoegen").click()
    page.fill("#notes-text", text)


def _pressed_again(one: Window, button: str) -> None:
    """Twice: the second time when the first has done its work, and before its answer is there."""
    place = one.page.get_by_role("button", name=button)
    place.evaluate(
        """(button) => fetch(button.form.action, {
          method: "POST", redirect: "manual", body: new URLSearchParams(new FormData(button.form, button)),
        })"""
    )
    one.press(place)
