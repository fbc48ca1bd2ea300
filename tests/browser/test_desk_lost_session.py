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
from tests.browser.desk import DONE, SIZES, Site, Window
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
    """End sessions as from elsewhere: the browser still holds its cookie."""
    with Session(site.desk.engine) as session, session.begin():
        email = site.desk.people[who].email
        member = session.scalars(select(StaffMember.id).where(StaffMember.email == email)).one()
        for one in session.scalars(select(StaffSession).where(StaffSession.staff_member_id == member)):
            if one.kind == "page":
                one.revoked_at = site.desk.clock.now()
