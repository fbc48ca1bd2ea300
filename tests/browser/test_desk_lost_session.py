"""A session that ends in the middle of a form: what was typed waits for its writer, and for nobody else.

Real Chromium; every form of the desk without a browser: `tests/web/staff_kit/test_typed_is_kept.py`.
"""

from collections.abc import Iterator
from uuid import UUID

import pytest
from playwright.sync_api import expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from signals.models import StaffMember, StaffSession
from tests.browser.desk import DONE, PHONE, SIZES, Site, Window
from tests.browser.desk_fixtures import OpenWindow, desk_in
from tests.support.chance import without_chance
from tests.support.desk_side import Desk
from tests.support.installations import Installation

pytestmark = [pytest.mark.browser, pytest.mark.slow]

KEPT = "Wat u typte is bewaard"
TYPED = 'Zij zegt: "Ik woon <hier> niet".\nPost is van de buren & van vroeger.'


@pytest.fixture(scope="module")
def desk(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """One for the module: each test ends the sessions of one person."""
    with desk_in(tmp_path_factory.mktemp("lost"), installation) as made:
        yield made


@pytest.mark.parametrize("size", SIZES)
def test_an_absence_comes_through_a_session_that_was_ended_elsewhere(
    site: Site, window: OpenWindow, size: str
) -> None:
    anna = window("anna", size=SIZES[size], options={"java_script_enabled": size == "phone"})
    last = "2026-12-04" if size == "desk" else "2026-12-18"
    page = anna.open("/desk/absence")
    page.fill("#absence-away_from", last)
    page.fill("#absence-away_until", last)
    page.select_option("#absence-cover_id", label="Bram Voorbeeld")
    end_sessions_of(site, "anna")
    anna.press(page.get_by_role("button", name="Opslaan"))
    expect(page.get_by_role("status")).to_contain_text(KEPT)
    anna.check_looks()
    anna.sign_in("anna")
    said = page.locator("dl.facts")
    expect(said).to_contain_text("Wie waarneemt")
    expect(said).to_contain_text("Bram Voorbeeld")
    anna.check_looks()
    anna.press(page.get_by_role("button", name="Opnieuw versturen"))
    expect(page.locator(DONE)).to_contain_text("Opgeslagen")
    expect(page.locator(".people li").last).to_contain_text("Bram Voorbeeld neemt waar.")


def test_settings_come_through_a_lost_cookie_and_the_page_shows_them_in_words(
    site: Site, window: OpenWindow
) -> None:
    lena = window("lena", size=PHONE)
    page = lena.open("/desk/settings")
    for day in ("Tuesday", "Sunday"):
        lena.press(page.locator(".days .tile", has_text=day))
    page.fill("#hours-opens_at", "9")
    lena.context.clear_cookies()
    lena.press(page.locator("#hours").get_by_role("button", name="Save"))
    expect(page.get_by_role("status")).to_contain_text(KEPT)
    lena.sign_in("lena")
    expect(page.locator("dl.facts")).to_contain_text("Monday, Wednesday, Thursday, Friday, Saturday")
    lena.check_looks()
    lena.press(page.get_by_role("button", name="Send again"))
    expect(page.locator("#hours").get_by_role("status")).to_have_text("Saved.")
    expect(page.locator("#hours-opens_at")).to_have_value("9")
    expect(page.get_by_label("Sunday")).not_to_be_checked()
    expect(page.get_by_label("Monday")).to_be_checked()


@pytest.mark.parametrize("size", SIZES)
def test_a_correction_of_an_officer_survives_a_lost_session_with_every_tick(
    site: Site, window: OpenWindow, size: str
) -> None:
    number = 31 if size == "desk" else 33
    signal_id = site.desk.arrive(number=number, concern_types=["frail", "confused"])
    fleur = window("fleur", size=SIZES[size])
    correct(fleur, number, signal_id)
    end_sessions_of(site, "fleur")
    fleur.press(fleur.page.get_by_role("button", name="Verbeteren", exact=True))
    expect(fleur.page.get_by_role("status")).to_contain_text(KEPT)
    assert "Post is van de buren" not in fleur.page.content()
    fleur.sign_in("fleur")
    said = fleur.page.locator("dl.facts")
    expect(said).to_contain_text("Maakt een verwarde indruk, Gaat lichamelijk achteruit")
    expect(fleur.page.locator("dd.typed", has_text="Ik woon")).to_have_text(TYPED, use_inner_text=True)
    fleur.check_looks()
    fleur.press(fleur.page.get_by_role("button", name="Opnieuw versturen"))
    expect(fleur.page.locator(DONE)).to_contain_text(f"{site.signal(signal_id).reference} is verbeterd")
    assert "1012" not in without_chance(fleur.page.url)


def test_another_person_at_the_same_computer_sees_nothing_of_the_correction(
    site: Site, window: OpenWindow
) -> None:
    signal_id = site.desk.arrive(number=35, concern_types=["frail"])
    fleur = window("fleur", size=PHONE)
    page = correct(fleur, 35, signal_id).page
    fleur.context.clear_cookies()
    fleur.press(page.get_by_role("button", name="Verbeteren", exact=True))
    expect(page.get_by_role("status")).to_contain_text("Niemand anders kan het lezen.")
    fleur.sign_in("anna")
    expect(page.get_by_role("heading", level=1)).to_have_text("Hier wordt niets getoond")
    assert "Ik woon" not in page.content()
    assert "1012AB" not in page.content()
    fleur.check_looks()
    fleur.press(page.get_by_role("link", name="Naar uw beginpagina"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Wachtrij")


def test_a_colleague_who_signed_in_meanwhile_in_another_tab_neither_sends_nor_reads_it(
    site: Site, window: OpenWindow
) -> None:
    signal_id = site.desk.arrive(number=37)
    anna = window("anna")
    page = anna.claim(signal_id)
    page.locator("summary", has_text="Notitie toevoegen").click()
    page.fill("#notes-text", TYPED)
    anna.context.clear_cookies()
    other = anna.context.new_page()
    other.goto(f"{site.url}/desk/sign-in")
    anna.page = other
    anna.sign_in("bram")
    anna.page = page
    anna.press(page.get_by_role("button", name="Notitie opslaan"))
    expect(page.get_by_role("heading", level=1)).to_have_text("De pagina stond te lang open")
    assert "Ik woon" not in page.content()
    assert site.signal(signal_id).notes == []


def test_a_button_with_nothing_typed_is_pressed_again_on_the_page_that_says_what_it_does(
    site: Site, window: OpenWindow
) -> None:
    lena = window("lena")
    page = lena.open("/desk/team")
    end_sessions_of(site, "lena")
    page.locator("summary", has_text="Shut out Bram Voorbeeld").click()
    lena.press(page.get_by_role("button", name="Yes, shut out Bram Voorbeeld"))
    expect(page.get_by_role("status")).to_contain_text("Er is niets veranderd")
    lena.check_looks()
    lena.sign_in("lena")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your team")
    expect(page.locator("summary", has_text="Shut out Bram Voorbeeld")).to_be_visible()


def correct(one: Window, number: int, signal_id: UUID) -> Window:
    """Find the signal by its address as an officer does, and fill in what does not hold of it."""
    page = one.open("/desk/officer/residents")
    page.fill("#find-postcode", "1012AB")
    page.fill("#find-house_number", str(number))
    one.press(page.get_by_role("button", name="Zoeken"))
    page.locator("summary", has_text="Verbeteren").click()
    form = page.locator("form[action$='/rectify']")
    for words in ("Maakt een verwarde indruk", "Gaat lichamelijk achteruit"):
        form.get_by_label(words).check()
    page.fill(f"#rectify-{signal_id}-statement", TYPED)
    page.select_option(f"#rectify-{signal_id}-identity", "digid")
    page.select_option(f"#rectify-{signal_id}-residence", "brp")
    form.locator("[name=third_parties]").check()
    return one


def end_sessions_of(site: Site, who: str) -> None:
    """As when somebody ends them elsewhere: the browser still holds its cookie."""
    with Session(site.desk.engine) as session, session.begin():
        email = site.desk.people[who].email
        member = session.scalars(select(StaffMember.id).where(StaffMember.email == email)).one()
        for one in session.scalars(select(StaffSession).where(StaffSession.staff_member_id == member)):
            if one.kind == "page":
                one.revoked_at = site.desk.clock.now()
