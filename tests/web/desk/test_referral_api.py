"""Test referring over the API: for the sender, for the receiver, and for the keys."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from signals.models import Organisation, Referral, StatusChange
from signals.vocabulary import AuditAction
from tests.support.desk_side import GRONINGEN, Desk
from tests.support.pages import Browser, words

WORDS = "Mevrouw Voorbeeld is naar haar zus in Groningen verhuisd."


@pytest.fixture
def signal_id(desk: Desk) -> UUID:
    return desk.arrive(concern_types=["frail"])


@pytest.fixture
def groningen(desk: Desk) -> UUID:
    with Session(desk.engine) as session:
        return session.scalars(select(Organisation.id).where(Organisation.name == GRONINGEN)).one()


def refer(desk: Desk, signal_id: UUID, to: UUID, who: str = "anna", **more: Any) -> TestResponse:
    body = {"organisation_id": str(to), "reason": more.pop("reason", "outside_area")}
    return desk.call(who, "POST", f"/signals/{signal_id}/refer", json=body, **more)


def test_a_referral_says_only_that_when_and_to_whom(desk: Desk, signal_id: UUID, groningen: UUID) -> None:
    answer = refer(desk, signal_id, groningen)
    assert answer.status_code == 200, answer.text
    body = answer.get_json()
    assert set(body) == {"id", "reference", "state", "referred_on", "organisation", "take_back_until"}
    assert body["take_back_until"] == "2026-11-24T10:30:00Z"
    assert (body["id"], body["state"], body["referred_on"]) == (str(signal_id), "referred", "2026-11-24")
    assert body["organisation"] == {"id": str(groningen), "name": GRONINGEN}


def test_only_the_claimant_or_a_lead_refers_a_claimed_signal(
    desk: Desk, signal_id: UUID, groningen: UUID
) -> None:
    assert desk.call("bram", "POST", f"/signals/{signal_id}/claim").status_code == 200
    refused = refer(desk, signal_id, groningen)
    assert (refused.status_code, refused.get_json()["claimed_by"]) == (409, "Bram Voorbeeld")
    assert desk.call("bram", "GET", f"/signals/{signal_id}").status_code == 200
    assert refer(desk, signal_id, groningen, who="lena").status_code == 200


def test_a_reason_in_words_reaches_the_receiver_sealed_and_lies_nowhere_in_the_open(
    desk: Desk, signal_id: UUID, groningen: UUID
) -> None:
    assert refer(desk, signal_id, groningen, reason=WORDS).status_code == 200
    with Session(desk.engine) as session:
        assert session.scalars(select(Referral.reason)).one() == "other"
        assert WORDS not in [change.reason for change in session.scalars(select(StatusChange))]
    notes = desk.call("gerda", "GET", f"/signals/{signal_id}").get_json()["notes"]
    assert [note["text"] for note in notes] == [WORDS]
    database = desk.engine.url.database or ""
    for path in (database, f"{database}-wal"):
        with open(path, "rb") as file:
            assert b"haar zus" not in file.read()


@pytest.mark.parametrize("reason", ["", " ", "x" * 501])
def test_a_reason_is_asked_and_not_too_long(
    desk: Desk, signal_id: UUID, groningen: UUID, reason: str
) -> None:
    assert refer(desk, signal_id, groningen, reason=reason).status_code == 400
    assert desk.call("anna", "GET", f"/signals/{signal_id}").status_code == 200


def test_a_foreign_signal_is_not_found_and_leaves_a_trace(
    desk: Desk, signal_id: UUID, groningen: UUID
) -> None:
    assert refer(desk, signal_id, groningen, who="gerda").status_code == 404
    assert refer(desk, uuid4(), groningen, who="gerda").status_code == 404
    outcomes = {entry.outcome for entry in desk.entries(AuditAction.FOREIGN_SIGNAL_REFUSED)}
    assert outcomes == {"foreign", "unknown"}


def test_the_receivers_of_a_signal_say_who_belongs_and_who_lies_outside(desk: Desk, signal_id: UUID) -> None:
    def items(search: str) -> list[tuple[str, bool, bool]]:
        found = desk.call("anna", "GET", f"/signals/{signal_id}/receivers?search={search}").get_json()
        return [(item["name"], item["belongs"], item["outside_region"]) for item in found["items"]]

    assert items("") == [("GGD Amsterdam", True, False)]
    assert (GRONINGEN, False, True) in items("Groningen")


def test_a_program_takes_a_handover_back_once_and_not_after_it_was_opened(
    desk: Desk, signal_id: UUID, groningen: UUID
) -> None:
    path = f"/signals/{signal_id}/take-back"
    assert refer(desk, signal_id, groningen).status_code == 200
    assert desk.call("bram", "POST", path).get_json()["state"] == "claimed"
    assert refer(desk, signal_id, groningen, who="bram").status_code == 200
    assert desk.call("gerda", "GET", f"/signals/{signal_id}").status_code == 200
    refused = desk.call("bram", "POST", path)
    assert (refused.status_code, refused.get_json()["type"].rpartition(":")[2]) == (409, "handover_over")
    assert desk.call("anna", "POST", f"/signals/{uuid4()}/take-back").status_code == 404


def test_a_worker_finds_receivers_by_a_part_of_their_name(desk: Desk) -> None:
    found = desk.call("anna", "GET", "/organisations?receiving=true&search=gronin").get_json()["items"]
    assert [item["name"] for item in found] == ["GGD Groningen", GRONINGEN]
    assert all(set(item) == {"id", "name", "kind"} for item in found)


def test_a_worker_is_not_offered_the_own_organisation_nor_the_whole_list(desk: Desk) -> None:
    own = desk.call("anna", "GET", "/organisations?receiving=true&search=Welzijn Amsterdam")
    assert own.get_json()["items"] == []
    assert desk.call("anna", "GET", "/organisations").status_code == 403


def test_the_receiver_reads_that_the_sender_notified_the_resident(
    desk: Desk, signal_id: UUID, groningen: UUID
) -> None:
    told = {"notified_on": "2026-11-24"}
    assert desk.call("anna", "POST", f"/signals/{signal_id}/notice", json=told).status_code == 201
    desk.clock.moment += timedelta(days=1)
    assert refer(desk, signal_id, groningen).status_code == 200
    gerda = Browser(desk, "gerda")
    page = words(gerda.get(f"/desk/signals/{signal_id}"))
    assert "verteld op di 24 nov 2026, door wie het toen had" in page
    assert "Vertel bij uw eerste contact dat u het nu hebt" in page
    gerda.send(signal_id, "notice", notified_on="2026-11-25")
    assert "door wie het toen had" not in words(gerda.get(f"/desk/signals/{signal_id}"))
