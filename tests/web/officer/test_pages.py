"""The pages of a privacy officer, without JavaScript and in Dutch."""

import html
import re
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from signals.models import DeletionOrder, FollowUpNote, Signal, StaffMember
from signals.vocabulary import AuditAction, ConcernType, DeletionReason, RetentionRule
from signals.web.labels import label
from tests.support.desk_side import Desk
from tests.support.officer_pages import browser, send
from tests.support.pages import Browser

PLACE = {"postcode": "1012 AB", "house_number": "12"}
RESIDENTS = "/desk/officer/residents"
PROOF = {"identity": "seen_in_person", "residence": "brp", "third_parties": "yes"}


@pytest.fixture
def signal_id(desk: Desk) -> UUID:
    return desk.arrive(concern_types=["frail"])


@pytest.mark.parametrize("part", ["", "/residents", "/register", "/audit", "/retention"])
def test_every_part_of_the_officer_opens_in_dutch(desk: Desk, part: str) -> None:
    page = browser(desk, "fleur").get(f"/desk/officer{part}")
    assert page.status_code == 200
    assert '<html lang="nl">' in page.text
    assert "Rechten van bewoners" in page.text
    assert len(re.findall(r"<h1", page.text)) == 1


def test_a_form_of_an_address_shows_what_there_is_and_keeps_it_out_of_the_url(
    desk: Desk, signal_id: UUID
) -> None:
    fleur = browser(desk, "fleur")
    status, page = send(fleur, "/desk/officer/residents", **PLACE)
    with Session(desk.engine) as session:
        reference = session.get_one(Signal, signal_id).reference
    assert status == 200
    assert reference in page
    assert not re.search(r'(?:href|action)="[^"]*1012', page)


def test_a_wrong_value_gets_a_problem_beside_its_field(desk: Desk) -> None:
    status, page = send(browser(desk, "fleur"), "/desk/officer/residents", postcode="12", house_number="x")
    assert status == 400
    assert 'id="find-postcode-wrong"' in page
    assert 'id="find-house_number-wrong"' in page


@pytest.mark.parametrize(("kind", "start"), [("pdf", "%PDF-"), ("json", "{")])
def test_access_is_given_as_a_file(desk: Desk, signal_id: UUID, kind: str, start: str) -> None:
    fleur = browser(desk, "fleur")
    found = re.search(r'name="csrf_token" value="([0-9a-f]+)"', fleur.get("/desk/officer/residents").text)
    assert found
    data = {"csrf_token": found[1], "format": kind, **PLACE, **PROOF}
    answer = fleur.post("/desk/officer/residents/export", data=data)
    assert answer.status_code == 200
    assert answer.data.startswith(start.encode())
    assert answer.headers["Content-Disposition"] == f'attachment; filename="inzage.{kind}"'
    assert "no-store" in answer.headers["Cache-Control"]


def test_an_erasure_says_how_many_and_is_in_the_register(desk: Desk, signal_id: UUID) -> None:
    fleur = browser(desk, "fleur")
    path = "/desk/officer/residents/erase"
    status, page = send(fleur, path, page="/desk/officer/residents", right="erasure", **PLACE, **PROOF)
    assert (status, "1 signaal is verwijderd." in page) == (200, True)
    assert "Verwijdering (art. 17)" in fleur.get("/desk/officer/register").text
    forgotten = fleur.get("/desk/officer/retention").text
    assert label(DeletionReason.ERASURE, "nl") in forgotten


@pytest.mark.parametrize("claimed", [True, False])
def test_a_restricted_signal_shows_that_and_nothing_to_do(desk: Desk, signal_id: UUID, claimed: bool) -> None:
    if claimed:
        desk.call("anna", "POST", f"/signals/{signal_id}/claim")
    with Session(desk.engine) as session, session.begin():
        session.get_one(Signal, signal_id).restricted_on = date(2026, 11, 24)
    page = Browser(desk, "anna").get(f"/desk/signals/{signal_id}")
    assert page.status_code == 200
    assert "Beperkt sinds di 24 nov 2026" in page.text
    main = page.text.partition('class="signal__main"')[2].partition('class="signal__side"')[0]
    assert "<form" not in main
    assert "/refer" not in main
    assert "beperkt" in Browser(desk, "anna").get("/desk").text


RECTIFY = "/desk/officer/residents/rectify"
SEARCHED = {"searched_postcode": "1012 AB", "searched_house_number": "12"}


