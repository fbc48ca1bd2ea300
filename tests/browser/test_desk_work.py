"""A signal worked from new to concluded on real Chromium: presses counted, two at once, nothing lost."""

import re
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from signals.clock import today
from signals.models import StaffMember
from signals.vocabulary import AttemptKind, AttemptResult, Outcome, SignalState
from tests.browser.desk import PHONE, SIZES, Site
from tests.browser.desk_fixtures import OpenWindow

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CHOOSING = 2
"""Presses of a choice from a list: one opens it, one chooses."""

DONE = "p.notice--done"


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
    anna.press(anna.page.get_by_text("Huisbezoek", exact=False).and_(anna.page.locator(".tile span")))
    anna.press(anna.page.get_by_role("button", name="Geen gehoor"))
    expect(anna.page.locator(DONE)).to_have_text("De poging is opgeslagen.")
    assert anna.presses() == 2
    (attempt,) = site.signal(signal_id).attempts
    assert (attempt.kind, attempt.result) == (AttemptKind.VISIT, AttemptResult.NO_ANSWER)
    assert attempt.attempted_at == site.desk.clock.now()


def test_a_worker_records_a_card_in_a_letter_box_as_delivered_and_not_as_unanswered(
    site: Site, window: OpenWindow, signal_id: UUID
) -> None:
    anna = window("anna", size=PHONE)
    page = anna.claim(signal_id)
    expect(page.get_by_role("button", name="Geen gehoor")).to_be_visible()
    anna.press(page.locator(".tile", has_text="Kaartje"))
    expect(page.get_by_role("button", name="Geen gehoor")).to_have_count(0)
    anna.press(page.get_by_role("button", name="Bezorgd, nog geen reactie"))
    expect(page.locator(".timeline")).to_contain_text("Kaartje: bezorgd, nog geen reactie")
    (attempt,) = site.signal(signal_id).attempts
    assert (attempt.kind, attempt.result) == (AttemptKind.CARD, AttemptResult.NO_ANSWER)


def test_from_the_queue_to_nobody_home_takes_three_presses(window: OpenWindow, signal_id: UUID) -> None:
    anna = window("anna", size=PHONE)
    _claimed(anna.open_signal(signal_id))
    anna.open()
    anna.begin_counting()
    anna.press(anna.page.locator("#rows th a"))
    anna.press(anna.page.locator(".tile").first)
    anna.press(anna.page.get_by_role("button", name="Geen gehoor"))
    expect(anna.page.locator(DONE)).to_be_visible()
    assert anna.presses() == 3


def test_a_letter_is_printed_with_two_presses_and_then_asks_whether_it_was_delivered(
    site: Site, window: OpenWindow, signal_id: UUID
) -> None:
    anna = window("anna")
    _claimed(anna.open_signal(signal_id))
    anna.begin_counting()
    anna.press(anna.page.locator("summary", has_text="De bewoner informeren"))
    with anna.context.expect_page() as letter:
        anna.page.get_by_role("button", name="Brief afdrukken").click()
    letter.value.close()
    assert anna.presses() == 2
    anna.page.reload()
    expect(anna.page.get_by_role("heading", name=re.compile("De brief is afgedrukt"))).to_be_visible()
    anna.begin_counting()
    anna.press(anna.page.get_by_role("button", name="Ja, vandaag"))
    assert anna.presses() == 1
    assert site.signal(signal_id).notified_on == today(site.desk.clock)


@pytest.mark.parametrize("size", SIZES)
def test_a_suggested_card_leads_to_where_it_is_printed(
    window: OpenWindow, signal_id: UUID, size: str
) -> None:
    anna = window("anna", size=SIZES[size])
    _claimed(anna.open_signal(signal_id))
    anna.press(anna.page.locator(".tile").first)
    anna.press(anna.page.get_by_role("button", name="Geen gehoor"))
    expect(anna.page.locator("#suggestion")).to_contain_text("kaartje")
    expect(anna.page.locator(".card--next .card__over")).to_contain_text("afronden uiterlijk")
    printing = anna.page.get_by_role("button", name="Kaartje afdrukken")
    expect(printing).to_be_hidden()
    anna.press(anna.page.get_by_role("link", name="Brief of kaartje afdrukken"))
    expect(printing).to_be_in_viewport()


def test_a_signal_is_concluded_with_four_presses(site: Site, window: OpenWindow, signal_id: UUID) -> None:
    anna = window("anna")
    _claimed(anna.open_signal(signal_id))
    _tried(anna.page, "Contact gehad")
    anna.begin_counting()
    anna.page.select_option("#conclude-outcome", "help_accepted")
    anna.press(anna.page.get_by_text("Ja, nieuw in beeld"))
    anna.press(anna.page.get_by_role("button", name="Dit signaal afronden"))
    expect(anna.page.locator(DONE)).to_have_text("Het signaal is afgerond.")
    assert anna.presses() + CHOOSING == 4
    assert site.signal(signal_id).outcome is Outcome.HELP_ACCEPTED


