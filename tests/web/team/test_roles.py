"""Test that disabling and a new role release signals at once."""

import pytest

from signals.vocabulary import AuditAction, SignalState
from tests.support.desk_side import Desk
from tests.support.pages import Browser, words
from tests.support.team_pages import claimed, post, problems, visit
from tests.support.team_work import id_of, signal_of


@pytest.fixture
def lena(desk: Desk) -> Browser:
    return Browser(desk, "lena")


@pytest.mark.parametrize("by", ["lena", "bea"])
def test_disabling_an_account_releases_its_signals_at_once(desk: Desk, by: str) -> None:
    untried, tried = claimed(desk, "anna"), claimed(desk, "anna", number=14)
    others = claimed(desk, "bram", number=16)
    assert visit(desk, "anna", tried) == 201
    answer = desk.call(by, "POST", f"/staff/{id_of(desk, 'anna')}/disable")
    assert answer.status_code == 200
    found = [signal_of(desk, signal_id) for signal_id in (untried, tried, others)]
    assert [signal.state for signal in found] == [
        SignalState.NEW,
        SignalState.IN_FOLLOW_UP,
        SignalState.CLAIMED,
    ]
    assert [signal.claimed_by_id for signal in found] == [None, None, id_of(desk, "bram")]
    page = Browser(desk, "bram").get(f"/desk/signals/{untried}")
    assert "Het account is afgesloten" in words(page)


def test_a_colleague_signs_in_again_after_a_change_of_role(desk: Desk, lena: Browser) -> None:
    bram = str(id_of(desk, "bram"))
    assert desk.call("bram", "GET", "/approvals").status_code == 403
    assert post(lena, "/desk/team", f"/desk/team/{bram}/role", role="lead").status_code == 303
    assert desk.call("bram", "GET", "/approvals").status_code == 401
    anew = Browser(desk, "bram")
    assert anew.get("/desk/approvals").status_code == 200
    assert (
        post(anew, "/desk/team", f"/desk/team/{id_of(desk, 'lena')}/role", role="worker").status_code == 303
    )
    assert lena.get("/desk/team").status_code == 303
    assert Browser(desk, "lena").get("/desk/team").status_code == 403
    grounds = {entry.ground for entry in desk.entries(AuditAction.STAFF_CHANGED)}
    assert {ground for ground in grounds if ground.startswith("role:")} == {"role:lead", "role:worker"}


def test_a_role_without_signals_releases_them(desk: Desk) -> None:
    signal_id = claimed(desk, "anna")
    desk.call("bea", "POST", f"/staff/{id_of(desk, 'fleur')}/disable")
    body = {"role": "privacy_officer"}
    assert desk.call("lena", "POST", f"/staff/{id_of(desk, 'anna')}/role", json=body).status_code == 200
    assert signal_of(desk, signal_id).claimed_by_id is None


@pytest.mark.parametrize("role", ["administrator", "coordinator", "koning", ""])
def test_a_lead_gives_only_roles_of_a_team(desk: Desk, lena: Browser, role: str) -> None:
    anna = id_of(desk, "anna")
    assert set(problems(desk.call("lena", "POST", f"/staff/{anna}/role", json={"role": role}))) == {"role"}
    assert post(lena, "/desk/team", f"/desk/team/{anna}/role", role=role).status_code == 400


def test_only_a_lead_changes_the_role_of_a_colleague(desk: Desk) -> None:
    body = {"role": "worker"}
    assert desk.call("lena", "POST", f"/staff/{id_of(desk, 'lena')}/role", json=body).status_code == 403
    assert desk.call("lena", "POST", f"/staff/{id_of(desk, 'gerda')}/role", json=body).status_code == 404
    assert desk.call("anna", "POST", f"/staff/{id_of(desk, 'bram')}/role", json=body).status_code == 403
    assert desk.call("bea", "POST", f"/staff/{id_of(desk, 'bram')}/role", json=body).status_code == 403
