"""Hand a signal over, take it back, and begin as a lead; wide without JavaScript, and on a phone with it."""

import re

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from signals.db import session_factory
from signals.models import Organisation, StaffMember
from tests.browser.desk import SIZES, Site
from tests.browser.desk_fixtures import OpenWindow
from tests.support.desk_side import GRONINGEN

pytestmark = [pytest.mark.browser, pytest.mark.slow]

OPTIONS = {"desk": {"java_script_enabled": False}, "phone": {"java_script_enabled": True}}
"""The phone scripted and the desk not: together they show that neither needs the other."""


@pytest.mark.parametrize("size", SIZES)
def test_a_handover_is_asked_once_and_taken_back(site: Site, window: OpenWindow, size: str) -> None:
    signal_id = site.desk.arrive(concern_types=["frail"])
    anna = window("anna", size=SIZES[size], options=OPTIONS[size])
    page = anna.open(f"/desk/signals/{signal_id}/refer")
    expect(page.get_by_role("radio")).to_have_count(1)
    expect(page.get_by_role("group", name="Hoort bij dit adres (Amsterdam)")).to_be_visible()
    anna.check_looks()
    page.select_option("#refer-reason", "moved")
    page.fill("#refer-text", "Naar haar zus.")
    page.fill("#search", "gron")
    page.press("#search", "Enter")
    expect(page.get_by_role("radio")).to_have_count(3)
    anna.check_looks()
    anna.press(page.get_by_text(GRONINGEN))
    anna.press(page.get_by_role("button", name="Verder"))
    expect(page.get_by_role("alert")).to_contain_text("het adres ligt in Amsterdam")
    expect(page.get_by_role("heading", level=2)).to_have_text(
        f"Gaat dit signaal naar: {GRONINGEN} (Groningen)?"
    )
    anna.check_looks()
    anna.press(page.get_by_role("button", name="Nee, kies opnieuw"))
    expect(page.locator("#refer-text")).to_have_value("Naar haar zus.")
    anna.press(page.get_by_role("button", name="Verder"))
    anna.press(page.get_by_role("button", name="Ja, draag het over"))
    expect(page.get_by_role("status")).to_contain_text("Nog niemand heeft het daar geopend.")
    anna.check_looks()
    anna.press(page.get_by_role("button", name="Neem het signaal terug"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("1012 AB 12")
    expect(page.locator("#timeline + ol")).to_contain_text("Teruggenomen")


@pytest.mark.parametrize("size", SIZES)
def test_a_lead_begins_with_a_list_of_tasks(site: Site, window: OpenWindow, size: str) -> None:
    with session_factory(site.desk.engine).begin() as session:
        for team in session.scalars(select(Organisation)):
            team.proved_on, team.deputy_email, team.contact_phone, team.contact_email = None, None, "", ""
        for member in session.scalars(select(StaffMember)):
            member.language = "nl"
    lena = window("lena", size=SIZES[size], options=OPTIONS[size])
    page = lena.open()
    expect(page.get_by_text(re.compile("Richt uw team in: 1 van 5 klaar"))).to_be_visible()
    lena.check_looks()
    lena.press(page.locator("summary", has_text="Kies een vervanger"))
    page.fill("#first-deputy", "geen adres")
    lena.press(page.locator("details[open] details[open]").get_by_role("button"))
    expect(page.locator("#first-deputy-wrong")).to_be_visible()
    lena.check_looks()
    page.fill("#first-deputy", "vervanger@example.org")
    lena.press(page.locator("details[open] details[open]").get_by_role("button"))
    expect(page.get_by_text(re.compile("Richt uw team in: 2 van 5 klaar"))).to_be_visible()
