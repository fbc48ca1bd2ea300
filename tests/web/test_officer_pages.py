"""The pages of privacy officers, administrators and referrals, without JavaScript and in Dutch."""

import re
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from signals.db import session_factory
from signals.models import Organisation, Signal, StaffMember
from signals.staff.sessions import open_session
from signals.vocabulary import AuditAction, DeletionReason, ReferralReason, RetentionRule
from signals.web.desk.auth import COOKIE
from signals.web.desk.officer_labels import label
from tests.support.catalogues import WEB
from tests.web.desk_fixtures import AMSTERDAM, GRONINGEN, Desk

PLACE = {"postcode": "1012 AB", "house_number": "12"}
PROOF = {"identity": "seen_in_person", "residence": "brp", "third_parties": "yes"}


@pytest.fixture
def signal_id(desk: Desk) -> UUID:
    return desk.arrive(concern_types=["frail"])


def browser(desk: Desk, who: str) -> FlaskClient:
    """A browser in which this person is signed in."""
    with session_factory(desk.engine).begin() as session:
        member = session.scalars(select(StaffMember).where(StaffMember.email == f"{who}@example.org")).one()
        token, _opened = open_session(session, member, "page", desk.clock.now(), timedelta(hours=8))
    client = desk.app.test_client()
    client.set_cookie(COOKIE, token)
    return client


def send(client: FlaskClient, path: str, page: str = "", **fields: str) -> tuple[int, str]:
    """Send a form as the page at `page` (by default that of the same path) would."""
    found = re.search(r'name="csrf_token" value="([0-9a-f]+)"', client.get(page or path).text)
    assert found
    answer = client.post(path, data={"csrf_token": found[1], **fields})
    return answer.status_code, answer.text or answer.headers.get("Location", "")


@pytest.mark.parametrize("part", ["", "/residents", "/register", "/audit", "/retention"])
def test_every_part_of_the_officer_opens_in_dutch(desk: Desk, part: str) -> None:
    page = browser(desk, "fleur").get(f"/desk/officer{part}")
    assert page.status_code == 200
    assert '<html lang="nl">' in page.text
    assert "Rechten van bewoners" in page.text
    assert len(re.findall(r"<h1", page.text)) == 1


@pytest.mark.parametrize("who", ["anna", "lena", "bea", "coen"])
def test_nobody_else_opens_the_officers_pages(desk: Desk, who: str) -> None:
    assert browser(desk, who).get("/desk/officer").status_code == 403


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


def test_what_was_typed_wrong_is_said_beside_the_field(desk: Desk) -> None:
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


def test_access_without_proof_shows_the_form_again(desk: Desk, signal_id: UUID) -> None:
    path = "/desk/officer/residents/export"
    status, page = send(browser(desk, "fleur"), path, page="/desk/officer/residents", **PLACE)
    assert status == 400
    assert 'id="export-identity-wrong"' in page
    assert desk.entries(AuditAction.EXPORTED) == []


def test_an_erasure_says_how_many_and_is_in_the_register(desk: Desk, signal_id: UUID) -> None:
    fleur = browser(desk, "fleur")
    path = "/desk/officer/residents/erase"
    status, page = send(fleur, path, page="/desk/officer/residents", right="erasure", **PLACE, **PROOF)
    assert (status, "1 signaal is verwijderd." in page) == (200, True)
    assert "Verwijdering (art. 17)" in fleur.get("/desk/officer/register").text
    forgotten = fleur.get("/desk/officer/retention").text
    assert label(DeletionReason.ERASURE, "nl") in forgotten


def test_an_address_is_corrected_and_a_signal_restricted(desk: Desk, signal_id: UUID) -> None:
    fleur = browser(desk, "fleur")
    start = "/desk/officer/residents"
    fixed = {"signal_id": str(signal_id), **PLACE, "house_number": "14", **PROOF}
    assert send(fleur, f"{start}/rectify", page=start, **fixed)[0] == 200
    assert send(fleur, f"{start}/restrict", page=start, signal_id=str(signal_id), **PROOF)[0] == 200
    with Session(desk.engine) as session:
        assert session.get_one(Signal, signal_id).restricted_on is not None


@pytest.mark.parametrize("language", ["nl", "en"])
def test_every_act_in_the_trail_has_words_and_no_two_the_same(language: str) -> None:
    words = [label(action, language) for action in AuditAction]
    assert len(set(words)) == len(AuditAction)


def test_on_a_small_screen_each_cell_of_a_list_tells_its_column() -> None:
    lists = [
        each
        for found in WEB.glob("*/templates/**/*.html")
        for each in re.findall(r'<table class="queue".*?</table>', found.read_text(), re.DOTALL)
    ]
    assert len(lists) > 5
    cells = [cell for each in lists for cell in re.findall(r"<td[^>]*>", each)]
    assert [cell for cell in cells if "data-head" not in cell] == []


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
    fields = {"rule": RetentionRule.CONCLUDED.value, "days": "14", "legal_basis": "Selectielijst 2026, 1"}
    assert "Selectielijst 2026, 1" in send(fleur, "/desk/officer/retention", **fields)[1]
    assert send(fleur, "/desk/officer/retention", **(fields | {"days": "400"}))[0] == 400