def test_enter_in_a_field_records_no_result_that_nobody_chose(
    site: Site, window: OpenWindow, signal_id: UUID
) -> None:
    anna = window("anna")
    _claimed(anna.open_signal(signal_id))
    anna.page.locator(".tile").first.click()
    anna.page.locator("summary", has_text="Was het eerder").click()
    anna.page.fill("#contact-attempts-attempted_time", "09:00")
    anna.page.press("#contact-attempts-attempted_time", "Enter")
    expect(anna.page.get_by_role("alert")).to_contain_text("Resultaat: Vul dit in.")
    assert site.signal(signal_id).attempts == []
    expect(anna.page.locator(".tile :checked")).to_have_count(1)
    expect(anna.page.locator("#contact-attempts-attempted_time")).to_have_value("09:00")


@pytest.mark.parametrize("size", SIZES)
def test_the_page_tells_the_second_claimant_the_name_and_time_of_the_first_claim(
    site: Site, window: OpenWindow, signal_id: UUID, size: str
) -> None:
    anna, bram = window("anna", size=SIZES[size]), window("bram", size=SIZES[size])
    anna.open()
    bram.open()
    anna.press(anna.page.get_by_role("button", name="Oppakken"))
    expect(anna.page.locator(DONE)).to_be_visible()
    bram.press(bram.page.get_by_role("button", name="Oppakken"))
    told = bram.page.get_by_role("alert")
    expect(told).to_have_text(
        re.compile(r"Anna Voorbeeld heeft dit signaal sinds di 24 nov 2026, \d\d:\d\d\. Overleg")
    )
    assert site.signal(signal_id).version == 2
    expect(bram.page.get_by_role("button", name="Geen gehoor")).to_have_count(0)


@pytest.mark.parametrize("size", SIZES)
def test_on_an_old_page_nobody_overwrites_and_what_was_typed_is_kept(
    site: Site, window: OpenWindow, signal_id: UUID, size: str
) -> None:
    anna, bram = window("anna", size=SIZES[size]), window("bram", size=SIZES[size])
    typed = "Buurvrouw zegt:\ndinsdag thuis & 's middags."
    _write_note(anna.open_signal(signal_id), typed)
    _write_note(bram.open_signal(signal_id), "Ik was er gisteren.")
    bram.press(bram.page.get_by_role("button", name="Notitie opslaan"))
    anna.press(anna.page.get_by_role("button", name="Notitie opslaan"))
    expect(anna.page.get_by_role("alert")).to_contain_text("Intussen veranderd door Bram Voorbeeld")
    expect(anna.page.locator("#notes-text")).to_have_value(typed)
    expect(anna.page.locator(".timeline")).to_contain_text("Ik was er gisteren.")
    anna.press(anna.page.get_by_role("button", name="Notitie opslaan"))
    expect(anna.page.locator(".timeline")).to_contain_text("Buurvrouw zegt:")
    assert len(site.signal(signal_id).notes) == 2


@pytest.mark.parametrize("size", SIZES)
def test_a_typed_note_survives_a_lost_session_and_a_new_sign_in(
    site: Site, window: OpenWindow, signal_id: UUID, size: str
) -> None:
    anna = window("anna", size=SIZES[size])
    typed = 'Mevrouw zei: "kom <later> terug".\nDochter bellen.'
    _write_note(anna.open_signal(signal_id), typed)
    anna.context.clear_cookies()
    anna.press(anna.page.get_by_role("button", name="Notitie opslaan"))
    expect(anna.page.get_by_role("status")).to_contain_text("Wat u typte is bewaard")
    anna.sign_in("anna")
    expect(anna.page.get_by_role("heading", level=1)).to_have_text("Wat u typte is bewaard")
    expect(anna.page.locator("dd.typed")).to_have_text(typed, use_inner_text=True)
    anna.press(anna.page.get_by_role("button", name="Opnieuw versturen"))
    expect(anna.page.locator(".timeline .typed")).to_have_text(typed, use_inner_text=True)
    assert len(site.signal(signal_id).notes) == 1


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


def test_somebody_whose_access_ends_in_the_middle_of_work_is_asked_to_sign_in(
    site: Site, window: OpenWindow, signal_id: UUID
) -> None:
    anna = window("anna")
    anna.open_signal(signal_id)
    with Session(site.desk.engine) as session, session.begin():
        member = session.scalars(select(StaffMember).where(StaffMember.email == "anna@example.org")).one()
        member.disabled_at = site.desk.clock.now()
    anna.press(anna.page.get_by_role("button", name="Dit signaal oppakken"))
    expect(anna.page.get_by_role("heading", level=1)).to_have_text("Aanmelden")
    assert site.signal(signal_id).state is SignalState.NEW


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
    page.select_option("#conclude-outcome", "talk_sufficed")
    anna.press(page.get_by_role("button", name="Dit signaal afronden"))
    expect(page.locator(DONE)).to_have_text("Het signaal is afgerond.")
    found = site.signal(signal_id)
    assert (found.outcome, found.notified_on is not None) == (Outcome.TALK_SUFFICED, True)


def _claimed(page: Page) -> None:
    page.get_by_role("button", name="Dit signaal oppakken").click()
    expect(page.locator(DONE)).to_be_visible()


def _tried(page: Page, result: str) -> None:
    page.locator(".tile").first.click()
    page.get_by_role("button", name=result).click()


def _write_note(page: Page, text: str) -> None:
    page.locator("summary", has_text="Notitie toevoegen").click()
    page.fill("#notes-text", text)