def test_the_page_corrects_the_content_and_adds_the_residents_own_words(desk: Desk) -> None:
    signal_id = desk.arrive(concern_types=["frail", "not_seen"], seen="once", noticed_on="2026-11-20")
    data = MultiDict([("withdrawn", "frail"), ("drop_seen", "yes"), ("drop_noticed_on", "yes")])
    data.update({"statement": "Ik was op reis.\r\nIk ben gezond.", "signal_id": str(signal_id)})
    data.update({**PLACE, **SEARCHED, **PROOF})
    status, page = post(browser(desk, "fleur"), RECTIFY, data)
    assert (status, "is verbeterd." in page) == (200, True)
    (signal,) = exported(desk)
    assert (signal["concern_types"], signal["seen"], signal["noticed_on"]) == (["not_seen"], None, None)
    (note,) = signal["follow_up_notes"]
    assert note["text"].endswith("Ik was op reis.\nIk ben gezond.")
    assert signal["address"]["house_number"] == 12


def test_a_workers_note_is_struck_or_replaced_on_the_page_and_a_replacement_has_words(desk: Desk) -> None:
    signal_id = desk.arrive(concern_types=["frail"])
    for text in ("Drinkt te veel.", "Ruzie met de buren."):
        desk.clock.moment += timedelta(minutes=1)
        assert (
            desk.call("anna", "POST", f"/signals/{signal_id}/notes", json={"text": text}).status_code == 201
        )
    with Session(desk.engine) as session:
        first, second = session.scalars(select(FollowUpNote.id).order_by(FollowUpNote.written_at))
    fields = {"signal_id": str(signal_id), f"note-{first}": "strike", f"note-{second}": "replace"}
    fields |= {**PLACE, **SEARCHED, **PROOF}
    status, page = send(browser(desk, "fleur"), RECTIFY, page=RESIDENTS, **fields)
    assert status == 400
    assert f'id="rectify-{signal_id}-notes-wrong"' in page
    assert "Drinkt" not in page
    assert "Ruzie met de buren" not in page
    fields[f"note_text-{second}"] = "Kent de buren."
    assert send(browser(desk, "fleur"), RECTIFY, page=RESIDENTS, **fields)[0] == 200
    struck, replaced = (note["text"] for note in exported(desk)[0]["follow_up_notes"])
    assert struck.startswith("Geschrapt op ")
    assert replaced.endswith("Kent de buren.")


@pytest.mark.parametrize("language", ["nl", "en"])
def test_the_form_of_a_correction_shows_nothing_of_what_was_said(desk: Desk, language: str) -> None:
    """The form has a box for every kind of concern, and none is ticked: it tells nothing."""
    desk.arrive(concern_types=["frail"], seen="once")
    with Session(desk.engine) as session, session.begin():
        fleur = session.scalars(select(StaffMember).where(StaffMember.email == "fleur@example.org")).one()
        fleur.language = language
    _status, page = send(browser(desk, "fleur"), RESIDENTS, **PLACE)
    boxes = re.findall(r'<input type="checkbox"[^>]*name="withdrawn" value="(\w+)">', page)
    assert boxes == [code.value for code in ConcernType]
    for code in ConcernType:
        assert label(code, language) in html.unescape(page)
    assert "checked" not in page.split("export-title")[0]


def test_a_correction_that_changes_nothing_is_asked_for_again_and_not_in_the_register(
    desk: Desk, signal_id: UUID
) -> None:
    fields = {"signal_id": str(signal_id), **PLACE, **SEARCHED, **PROOF}
    status, page = send(browser(desk, "fleur"), RECTIFY, page=RESIDENTS, **fields)
    assert status == 400
    assert f'id="rectify-{signal_id}-withdrawn-wrong"' in page
    assert "Er is nog niets anders." in page
    assert desk.entries(AuditAction.SIGNAL_RECTIFIED) == []


