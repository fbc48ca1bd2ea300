"""The administrator's pages from a new organisation to its first lead, and the check of coverage."""

import re

from sqlalchemy import select
from sqlalchemy.orm import Session

from signals.models import Organisation, StaffMember
from tests.support.desk_side import AMSTERDAM, Desk
from tests.support.officer_pages import browser, send
from tests.support.pages import words
from tests.support.second_administrator import agree_to_all


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
        "recipient-1": "twee@example.org",
    }
    assert send(bea, found[0], **onboarded)[0] == 303
    area = {"area": "utrecht", "valid_from": "2026-03-01"}
    assert send(bea, f"{found[0]}/coverage", page=found[0], **area)[0] == 303
    assert send(bea, f"{found[0]}/coverage", page=found[0], area="Nergens")[0] == 400
    assert "wil dekken: gemeente: Utrecht" in words(bea.get("/admin/approvals"))
    agree_to_all(desk)
    assert send(bea, f"{found[0]}/coverage", page=found[0], **area)[0] == 409
    lead = {"name": "Nora Nieuw", "email": "nora@example.org", "role": "lead"}
    assert send(bea, f"{found[0]}/staff", page=found[0], **lead)[0] == 303
    assert "Nora Nieuw" in bea.get(found[0]).text
    assert send(bea, f"{found[0]}/live", page=found[0])[0] == 409
    page = words(bea.get(found[0]))
    assert "Overeenkomst, met de twee grondslagen : klaar" in page
    assert "Een teamleider die het account heeft ingesteld : gevraagd, nog geen antwoord" in page


def test_a_lead_approves_the_request_of_an_administrator_on_the_page(desk: Desk) -> None:
    bea = browser(desk, "bea")
    path = _organisation_of(desk, AMSTERDAM)
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


def test_an_area_is_named_and_of_its_own_kind(desk: Desk) -> None:
    page = browser(desk, "bea").get(_organisation_of(desk, AMSTERDAM)).text
    assert '<th scope="row">Amsterdam</th>' in page
    assert '<td data-head="Soort gebied">Gemeente</td>' in page


def _organisation_of(desk: Desk, name: str) -> str:
    with Session(desk.engine) as session:
        found = session.scalars(select(Organisation.id).where(Organisation.name == name)).one()
    return f"/admin/organisations/{found}"
