"""A first lead who missed the link, and a team in which nobody is left who could approve."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from signals.models import AccountLink, StaffMember
from signals.staff.recovery import LinkRefused, link_token
from signals.vocabulary import AuditAction
from tests.support import recovering
from tests.support.admin_pages import bea, id_of, invited, told
from tests.support.desk_side import AMSTERDAM, GRONINGEN, Desk
from tests.support.pages import Browser, words
from tests.support.team_pages import post
from tests.support.team_work import id_of as member_id

NEW = {"name": "Voorbeeld Welzijn Utrecht", "kind": "social_work"}
LEAD: dict[str, Any] = {"name": "Nora Nieuw", "email": "nora@example.org", "role": "lead"}
OTHER = LEAD | {"name": "Olga Nieuw", "email": "olga@example.org"}


@pytest.fixture
def utrecht(desk: Desk) -> str:
    return str(bea(desk, "POST", "/organisations", **NEW).get_json()["id"])


@pytest.fixture
def nora(desk: Desk, utrecht: str) -> UUID:
    """The first lead, invited, whose link lapsed."""
    answer = bea(desk, "POST", "/staff", **LEAD, organisation_id=utrecht)
    desk.clock.moment += timedelta(hours=24)
    return UUID(answer.get_json()["member"]["id"])


def link(desk: Desk, email: str) -> str:
    with Session(desk.engine) as session:
        query = select(AccountLink).join(StaffMember).where(StaffMember.email == email)
        return link_token(desk.keystore, session.scalars(query).one().id)


def take_up(desk: Desk, token: str) -> None:
    with Session(desk.engine) as session, session.begin():
        recovering.take_up(desk.operation(session), token)


def refused_for_nobody(answer: TestResponse) -> bool:
    return bool(answer.status_code == 409 and answer.get_json()["type"].endswith(":nobody_to_approve"))


def people(desk: Desk, organisation: str) -> dict[str, bool]:
    """Address of everybody of an organisation, and whether they were shut out."""
    found = bea(desk, "GET", f"/staff?organisation={organisation}").get_json()["items"]
    return {member["email"]: member["disabled_on"] is not None for member in found}


def test_an_administrator_sends_a_first_lead_whose_link_lapsed_a_new_one(
    desk: Desk, utrecht: str, nora: UUID
) -> None:
    answer = bea(desk, "POST", f"/staff/{nora}/reset")
    assert (answer.status_code, answer.get_json()["approval"]) == (200, None)
    take_up(desk, link(desk, LEAD["email"]))
    assert "invitation" in {entry.ground for entry in desk.entries(AuditAction.PASSWORD_CHANGED)}
    assert "recovered" in {entry.ground for entry in desk.entries(AuditAction.STAFF_CHANGED)}
    assert bea(desk, "POST", "/staff", **OTHER, organisation_id=utrecht).status_code == 202


def test_the_same_first_lead_may_be_invited_once_more(desk: Desk, utrecht: str, nora: UUID) -> None:
    answer = bea(desk, "POST", "/staff", **LEAD | {"name": "Nora de Wit"}, organisation_id=utrecht)
    assert (answer.status_code, answer.get_json()["member"]["id"]) == (201, str(nora))
    assert answer.get_json()["member"]["name"] == "Nora de Wit"
    take_up(desk, link(desk, LEAD["email"]))


def test_another_first_lead_takes_the_place_of_one_whose_link_opens_nothing_any_more(
    desk: Desk, utrecht: str
) -> None:
    bea(desk, "POST", "/staff", **LEAD, organisation_id=utrecht)
    earlier = link(desk, LEAD["email"])
    assert bea(desk, "POST", "/staff", **OTHER, organisation_id=utrecht).status_code == 201
    assert people(desk, utrecht) == {LEAD["email"]: True, OTHER["email"]: False}
    with pytest.raises(LinkRefused):
        take_up(desk, earlier)
    assert bea(desk, "POST", "/staff", **LEAD, organisation_id=utrecht).status_code == 201
    assert people(desk, utrecht) == {LEAD["email"]: False, OTHER["email"]: True}


def test_an_unused_invitation_approves_nothing(desk: Desk) -> None:
    """Groningen's privacy officer is shut out; its invited lead cannot sign in to answer."""
    groningen = id_of(desk, GRONINGEN)
    asked = bea(desk, "POST", "/staff", **LEAD, organisation_id=groningen).get_json()["approval"]["id"]
    assert desk.call("floor", "POST", f"/approvals/{asked}/approve").status_code == 200
    bea(desk, "POST", f"/staff/{member_id(desk, 'floor')}/disable")
    assert refused_for_nobody(bea(desk, "POST", "/staff", **OTHER, organisation_id=groningen))


@pytest.mark.parametrize("what", ["grant", "reset"])
def test_the_same_asked_twice_is_one_request_until_it_is_answered(desk: Desk, what: str) -> None:
    def ask() -> str:
        if what == "grant":
            answer = bea(desk, "POST", "/staff", **LEAD, organisation_id=id_of(desk, AMSTERDAM))
        else:
            answer = bea(desk, "POST", f"/staff/{member_id(desk, 'anna')}/reset")
        assert answer.status_code == 202
        return str(answer.get_json()["approval"]["id"])

    first = ask()
    mails = told(desk)
    assert ask() == first
    assert (told(desk), len(desk.entries(AuditAction.APPROVAL_ASKED))) == (mails, 1)
    assert len(desk.call("lena", "GET", "/approvals").get_json()["items"]) == 1
    assert desk.call("lena", "POST", f"/approvals/{first}/decline").status_code == 200
    assert ask() != first


def test_the_pages_say_how_a_first_lead_gets_another_link(desk: Desk, utrecht: str, nora: UUID) -> None:
    browser = Browser(desk, "bea")
    place = f"/admin/organisations/{utrecht}"
    page = words(browser.get(place))
    assert "Nora Nieuw een nieuwe link sturen" in page
    assert "Uitnodiging" in page or "uitnodiging" in page
    assert "Het team vragen" not in page
    assert post(browser, place, f"{place}/staff/{nora}/reset").status_code == 303
    assert invited(desk) == [LEAD["email"]]
    take_up(desk, link(desk, LEAD["email"]))
    assert "Vernieuwing van Nora Nieuw vragen" in words(browser.get(place))
    refused = post(browser, place, f"{place}/staff/{nora}/reset")
    assert refused.status_code == 409
    assert "Vraag wie de server beheert" in words(refused)