def test_a_correction_without_proof_opens_again_with_what_was_typed(desk: Desk, signal_id: UUID) -> None:
    """Beside the address that was searched, though another was typed as the right one."""
    data = MultiDict([("withdrawn", "frail"), ("withdrawn", "other"), ("drop_note", "yes")])
    data.update({"signal_id": str(signal_id), "statement": "Dat klopt niet.", **SEARCHED})
    data.update({"postcode": "1012AB", "house_number": "14"})
    status, page = post(browser(desk, "fleur"), RECTIFY, data)
    assert status == 400
    form = page.split(f'id="s-{signal_id}"')[1].split("</form>")[0]
    assert "<details open>" in form
    assert f'id="rectify-{signal_id}-identity-wrong"' in form
    assert re.findall(r'value="(\w+)" checked', form) == ["frail", "other", "yes"]
    assert re.search(r'name="house_number" type="text" value="14"', form)
    assert "Dat klopt niet." in form
    assert not re.search(r'(?:href|action)="[^"]*1012', page)
    assert desk.entries(AuditAction.SIGNAL_RECTIFIED) == []


def exported(desk: Desk) -> list[dict[str, Any]]:
    body = {"postcode": "1012AB", "house_number": 12, **PROOF, "third_parties": True}
    document = desk.call("fleur", "POST", "/residents/export", json=body).get_json()
    signals: list[dict[str, Any]] = document["signals"]
    return signals


def post(client: FlaskClient, path: str, data: MultiDict[str, str]) -> tuple[int, str]:
    """Send a form in which a name may be there more than once."""
    found = re.search(r'name="csrf_token" value="([0-9a-f]+)"', client.get(RESIDENTS).text)
    assert found
    data.add("csrf_token", found[1])
    answer = client.post(path, data=data)
    return answer.status_code, answer.text


def test_the_trail_is_filtered_and_kept_as_csv(desk: Desk, signal_id: UUID) -> None:
    desk.call("anna", "GET", f"/signals/{signal_id}")
    fleur = browser(desk, "fleur")
    page = fleur.get("/desk/officer/audit?action=signal_opened").text
    assert "Anna Voorbeeld" in page
    assert label(AuditAction.SIGNAL_OPENED, "nl") in page
    assert "audit.csv?action=signal_opened" in page
    assert "Anna Voorbeeld" in fleur.get("/desk/officer/audit.csv?action=signal_opened").text
    assert fleur.get("/desk/officer/audit?since=gisteren").status_code == 400


def test_a_period_is_changed_on_the_page(desk: Desk) -> None:
    fleur = browser(desk, "fleur")
    fields = {"rule": RetentionRule.CONCLUDED.value, "days": "56", "legal_basis": "Selectielijst 2026, 1"}
    assert send(fleur, "/desk/officer/retention", **fields) == (303, "/desk/officer/retention?done=changed")
    assert "Selectielijst 2026, 1" in fleur.get("/desk/officer/retention").text
    assert send(fleur, "/desk/officer/retention", **(fields | {"days": "400"}))[0] == 400
    status, text = send(fleur, "/desk/officer/retention", **(fields | {"days": "2"}))
    assert (status, "Kies meer dagen: minstens 16 meer" in text) == (400, True)


def test_a_lead_reads_the_periods_and_keeps_one_that_an_officer_shortened(desk: Desk) -> None:
    fleur, lena = browser(desk, "fleur"), browser(desk, "lena")
    fields = {"rule": RetentionRule.UNATTENDED.value, "days": "20", "legal_basis": "Selectielijst 2026, 1"}
    send(fleur, "/desk/officer/retention", **fields)
    assert 'name="days"' not in lena.get("/desk/officer/retention").text
    keep = {"rule": RetentionRule.UNATTENDED.value}
    page, path = "/desk/officer/retention", "/desk/officer/retention/keep"
    assert send(lena, path, page, **keep) == (303, f"{page}?done=kept")
    assert "20 dagen" not in fleur.get(page).text
    assert lena.post(page, data=fields).status_code == 403


def test_the_officer_sees_an_unreadable_signal_and_deletes_it(desk: Desk, signal_id: UUID) -> None:
    fleur, page = browser(desk, "fleur"), "/desk/officer/retention"
    assert "Onleesbare signalen" not in fleur.get(page).text
    with Session(desk.engine) as session, session.begin():
        session.get_one(Signal, signal_id).unreadable_on = date(2026, 11, 24)
    path = f"{page}/unreadable/{signal_id}"
    assert path in fleur.get(page).text
    assert send(fleur, path, page) == (303, f"{page}?done=given_up")
    assert path not in fleur.get(page).text
    assert "volgt binnen een minuut" in fleur.get(page).text
    with Session(desk.engine) as session:
        assert session.scalars(select(DeletionOrder.reason)).all() == [DeletionReason.UNREADABLE]
