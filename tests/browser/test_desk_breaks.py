"""What breaks into work at the desk, on real Chromium: a session that ends, a colleague who is shut out or
away, a link that is too old."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from signals.clock import today
from signals.vocabulary import Action
from tests.browser.desk import DONE, PHONE, Site, Window
from tests.browser.desk_fixtures import OpenWindow, desk_in
from tests.browser.mailed_links import NEW, mailed_link
from tests.support.desk_side import GRONINGEN, Desk
from tests.support.installations import Installation

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SCRIPTS = pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
TYPED = 'Mevrouw woont nu bij haar zus: "Lange <Straat> 3".\nBel eerst.'


@pytest.fixture(scope="module")
def desk(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """One for the module, whose clock these tests move on."""
    with desk_in(tmp_path_factory.mktemp("breaks"), installation) as made:
        yield made


@SCRIPTS
def test_a_typed_referral_survives_a_lost_session_and_a_new_sign_in(
    site: Site, window: OpenWindow, scripts: bool
) -> None:
    signal_id = site.desk.arrive(number=3 if scripts else 5)
    anna = window("anna", size=PHONE, options={"java_script_enabled": scripts})
    page = anna.open(f"/desk/signals/{signal_id}/refer?search=gronin")
    page.get_by_label(GRONINGEN).check()
    page.select_option("#refer-reason", "moved")
    page.fill("#refer-text", TYPED)
    anna.context.clear_cookies()
    anna.press(page.get_by_role("button", name="Overdragen"))
    expect(page.get_by_role("status")).to_contain_text("Wat u typte is bewaard")
    anna.sign_in("anna")
    said = [GRONINGEN, "De bewoner is verhuisd", TYPED]
    expect(page.locator("dd.typed")).to_have_text(said, use_inner_text=True)
    assert anna.wider_than_the_screen() == []
    anna.press(page.get_by_role("button", name="Opnieuw versturen"))
    expect(page.locator(DONE)).to_contain_text(GRONINGEN)
    gerda = window("gerda")
    expect(gerda.open_signal(signal_id).locator(".timeline")).to_contain_text(TYPED, use_inner_text=True)


def test_a_button_pressed_again_while_the_answer_is_under_way_does_its_work_once_and_says_so(
    site: Site, window: OpenWindow
) -> None:
    signal_id = site.desk.arrive(number=6)
    anna = window("anna")
    page = anna.claim(signal_id)
    page.locator(".tile").first.click()
    _pressed_again(anna, "Contact gehad")
    expect(page.locator(DONE)).to_have_text("De poging is opgeslagen.")
    page.locator("summary", has_text="Notitie toevoegen").click()
    page.fill("#notes-text", TYPED)
    _pressed_again(anna, "Notitie opslaan")
    expect(page.locator(DONE)).to_have_text("De notitie is opgeslagen.")
    page.select_option("#conclude-outcome", "talk_sufficed")
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


def test_a_worker_shut_out_in_the_middle_of_work_saves_nothing_more_and_the_team_goes_on(
    site: Site, window: OpenWindow
) -> None:
    signal_id = site.desk.arrive(number=7)
    bram, lena = window("bram"), window("lena")
    page = bram.claim(signal_id)
    page.locator("summary", has_text="Notitie toevoegen").click()
    page.fill("#notes-text", "Nog één ding.")
    lena.open("/desk/team").locator("summary", has_text="Shut out Bram Voorbeeld").click()
    lena.press(lena.page.get_by_role("button", name="Yes, shut out Bram Voorbeeld"))
    expect(lena.page.get_by_text("Their signals are back in the queue.")).to_be_visible()
    bram.press(page.get_by_role("button", name="Notitie opslaan"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Aanmelden")
    bram.sign_in("bram")
    expect(page.get_by_role("alert")).to_be_visible()
    assert "1012 AB" not in page.content()
    anna = window("anna")
    reference = site.signal(signal_id).reference
    anna.press(anna.open().get_by_role("button", name=f"Oppakken {reference}"))
    expect(anna.page.locator(".timeline")).to_contain_text("Het account is afgesloten")
    assert site.signal(signal_id).notes == []


def test_a_claim_of_somebody_on_holiday_is_told_to_the_lead_who_lets_a_colleague_stand_in(
    site: Site, window: OpenWindow
) -> None:
    signal_id = site.desk.arrive(number=9)
    anna, lena = window("anna"), window("lena", size=PHONE)
    anna.claim(signal_id)
    last = today(site.desk.clock) + timedelta(days=7)
    anna.open("/desk/absence").fill("#absence-away_until", last.isoformat())
    anna.press(anna.page.get_by_role("button", name="Opslaan"))
    expect(anna.page.get_by_text("Niemand neemt waar.")).to_be_visible()
    page = lena.open()
    expect(page.get_by_text("and nobody stands in.")).to_contain_text("Anna Voorbeeld is away until")
    lena.press(page.get_by_role("link", name="Say who stands in"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Absence")
    assert (lena.axe(), lena.wider_than_the_screen()) == ([], [])
    lena.press(page.get_by_role("button", name=re.compile("Remove.*Anna Voorbeeld")))
    page.select_option("#absence-staff_id", label="Anna Voorbeeld")
    page.select_option("#absence-cover_id", label="Lena Voorbeeld")
    page.fill("#absence-away_until", last.isoformat())
    lena.press(page.get_by_role("button", name="Save"))
    expect(page.get_by_text("Lena Voorbeeld stands in.")).to_be_visible()
    expect(lena.open().get_by_text("You stand in for Anna Voorbeeld")).to_be_visible()
    expect(page.get_by_text("nobody stands in")).to_have_count(0)


def test_an_invitation_that_is_too_old_opens_nothing_and_says_whom_to_ask(
    site: Site, window: OpenWindow
) -> None:
    lena, noor = window("lena"), window()
    page = lena.open("/desk/team")
    page.fill("#invite-name", "Noor Voorbeeld")
    page.fill("#invite-email", NEW)
    lena.press(page.get_by_role("button", name="Send the invitation"))
    link = mailed_link(site)
    site.desk.clock.moment += timedelta(hours=24, seconds=1)
    noor.press(noor.open(link).get_by_role("button", name="Verder"))
    expect(noor.page.get_by_text("Deze link werkt niet of niet meer").first).to_be_visible()
    expect(noor.page.locator("#take-up-password")).to_have_count(0)
    assert noor.axe() == []


def _pressed_again(one: Window, button: str) -> None:
    """Twice: the second time when the first has done its work, and before its answer is there."""
    place = one.page.get_by_role("button", name=button)
    place.evaluate(
        """(button) => fetch(button.form.action, {
          method: "POST", redirect: "manual", body: new URLSearchParams(new FormData(button.form, button)),
        })"""
    )
    one.press(place)
