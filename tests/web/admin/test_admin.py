"""Administration over the API: organisations, coverage, staff, and what a team must approve."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from notifications.models import OutboxMessage
from signals.keys.mailbox_keys import provision_mailbox_keys
from signals.models import Approval, RoutingVersion, StaffMember
from signals.vocabulary import AuditAction, Role
from tests.support.admin_pages import NATIONAL, area_of, bea, goes_live, id_of, invited, told
from tests.support.desk_side import AMSTERDAM, BASE, GRONINGEN, Desk
from tests.support.second_administrator import agreed
from tests.support.team_work import id_of as member_id

NAME = "Voorbeeld Welzijn Utrecht"
NEW: dict[str, Any] = {"name": NAME, "kind": "social_work"}
ONBOARDED: dict[str, Any] = {
    "agreement_on": "2026-01-01",
    "legal_basis": "Wmo 2015, 2.1.2",
    "retention_basis": "Selectielijst 2026",
    "recipients": [{"address": "een@utrecht.example.org"}, {"address": "twee@utrecht.example.org"}],
}
IN_UTRECHT = {"postcode": "3511AA", "house_number": 1}
SOMEBODY: dict[str, Any] = {"name": "Nora Nieuw", "email": "nora@example.org", "role": "worker"}


def routing_version(desk: Desk) -> int:
    with Session(desk.engine) as session:
        return session.scalars(select(RoutingVersion.version)).one()


@pytest.fixture
def utrecht(desk: Desk) -> str:
    return str(bea(desk, "POST", "/organisations", **NEW).get_json()["id"])


def test_a_new_organisation_lacks_everything_and_receives_nothing(desk: Desk) -> None:
    added = bea(desk, "POST", "/organisations", **NEW)
    assert added.status_code == 201
    body = added.get_json()
    assert (body["name"], body["receives"]) == (NAME, False)
    assert body["missing"] == ["agreement_on", "legal_basis", "retention_basis", "recipients", "drill"]
    (entry,) = desk.entries(AuditAction.ORGANISATION_CHANGED)
    assert (str(entry.organisation_id), entry.ground) == (body["id"], "added")


@pytest.mark.parametrize("name", ["  VOORBEELD welzijn   amsterdam", "Voorbeeld\u00a0Welzijn Amsterdam"])
def test_a_name_is_taken_in_any_capitals_and_spaces(desk: Desk, utrecht: str, name: str) -> None:
    added = desk.call("bea", "POST", "/organisations", json={"name": name, "kind": "ggd"})
    changed = desk.call("bea", "PATCH", f"/organisations/{utrecht}", json={"name": name})
    for answer in (added, changed):
        assert [error["code"] for error in answer.get_json()["errors"]] == ["taken"]


def test_an_organisation_takes_its_own_name_in_other_capitals_and_keeps_one_spelling(
    desk: Desk, utrecht: str
) -> None:
    renamed = bea(desk, "PATCH", f"/organisations/{utrecht}", name=f" {NAME.upper()}  cafe\u0301 ")
    assert renamed.get_json()["name"] == f"{NAME.upper()} caf\u00e9"
    again = bea(desk, "PATCH", f"/organisations/{utrecht}", name=f"{NAME} Caf\u00e9")
    assert again.get_json()["name"] == f"{NAME} Caf\u00e9"


def test_an_onboarded_organisation_with_coverage_receives_once_it_has_keys(desk: Desk, utrecht: str) -> None:
    assert looked_up(desk) != (NAME, True)
    changed = bea(desk, "PATCH", f"/organisations/{utrecht}", **ONBOARDED).get_json()
    assert (changed["receives"], changed["missing"]) == (False, ["recipients", "drill"])
    area = {"organisation_id": utrecht, "level": "municipality", "area": "GM0344", "valid_from": "2026-03-01"}
    agreed(desk, bea(desk, "POST", "/coverage", **area))
    goes_live(desk, utrecht)
    # Until a worker has made its keys nobody can seal to it: the national desk receives, and is named.
    assert looked_up(desk) == (NATIONAL, False)
    assert received_by(desk) == NATIONAL
    with Session(desk.engine) as session, session.begin():
        provision_mailbox_keys(desk.operation(session))
    assert looked_up(desk) == (NAME, True)
    assert received_by(desk) == NAME


def looked_up(desk: Desk) -> tuple[str, bool]:
    found = desk.client.post(f"{BASE}/coverage/lookup", json=IN_UTRECHT).get_json()
    return found["organisation"]["name"], found["covered"]


def received_by(desk: Desk) -> str:
    key = {"Idempotency-Key": str(uuid4())}
    sent = desk.client.post(f"{BASE}/signals", json=IN_UTRECHT, headers=key).get_json()
    return str(sent["organisation"]["name"])


def test_a_change_tells_routing_in_its_own_transaction(desk: Desk, utrecht: str) -> None:
    before = routing_version(desk)
    assert bea(desk, "PATCH", f"/organisations/{utrecht}", name="Voorbeeld Anders").status_code == 200
    bea(desk, "PATCH", f"/organisations/{utrecht}", name=AMSTERDAM)
    assert routing_version(desk) == before + 1


@pytest.mark.parametrize(
    "change",
    [
        {"suspended_from": "2026-11-24"},
        {"suspended_from": "2027-02-01"},
        {"agreement_on": None},
        {"legal_basis": ""},
        {"agreement_on": "2026-12-01"},
    ],
)
def test_the_only_national_desk_goes_on_receiving(desk: Desk, change: dict[str, Any]) -> None:
    national = id_of(desk, NATIONAL)
    refused = desk.call("bea", "PATCH", f"/organisations/{national}", json=change)
    assert refused.status_code == 409
    assert refused.get_json()["type"].endswith("last_national_desk")
    found = bea(desk, "GET", "/organisations?search=Landelijk").get_json()["items"]
    assert [one["receives"] for one in found] == [True]
    renamed = bea(desk, "PATCH", f"/organisations/{national}", contact_phone="0800 0000")
    assert renamed.status_code == 200


def test_a_national_desk_may_stop_once_another_receives(desk: Desk) -> None:
    second = bea(desk, "POST", "/organisations", name="Tweede meldpunt", kind="national").get_json()["id"]
    bea(desk, "PATCH", f"/organisations/{second}", **ONBOARDED)
    goes_live(desk, second)
    national = id_of(desk, NATIONAL)
    stopped = bea(desk, "PATCH", f"/organisations/{national}", suspended_from="2026-11-24")
    assert stopped.status_code == 200
    refused = desk.call("bea", "PATCH", f"/organisations/{second}", json={"suspended_from": "2026-11-24"})
    assert refused.status_code == 409


def test_two_recipients_who_confirmed_stay(desk: Desk, utrecht: str) -> None:
    one_only = {"recipients": [{"address": "een@utrecht.example.org"}]}
    assert bea(desk, "PATCH", f"/organisations/{utrecht}", **one_only).status_code == 200
    bea(desk, "PATCH", f"/organisations/{utrecht}", **ONBOARDED)
    goes_live(desk, utrecht)
    for fewer in (one_only, {"recipients": []}):
        refused = desk.call("bea", "PATCH", f"/organisations/{utrecht}", json=fewer)
        assert [error["code"] for error in refused.get_json()["errors"]] == ["keep_two"]


@pytest.mark.parametrize(
    ("wrong", "fields"),
    [
        ({"recipients": [{"address": "no address"}]}, ["recipients.0.address"]),
        (
            {"recipients": [{"address": "a@example.org"}, {"address": "A@example.org"}]},
            ["recipients.0.address", "recipients.1.address"],
        ),
        (
            {"recipients": [{"address": "a@example.org", "verified_on": "2026-11-20"}]},
            ["recipients.0.verified_on"],
        ),
        ({"recipients": [{"address": f"{one}@example.org"} for one in range(11)]}, ["recipients"]),
        ({"contact_email": "nobody"}, ["contact_email"]),
        ({}, [""]),
    ],
)
def test_a_wrong_change_is_refused_by_field(
    desk: Desk, utrecht: str, wrong: dict[str, Any], fields: list[str]
) -> None:
    answer = desk.call("bea", "PATCH", f"/organisations/{utrecht}", json=wrong)
    assert answer.status_code == 400
    assert [error["field"] for error in answer.get_json()["errors"]] == fields


def test_a_coordinator_is_made_nobodys_recipient_by_an_administrator_either(desk: Desk, utrecht: str) -> None:
    first = ONBOARDED["recipients"][0]
    coordinator = {"address": " Coen@Example.org"}
    refused = desk.call(
        "bea", "PATCH", f"/organisations/{utrecht}", json={"recipients": [first, coordinator]}
    )
    assert refused.status_code == 400
    assert [(error["field"], error["code"]) for error in refused.get_json()["errors"]] == [
        ("recipients.1.address", "coordinator")
    ]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({}, {}),
        ({"valid_until": "2026-06-01"}, {"valid_from": "2026-05-31"}),
        (
            {"level": "pc6_range", "area": "3511AA", "number_from": 1, "number_to": 20},
            {"level": "pc6_range", "area": "3511AA", "number_from": 20, "number_to": 40},
        ),
    ],
)
def test_an_overlap_is_refused_with_the_next_step(
    desk: Desk, utrecht: str, first: dict[str, Any], second: dict[str, Any]
) -> None:
    agreed(desk, area_of(desk, utrecht, **first))
    refused = area_of(desk, id_of(desk, AMSTERDAM), **second)
    assert refused.status_code == 409
    assert refused.get_json()["type"].endswith("coverage_overlaps")
    assert refused.get_json()["detail"]


def test_adjacent_periods_and_ranges_do_not_overlap(desk: Desk, utrecht: str) -> None:
    agreed(desk, area_of(desk, utrecht, valid_until="2026-06-01"))
    agreed(desk, area_of(desk, id_of(desk, AMSTERDAM), valid_from="2026-06-01"))


def test_a_coverage_ends_today_at_the_earliest_and_never_later_than_it_would(
    desk: Desk, utrecht: str
) -> None:
    area_id = agreed(desk, area_of(desk, utrecht, valid_until="2026-12-31"))
    for wrong in ("2026-11-23", "2027-01-01"):
        assert bea(desk, "PATCH", f"/coverage/{area_id}", valid_until=wrong).status_code == 400
    ended = bea(desk, "PATCH", f"/coverage/{area_id}", valid_until="2026-11-24")
    assert ended.get_json()["valid_until"] == "2026-11-24"
    grounds = [entry.ground for entry in desk.entries(AuditAction.COVERAGE_CHANGED)]
    assert sorted(grounds) == ["added:pc4", "ended:pc4"]


def test_the_first_lead_is_let_in_at_once_and_gets_the_link_oneself(desk: Desk, utrecht: str) -> None:
    answer = bea(desk, "POST", "/staff", **SOMEBODY | {"role": "lead"}, organisation_id=utrecht)
    assert answer.status_code == 201
    assert answer.get_json()["member"]["email"] == "nora@example.org"
    assert set(answer.get_json()["member"]) == {
        "id", "name", "email", "role", "language", "organisation_id", "disabled_on", "invited",
    }  # fmt: skip
    assert invited(desk) == ["nora@example.org"]


def test_an_administrator_asks_a_live_team_and_both_get_a_message(desk: Desk) -> None:
    answer = bea(desk, "POST", "/staff", **SOMEBODY, organisation_id=id_of(desk, AMSTERDAM))
    assert answer.status_code == 202
    assert answer.get_json()["approval"]["decision"] == "asked"
    assert answer.get_json()["member"] is None
    assert [recipient for recipient, _link in told(desk)] == ["fleur@example.org", "lena@example.org"]
    assert invited(desk) == []
    with Session(desk.engine) as session:
        assert session.scalar(select(StaffMember).where(StaffMember.email == "nora@example.org")) is None


@pytest.fixture
def approval_id(desk: Desk) -> str:
    answer = bea(desk, "POST", "/staff", **SOMEBODY, organisation_id=id_of(desk, AMSTERDAM))
    return str(answer.get_json()["approval"]["id"])


@pytest.mark.parametrize("who", ["lena", "fleur"])
def test_lead_or_officer_approves_and_then_the_account_is_there(
    desk: Desk, approval_id: str, who: str
) -> None:
    answer = desk.call(who, "POST", f"/approvals/{approval_id}/approve")
    assert (answer.status_code, answer.get_json()["decision"]) == (200, "approved")
    assert invited(desk) == ["nora@example.org"]
    recipients = {recipient for recipient, _link in told(desk)}
    assert recipients == {"fleur@example.org", "lena@example.org", "bea@example.org"}
    grounds = [entry.ground for entry in desk.entries(AuditAction.APPROVAL_DECIDED)]
    assert grounds == ["approved"]


def test_a_declined_request_lets_nobody_in(desk: Desk, approval_id: str) -> None:
    assert desk.call("lena", "POST", f"/approvals/{approval_id}/decline").status_code == 200
    assert desk.call("lena", "POST", f"/approvals/{approval_id}/approve").status_code == 409
    assert invited(desk) == []


def test_a_request_expires(desk: Desk, approval_id: str) -> None:
    desk.clock.moment += timedelta(days=14, seconds=1)
    assert desk.call("lena", "POST", f"/approvals/{approval_id}/approve").status_code == 409
    (shown,) = desk.call("lena", "GET", "/approvals").get_json()["items"]
    assert shown["decision"] == "expired"


@pytest.mark.parametrize(("who", "status"), [("floor", 404), ("anna", 403), ("bea", 403), ("coen", 403)])
def test_nobody_else_decides(desk: Desk, approval_id: str, who: str, status: int) -> None:
    assert desk.call(who, "POST", f"/approvals/{approval_id}/approve").status_code == status
    with Session(desk.engine) as session:
        assert session.get_one(Approval, UUID(approval_id)).decision == "asked"


def test_nobody_approves_the_own_reset(desk: Desk) -> None:
    asked = bea(desk, "POST", f"/staff/{member_id(desk, 'lena')}/reset")
    assert asked.status_code == 202
    path = f"/approvals/{asked.get_json()['approval']['id']}/approve"
    assert desk.call("lena", "POST", path).status_code == 403
    assert desk.call("fleur", "POST", path).status_code == 200
    assert desk.call("lena", "GET", "/me").status_code == 401


def test_an_approval_is_seen_by_its_organisation_only(desk: Desk, approval_id: str) -> None:
    for who, count in (("lena", 1), ("fleur", 1), ("bea", 1), ("floor", 0)):
        assert len(desk.call(who, "GET", "/approvals").get_json()["items"]) == count


def test_an_address_that_is_taken_is_refused(desk: Desk) -> None:
    for who, more in (("lena", {}), ("bea", {"organisation_id": id_of(desk, AMSTERDAM)})):
        body = SOMEBODY | {"email": "Anna@Example.org"} | more
        answer = desk.call(who, "POST", "/staff", json=body)
        assert answer.get_json()["errors"][0]["code"] == "taken"


def test_a_lead_sees_the_own_team_and_an_administrator_any(desk: Desk) -> None:
    own = desk.call("lena", "GET", "/staff").get_json()["items"]
    assert {member["name"] for member in own} == {f"{n} Voorbeeld" for n in ("Anna", "Bram", "Fleur", "Lena")}
    peeking = desk.call("lena", "GET", f"/staff?organisation={id_of(desk, GRONINGEN)}").get_json()["items"]
    assert peeking == own
    others = bea(desk, "GET", f"/staff?organisation={id_of(desk, GRONINGEN)}").get_json()["items"]
    assert [member["name"] for member in others] == ["Floor Voorbeeld", "Gerda Voorbeeld"]


def test_a_lead_disables_neither_oneself_nor_another_team(desk: Desk) -> None:
    assert desk.call("lena", "POST", f"/staff/{member_id(desk, 'lena')}/disable").status_code == 403
    assert desk.call("lena", "POST", f"/staff/{member_id(desk, 'gerda')}/disable").status_code == 404
    assert desk.call("lena", "POST", f"/staff/{uuid4()}/disable").status_code == 404


def test_a_message_about_an_account_carries_no_name_and_no_secret(desk: Desk, approval_id: str) -> None:
    with Session(desk.engine) as session:
        for message in session.scalars(select(OutboxMessage)):
            assert set(message.values) == {"link", "changed_on"}
            assert "Nora" not in str(message.values)
            assert "?" not in message.values["link"]


def test_a_role_without_organisation_is_given_to_coordinators_by_an_administrator(desk: Desk) -> None:
    body = SOMEBODY | {"role": Role.COORDINATOR.value}
    assert desk.call("bea", "POST", "/staff", json=body).status_code == 201
    assert desk.call("bea", "POST", "/staff", json=SOMEBODY).status_code == 403