def test_a_signal_is_handed_over_on_its_page(desk: Desk, signal_id: UUID) -> None:
    anna = browser(desk, "anna")
    path = f"/desk/signals/{signal_id}/refer"
    page = anna.get(f"{path}?search=gronin").text
    assert GRONINGEN in page
    assert AMSTERDAM not in re.sub(r"<header.*?</header>", "", page, flags=re.DOTALL)
    with Session(desk.engine) as session:
        to = session.scalars(select(Organisation.id).where(Organisation.name == GRONINGEN)).one()
    fields = {"organisation_id": str(to), "reason": ReferralReason.MOVED.value, "version": "1"}
    assert send(anna, path, **fields)[0] == 200
    assert anna.get(f"/desk/signals/{signal_id}").status_code == 404


def test_a_referral_to_nobody_shows_the_form_again(desk: Desk, signal_id: UUID) -> None:
    status, page = send(browser(desk, "anna"), f"/desk/signals/{signal_id}/refer", text="Naar haar zus.")
    assert status == 400
    assert "Naar haar zus." in page


def test_an_administrator_onboards_an_organisation_and_lets_its_first_lead_in(desk: Desk) -> None:
    bea = browser(desk, "bea")
    status, path = send(
        bea, "/admin/organisations", page="/admin", name="Voorbeeld Utrecht", kind="social_work"
    )
    assert status == 303
    found = re.search(r"/admin/organisations/[0-9a-f-]{36}", path)
    assert found
    assert "Ontvangt nog niets" in bea.get(found[0]).text
    onboarded = {
        "name": "Voorbeeld Utrecht",
        "agreement_on": "2026-01-01",
        "legal_basis": "Wmo 2015",
        "retention_basis": "Selectielijst",
        "recipient-0": "een@example.org",
        "verified-0": "2026-02-01",
        "recipient-1": "twee@example.org",
        "verified-1": "2026-02-01",
    }
    assert send(bea, found[0], **onboarded)[0] == 303
    assert "Ontvangt signalen" in bea.get(found[0]).text
    area = {"level": "municipality", "area": "gm0344", "valid_from": "2026-03-01"}
    assert send(bea, f"{found[0]}/coverage", page=found[0], **area)[0] == 303
    assert send(bea, f"{found[0]}/coverage", page=found[0], **area)[0] == 409
    lead = {"name": "Nora Nieuw", "email": "nora@example.org", "role": "lead"}
    assert send(bea, f"{found[0]}/staff", page=found[0], **lead)[0] == 303
    assert "Nora Nieuw" in bea.get(found[0]).text


def test_a_lead_approves_on_the_page_what_an_administrator_asked(desk: Desk) -> None:
    bea = browser(desk, "bea")
    with Session(desk.engine) as session:
        team = session.scalars(select(Organisation.id).where(Organisation.name == AMSTERDAM)).one()
    path = f"/admin/organisations/{team}"
    somebody = {"name": "Nora Nieuw", "email": "nora@example.org", "role": "worker"}
    assert send(bea, f"{path}/staff", page=path, **somebody)[0] == 303
    assert "Nora Nieuw" in bea.get("/admin/approvals").text
    lena = browser(desk, "lena")
    page = lena.get("/desk/approvals").text
    approve = re.search(r'action="(/desk/approvals/[0-9a-f-]+/approve)"', page)
    assert approve
    assert send(lena, approve[1], page="/desk/approvals")[0] == 303
    with Session(desk.engine) as session:
        assert session.scalar(select(StaffMember.id).where(StaffMember.email == "nora@example.org"))


def test_coverage_is_checked_in_words(desk: Desk) -> None:
    page = browser(desk, "bea").get("/admin/coverage?on=2026-11-24").text
    assert "Alleen het landelijk meldpunt ontvangt" in page
    assert "Utrecht" in page


def test_an_unknown_organisation_is_not_found(desk: Desk) -> None:
    assert browser(desk, "bea").get(f"/admin/organisations/{uuid4()}").status_code == 404


@pytest.mark.parametrize(("who", "home"), [("fleur", "/desk/officer"), ("bea", "/admin"), ("anna", "/desk")])
def test_everybody_begins_where_their_work_is(desk: Desk, who: str, home: str) -> None:
    form = {
        "email": f"{who}@example.org",
        "password": "een lange zin als wachtwoord",
        "totp": desk.code(who),
    }
    answer = desk.app.test_client().post("/desk/sign-in", data=form)
    assert (answer.status_code, answer.headers["Location"]) == (303, home)


def texts() -> set[str]:
    """Every text of these pages."""
    templates = [
        *(WEB / "desk/templates/desk/officer").glob("*.html"),
        *(WEB / "admin/templates/admin").glob("*.html"),
    ]
    programs = [
        WEB / name
        for name in (
            "desk/page_kit.py",
            "desk/officer_pages.py",
            "admin/pages.py",
            "admin/approval_pages.py",
        )
    ]
    found = [text for file in templates for text in _texts("jinja2.ext:babel_extract", file)]
    return {*found, *(text for file in programs for text in _texts("python", file))}


def _texts(method: str, file: Path) -> list[str]:
    messages = [message[1] for message in extract_from_file(method, str(file))]
    return [message[0] if isinstance(message, tuple) else message for message in messages]


def test_every_text_of_these_pages_is_there_in_dutch() -> None:
    known: set[str] = set()
    for folder in ("desk/translations", "translations"):
        with (WEB / folder / "nl/LC_MESSAGES/messages.po").open("rb") as file:
            catalogue = read_po(file, locale="nl")
        for message in catalogue:
            if message.string:
                known.add(message.id[0] if isinstance(message.id, tuple) else message.id)
    assert len(texts()) > 100
    assert texts() - known == set()
