"""Search and rounds of the staff API."""

from uuid import UUID

import pytest

from signals.vocabulary import AuditAction
from tests.support.desk_side import Desk
from tests.support.staff_api import code_of, fields_of, post


def test_a_signal_is_found_by_reference_and_by_address_in_the_own_organisation(
    desk: Desk, signal_id: UUID
) -> None:
    reference = desk.call("anna", "GET", f"/signals/{signal_id}").get_json()["reference"]
    address = {"postcode": "1012 ab", "house_number": 12}
    for body in ({"reference": reference.lower()}, address):
        found = desk.call("anna", "POST", "/search", json=body).get_json()["items"]
        assert [item["id"] for item in found] == [str(signal_id)]
        assert desk.call("gerda", "POST", "/search", json=body).get_json()["items"] == []
    assert {entry.ground for entry in desk.entries(AuditAction.SEARCHED)} == {"reference", "address"}


@pytest.mark.parametrize(
    "body", [{}, {"postcode": "1012AB"}, {"house_number": 1}, {"reference": "X", "postcode": "1012AB"}]
)
def test_a_search_wants_a_reference_or_a_whole_address(desk: Desk, body: dict[str, object]) -> None:
    assert fields_of(desk.call("anna", "POST", "/search", json=body)) <= {
        "reference",
        "postcode",
        "house_number",
    }


def test_a_round_is_by_postcode_and_audited_for_each(desk: Desk) -> None:
    ids = [desk.arrive(number=number) for number in (2, 9, 3, 14)]
    for each in ids:
        post(desk, "anna", each, "claim")
    answer = desk.call("anna", "POST", "/rounds", json={"ids": [str(each) for each in ids]})
    assert [stop["address"]["house_number"] for stop in answer.get_json()["items"]] == [3, 9, 14, 2]
    assert {entry.subject_id for entry in desk.entries(AuditAction.ROUND_PRINTED)} == set(ids)


def test_a_round_takes_own_signals_only(desk: Desk, signal_id: UUID) -> None:
    body = {"ids": [str(signal_id)]}
    assert code_of(desk.call("anna", "POST", "/rounds", json=body)) == "state_forbids"
    post(desk, "bram", signal_id, "claim")
    assert code_of(desk.call("anna", "POST", "/rounds", json=body)) == "claimed_by_other"
    assert desk.call("gerda", "POST", "/rounds", json=body).status_code == 404
