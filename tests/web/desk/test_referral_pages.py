"""The pages that refer a signal to another organisation."""

import re
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from signals.models import Organisation, Signal
from signals.vocabulary import ReferralReason
from tests.support.desk_side import GRONINGEN, Desk
from tests.support.officer_pages import browser, send


@pytest.fixture
def signal_id(desk: Desk) -> UUID:
    return desk.arrive(concern_types=["frail"])


def organisation(desk: Desk, name: str) -> str:
    with Session(desk.engine) as session:
        return str(session.scalars(select(Organisation.id).where(Organisation.name == name)).one())


def choices_of(page: str) -> list[str]:
    """Return the organisations that the page offers, in order."""
    return re.findall(r'name="organisation_id" value="[^"]+">\s*<span><strong>([^<]+)<', page)


def test_the_page_offers_who_belongs_to_the_address_and_a_search_finds_the_rest(
    desk: Desk, signal_id: UUID
) -> None:
    anna = browser(desk, "anna")
    path = f"/desk/signals/{signal_id}/refer"
    page = anna.get(path).text
    assert re.search("<h1>Overdragen: [^<]*1012 AB", page)
    assert "Hoort bij dit adres (Amsterdam)" in page
    assert choices_of(page) == ["GGD Amsterdam"]
    typed = {"again": "yes", "reason": ReferralReason.MOVED.value, "text": "Naar haar zus."}
    page = send(anna, path, search="gronin", **typed)[1]
    assert choices_of(page) == ["GGD Amsterdam", "GGD Groningen", GRONINGEN]
    assert page.count("buiten de regio") == 2
    assert ('value="moved" selected' in page, "Naar haar zus.</textarea>" in page) == (True, True)
    assert choices_of(send(anna, path, search="zzz", **typed)[1]) == ["GGD Amsterdam"]
    assert anna.get(f"/desk/signals/{signal_id}").status_code == 200


def test_one_line_confirms_name_and_place_before_the_signal_goes(desk: Desk, signal_id: UUID) -> None:
    anna = browser(desk, "anna")
    path = f"/desk/signals/{signal_id}/refer"
    fields = {"reason": ReferralReason.MOVED.value, "version": "1", "text": "Naar haar zus."}
    near = send(anna, path, organisation_id=organisation(desk, "GGD Amsterdam"), **fields)[1]
    assert "werkt niet in die regio" not in near
    to = organisation(desk, GRONINGEN)
    status, page = send(anna, path, organisation_id=to, **fields)
    assert (status, f"<strong>{GRONINGEN}</strong> (Groningen)?" in page) == (200, True)
    assert "het adres ligt in Amsterdam en deze organisatie werkt niet in die regio" in page
    assert "Naar haar zus." in page
    assert anna.get(f"/desk/signals/{signal_id}").status_code == 200
    assert send(anna, path, organisation_id=to, sure="yes", **fields)[0] == 303
    assert anna.get(f"/desk/signals/{signal_id}").status_code == 404


def hand_over(desk: Desk, signal_id: UUID) -> None:
    done = send(
        browser(desk, "anna"),
        f"/desk/signals/{signal_id}/refer",
        organisation_id=organisation(desk, GRONINGEN),
        reason=ReferralReason.MOVED.value,
        version="1",
        sure="yes",
    )
    assert done[0] == 303


def test_the_sender_takes_a_handover_back_from_the_page_that_search_leads_to(
    desk: Desk, signal_id: UUID
) -> None:
    hand_over(desk, signal_id)
    anna = browser(desk, "anna")
    path = f"/desk/signals/{signal_id}/handed-over"
    with Session(desk.engine) as session:
        reference = session.scalars(select(Signal.reference)).one()
    found = send(anna, "/desk/search", by="reference", reference=reference)[1]
    assert f'href="{path}"' in found
    page = anna.get(path).text
    assert "Nog niemand heeft het daar geopend." in page
    assert "di 24 nov 2026, 11:30" in page
    for _ in range(2):  # two presses
        assert send(anna, f"/desk/signals/{signal_id}/take-back", page="/desk")[0] == 303
    assert "Teruggenomen" in anna.get(f"/desk/signals/{signal_id}").text
    assert anna.get(path).status_code == 303
    assert browser(desk, "gerda").get(f"/desk/signals/{signal_id}").status_code == 404


def test_a_sender_who_comes_too_late_reads_why(desk: Desk, signal_id: UUID) -> None:
    hand_over(desk, signal_id)
    anna = browser(desk, "anna")
    assert browser(desk, "gerda").get(f"/desk/signals/{signal_id}").status_code == 200
    status, page = send(anna, f"/desk/signals/{signal_id}/take-back", page="/desk")
    assert status == 409
    assert "De andere organisatie opende het signaal, of er is een uur voorbij." in page
    assert "Neem het signaal terug" not in page
    assert browser(desk, "gerda").get(f"/desk/signals/{signal_id}").status_code == 200


def test_the_page_of_a_handover_is_only_for_its_sender(desk: Desk, signal_id: UUID) -> None:
    path = f"/desk/signals/{signal_id}/handed-over"
    assert browser(desk, "gerda").get(path).status_code == 404
    hand_over(desk, signal_id)
    assert browser(desk, "bram").get(path).status_code == 200
    assert browser(desk, "gerda").get(path).status_code == 303


def test_a_referral_to_nobody_shows_the_form_again(desk: Desk, signal_id: UUID) -> None:
    status, page = send(browser(desk, "anna"), f"/desk/signals/{signal_id}/refer", text="Naar haar zus.")
    assert status == 400
    assert "Naar haar zus." in page


def test_an_organisation_that_does_not_receive_is_refused_before_the_question(
    desk: Desk, signal_id: UUID
) -> None:
    fields = {"reason": "moved", "organisation_id": str(UUID(int=1)), "version": "1"}
    status, page = send(browser(desk, "anna"), f"/desk/signals/{signal_id}/refer", **fields)
    assert (status, "Deze organisatie kan nu geen signalen ontvangen." in page) == (400, True)
