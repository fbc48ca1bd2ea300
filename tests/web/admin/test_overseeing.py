"""A team with a privacy officer: the officer, not a lead, decides about officers."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from signals.models import StaffMember
from signals.vocabulary import AuditAction, Role
from tests.support.admin_pages import bea, id_of, invited, told
from tests.support.desk_side import AMSTERDAM, Desk
from tests.support.pages import Browser, words
from tests.support.team_pages import post
from tests.support.team_work import id_of as member_id

OFFICER: dict[str, Any] = {"name": "Nora Nieuw", "email": "nora@example.org", "role": "privacy_officer"}


def member(desk: Desk, who: str) -> StaffMember:
    with Session(desk.engine) as session:
        return session.get_one(StaffMember, member_id(desk, who))


def to_role(desk: Desk, who: str, role: str) -> TestResponse:
    return desk.call("lena", "POST", f"/staff/{member_id(desk, who)}/role", json={"role": role})


def shut_out(desk: Desk, who: str) -> TestResponse:
    return desk.call("lena", "POST", f"/staff/{member_id(desk, who)}/disable")


def appoint(desk: Desk) -> TestResponse:
    return desk.call("lena", "POST", "/staff", json=OFFICER)


def asked(answer: TestResponse) -> str:
    """The id of the request that an answer tells of."""
    assert answer.status_code == 202, answer.text
    assert answer.get_json()["member"] is None
    assert answer.get_json()["approval"]["decision"] == "asked"
    return str(answer.get_json()["approval"]["id"])


def decide(desk: Desk, who: str, approval_id: str, how: str = "approve") -> int:
    return desk.call(who, "POST", f"/approvals/{approval_id}/{how}").status_code


def test_another_officer_is_appointed_with_the_approval_of_the_one_there_is(desk: Desk) -> None:
    approval_id = asked(appoint(desk))
    assert asked(appoint(desk)) == approval_id
    assert told(desk) == [("fleur@example.org", told(desk)[0][1])]
    assert [decide(desk, who, approval_id) for who in ("lena", "anna", "bea", "floor")] == [
        403,
        403,
        403,
        404,
    ]
    assert invited(desk) == []
    assert decide(desk, "fleur", approval_id) == 200
    assert invited(desk) == [OFFICER["email"]]
    assert [entry.ground for entry in desk.entries(AuditAction.APPROVAL_DECIDED)] == ["approved"]


def test_a_worker_becomes_officer_with_approval_only_and_signs_in_again(desk: Desk) -> None:
    answer = to_role(desk, "bram", "privacy_officer")
    approval_id = asked(answer)
    assert answer.get_json()["approval"]["action"] == "role"
    assert member(desk, "bram").role is Role.WORKER
    assert desk.call("bram", "GET", "/queue").status_code == 200
    assert decide(desk, "lena", approval_id) == 403
    assert decide(desk, "fleur", approval_id) == 200
    assert member(desk, "bram").role is Role.PRIVACY_OFFICER
    assert desk.call("bram", "GET", "/audit").status_code == 401


@pytest.mark.parametrize("role", ["worker", "lead"])
def test_an_officer_keeps_the_role_until_they_agree_to_another(desk: Desk, role: str) -> None:
    approval_id = asked(to_role(desk, "fleur", role))
    assert desk.call("fleur", "GET", "/audit").status_code == 200
    assert decide(desk, "lena", approval_id) == 403
    assert decide(desk, "fleur", approval_id) == 200
    assert member(desk, "fleur").role is Role(role)
    assert desk.call("fleur", "GET", "/audit").status_code == 401


def test_an_officer_is_shut_out_by_a_lead_once_they_agree(desk: Desk) -> None:
    answer = shut_out(desk, "fleur")
    approval_id = asked(answer)
    assert (answer.get_json()["approval"]["action"], answer.get_json()["approval"]["role"]) == (
        "disable",
        None,
    )
    assert desk.call("fleur", "GET", "/audit").status_code == 200
    assert decide(desk, "fleur", approval_id, "decline") == 200
    assert member(desk, "fleur").disabled_at is None
    again = asked(shut_out(desk, "fleur"))
    assert again != approval_id
    assert decide(desk, "fleur", again) == 200
    assert desk.call("fleur", "GET", "/audit").status_code == 401


def test_a_second_lead_does_not_approve_for_the_first(desk: Desk) -> None:
    assert to_role(desk, "bram", "lead").status_code == 200
    second = Browser(desk, "bram")
    asked(shut_out(desk, "fleur"))
    assert "Toestemming geven" not in words(second.get("/desk/approvals"))
    assert "Account van Fleur" not in words(second.get("/desk/approvals"))


def test_an_officer_who_was_shut_out_comes_back_beside_another_with_approval(desk: Desk) -> None:
    bram = member_id(desk, "bram")
    decide(desk, "fleur", asked(to_role(desk, "bram", "privacy_officer")))
    assert bea(desk, "POST", f"/staff/{bram}/disable").status_code == 200
    lena = Browser(desk, "lena")
    answer = post(lena, "/desk/team", f"/desk/team/{bram}/reopen")
    assert answer.headers["Location"].endswith("done=asked")
    assert member(desk, "bram").disabled_at is not None
    (waiting,) = [one for one in items(desk) if one["decision"] == "asked"]
    assert decide(desk, "fleur", waiting["id"]) == 200
    assert member(desk, "bram").disabled_at is None
    assert invited(desk) == ["bram@example.org"]


def items(desk: Desk) -> list[dict[str, Any]]:
    return list(desk.call("fleur", "GET", "/approvals").get_json()["items"])


def test_the_first_officer_is_for_the_lead_to_appoint(desk: Desk) -> None:
    assert bea(desk, "POST", f"/staff/{member_id(desk, 'fleur')}/disable").status_code == 200
    answer = appoint(desk)
    assert answer.status_code == 201
    invited_one = UUID(answer.get_json()["member"]["id"])
    # An invited officer oversees nothing yet, so that the lead can correct a wrong address.
    assert desk.call("lena", "POST", f"/staff/{invited_one}/disable").status_code == 200
    assert to_role(desk, "bram", "privacy_officer").status_code == 200
    assert desk.call("bram", "GET", "/audit").status_code == 401
    asked(shut_out(desk, "bram"))


def test_a_lead_who_recovers_an_officer_does_not_come_to_decide_who_oversees(desk: Desk) -> None:
    assert desk.call("lena", "POST", f"/staff/{member_id(desk, 'fleur')}/reset").status_code == 200
    asked(appoint(desk))
    asked(shut_out(desk, "fleur"))


def test_an_administrators_wish_for_another_officer_is_the_officers_too(desk: Desk) -> None:
    approval_id = asked(bea(desk, "POST", "/staff", **OFFICER, organisation_id=id_of(desk, AMSTERDAM)))
    assert decide(desk, "lena", approval_id) == 403
    assert decide(desk, "fleur", approval_id) == 200
    assert invited(desk) == [OFFICER["email"]]


def test_every_other_role_ends_what_was_opened_in_the_old_one(desk: Desk) -> None:
    bram = Browser(desk, "bram")
    assert to_role(desk, "bram", "lead").status_code == 200
    assert desk.call("bram", "GET", "/me").status_code == 401
    assert bram.get("/desk").status_code == 303
    assert Browser(desk, "bram").get("/desk/team").status_code == 200


def test_the_pages_ask_and_say_so_and_only_the_officer_is_given_the_buttons(desk: Desk) -> None:
    lena = Browser(desk, "lena")
    invitation = OFFICER | {"language": "nl"}
    for path, fields in (
        ("/desk/team/invite", invitation),
        (f"/desk/team/{member_id(desk, 'bram')}/role", {"role": "privacy_officer"}),
        (f"/desk/team/{member_id(desk, 'fleur')}/disable", {}),
    ):
        answer = post(lena, "/desk/team", path, **fields)
        assert answer.headers["Location"].endswith("done=asked")
    assert "your privacy officer has a message and decides" in words(lena.get("/desk/team?done=asked"))
    shown = words(lena.get("/desk/approvals"))
    assert "Another role for Nora Nieuw" in shown
    assert "Another role for Bram Voorbeeld" in shown
    assert "Shut out Fleur Voorbeeld" in shown
    assert "/approve" not in lena.get("/desk/approvals").text
    fleur = Browser(desk, "fleur").get("/desk/approvals")
    assert fleur.text.count("/approve") == 3
    assert "beslist de functionaris gegevensbescherming" in words(fleur)
