"""The privacy officer over the API: residents' rights, retention and the audit trail."""

from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

from signals.models import AddressLink, DeletionRecord, Organisation, RegisterEntry, Signal
from signals.vocabulary import AuditAction, DeletionReason
from tests.factories import DeletionRecordFactory
from tests.support.chance import without_chance
from tests.support.desk_side import AMSTERDAM, Desk
from tests.support.letters import is_on_own_paper, text_of, write_on_own_paper
from tests.support.officer_pages import ask, refer, refer_to_groningen

PLACE: dict[str, Any] = {"postcode": "1012 ab", "house_number": 12}


PROOF: dict[str, Any] = {"identity": "seen_in_person", "residence": "brp", "third_parties": True}


def registered(desk: Desk) -> list[RegisterEntry]:
    with Session(desk.engine) as session:
        return list(session.scalars(select(RegisterEntry)))


def test_a_search_of_residents_is_audited_at_each_found_signal_without_the_address(
    desk: Desk, signal_id: UUID
) -> None:
    ask(desk, "search", **PLACE)
    entries = desk.entries(AuditAction.SEARCHED)
    assert {(entry.ground, entry.subject_id, entry.outcome) for entry in entries} == {
        ("right_of_resident", None, "ok"),
        ("right_of_resident", signal_id, "found"),
    }


def test_a_search_that_finds_a_referred_signal_is_in_its_trail(desk: Desk, signal_id: UUID) -> None:
    refer_to_groningen(desk, signal_id)
    ask(desk, "search", **PLACE)
    assert signal_id in {entry.subject_id for entry in desk.entries(AuditAction.SEARCHED)}


def test_an_export_holds_everything_and_is_registered_without_it(desk: Desk, signal_id: UUID) -> None:
    desk.call("anna", "POST", f"/signals/{signal_id}/notes", json={"text": "Belt dinsdag terug."})
    document = ask(desk, "export", **PLACE, **PROOF).get_json()
    (signal,) = document["signals"]
    assert signal["address"] == {"postcode": "1012AB", "house_number": 12, "addition": ""}
    assert (signal["concern_types"], signal["seen"]) == (["frail"], "once")
    assert [note["text"] for note in signal["follow_up_notes"]] == ["Belt dinsdag terug."]
    assert [kept["days"] for kept in document["retention"]] == [28, 28, 365]
    assert document["recipients"] == ["own_team", "referred_to", "processor"]
    (entry,) = registered(desk)
    assert (entry.right, entry.outcome, entry.signals_found) == ("access", "exported", 1)
    assert [found.subject_id for found in desk.entries(AuditAction.EXPORTED)] == [signal_id]


def test_only_true_says_that_third_parties_were_looked_at(desk: Desk, signal_id: UUID) -> None:
    answer = ask(desk, "export", **PLACE, **(PROOF | {"third_parties": 1}))
    assert answer.status_code == 400
    assert answer.get_json()["errors"][0]["field"] == "third_parties"


@pytest.mark.parametrize("missing", ["identity", "residence"])
def test_no_content_leaves_without_proof(desk: Desk, signal_id: UUID, missing: str) -> None:
    proof = {name: value for name, value in PROOF.items() if name != missing}
    for what in ("export", "erase"):
        assert ask(desk, what, **PLACE, **proof).status_code == 400
    assert registered(desk) == []


def test_an_export_is_a_pdf_on_own_paper_where_that_is_asked(desk: Desk, signal_id: UUID) -> None:
    write_on_own_paper(desk)
    answer = desk.call(
        "fleur",
        "POST",
        "/residents/export",
        json={**PLACE, **PROOF},
        headers={"Accept": "application/pdf"},
    )
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    assert is_on_own_paper(answer.data)
    assert {"730", "24", "12"} <= set(
        text_of(answer.data).split()
    )  # what stays afterwards, as the letter says
    assert len(registered(desk)) == 1


def test_an_export_of_an_address_without_a_signal_says_so(desk: Desk) -> None:
    asked = {"json": {**PLACE, **PROOF}, "headers": {"Accept": "application/pdf"}}
    read = text_of(desk.call("fleur", "POST", "/residents/export", **asked).data)
    assert "bewaart op 24 november 2026 niets over dit adres." in read
    assert "Iemand maakte zich zorgen" not in read


def test_an_erasure_deletes_signal_link_and_key_and_says_how_many(desk: Desk, signal_id: UUID) -> None:
    with Session(desk.engine) as session:
        key_id = session.get_one(Signal, signal_id).case_key_id
    answer = ask(desk, "erase", **PLACE, **PROOF)
    assert answer.get_json() == {"signals": 1, "elsewhere": 0, "at_once": True}
    with Session(desk.engine) as session:
        assert session.get(Signal, signal_id) is None
        assert session.scalar(select(func.count()).select_from(AddressLink)) == 0
        assert session.get_one(DeletionRecord, signal_id).reason == "erasure"
    assert desk.keystore.case_keys([key_id]) == {}
    assert [entry.right for entry in registered(desk)] == ["erasure"]


def test_a_returned_and_erased_signal_is_deleted_here_and_referred_there(desk: Desk, signal_id: UUID) -> None:
    reference = desk.call("anna", "GET", f"/signals/{signal_id}").get_json()["reference"]
    refer_to_groningen(desk, signal_id)
    refer(desk, "gerda", signal_id, AMSTERDAM)
    ask(desk, "erase", **PLACE, **PROOF)
    here, there = (
        desk.call(who, "POST", "/search", json={"reference": reference}).get_json()
        for who in ("anna", "gerda")
    )
    assert (here["deleted_on"], here["referred_on"]) == ("2026-11-24", None)
    assert (there["deleted_on"], there["referred_on"]) == (None, "2026-11-24")


def test_a_right_that_erases_nothing_is_no_erasure(desk: Desk, signal_id: UUID) -> None:
    assert ask(desk, "erase", **PLACE, **PROOF, right="access").status_code == 400


def test_the_team_sees_a_restriction_and_gets_neither_advice_nor_address_of_a_round(
    desk: Desk, signal_id: UUID
) -> None:
    desk.call("anna", "POST", f"/signals/{signal_id}/claim")
    ask(desk, "restrict", signal_id=str(signal_id), **PROOF)
    opened = desk.call("anna", "GET", f"/signals/{signal_id}").get_json()
    assert (opened["restricted_on"], opened["suggestion"]) == ("2026-11-24", None)
    assert [item["restricted_on"] for item in desk.call("anna", "GET", "/queue").get_json()["items"]] == [
        "2026-11-24"
    ]
    refused = desk.call("anna", "POST", "/rounds", json={"ids": [str(signal_id)]})
    assert (refused.status_code, refused.get_json()["type"]) == (409, "urn:problem:signals:restricted")
    ask(desk, "restrict", signal_id=str(signal_id), lift=True, **PROOF)
    assert desk.call("anna", "POST", "/rounds", json={"ids": [str(signal_id)]}).status_code == 200


@pytest.mark.parametrize("what", ["rectify", "restrict"])
def test_a_right_meant_for_another_version_is_refused(desk: Desk, signal_id: UUID, what: str) -> None:
    body = {"signal_id": str(signal_id), **(PLACE if what == "rectify" else {}), **PROOF}
    path = f"/residents/{what}"
    stale = desk.call("fleur", "POST", path, json=body, headers={"If-Match": '"99"'})
    assert stale.status_code == 412
    assert registered(desk) == []
    assert desk.call("fleur", "POST", path, json=body, headers={"If-Match": '"1"'}).status_code == 200


def test_an_arrival_is_shown_by_its_day_in_the_trail(desk: Desk, signal_id: UUID) -> None:
    """The entry is made at midnight: a time of day would be read as if it were one."""
    lines = desk.call(
        "fleur", "GET", "/audit?action=signal_arrived", headers={"Accept": "text/csv"}
    ).text.splitlines()
    assert [len(line.split(",")[0]) for line in lines[1:]] == [len("2026-11-24")] * (len(lines) - 1)
    assert len(lines) > 1


@pytest.mark.parametrize("what", ["rectify", "restrict"])
def test_a_foreign_signal_is_not_found_by_an_officer(desk: Desk, signal_id: UUID, what: str) -> None:
    place = PLACE if what == "rectify" else {}
    for each in (signal_id, uuid4()):
        assert ask(desk, what, who="floor", signal_id=str(each), **place, **PROOF).status_code == 404
    outcomes = {entry.outcome for entry in desk.entries(AuditAction.FOREIGN_SIGNAL_REFUSED)}
    assert outcomes == {"foreign", "unknown"}


def test_the_register_names_who_did_it_and_no_other_organisation(desk: Desk, signal_id: UUID) -> None:
    ask(desk, "export", **PLACE, **PROOF)
    (item,) = desk.call("fleur", "GET", "/residents/register").get_json()["items"]
    assert (item["recorded_by"], item["right"]) == ("Fleur Voorbeeld", "access")
    assert "1012" not in without_chance(str(item))
    assert desk.call("floor", "GET", "/residents/register").get_json()["items"] == []


def test_a_deletion_is_listed_and_counted(desk: Desk, signal_id: UUID) -> None:
    ask(desk, "erase", **PLACE, **PROOF)
    answer = desk.call("fleur", "GET", "/retention").get_json()
    assert answer["months"] == [{"month": "2026-11", "reason": "erasure", "count": 1}]
    (item,) = answer["items"]
    assert (item["deleted_on"], item["key_destroyed_on"]) == ("2026-11-24", "2026-11-24")
    assert desk.call("floor", "GET", "/retention").get_json()["items"] == []


def test_deletions_are_counted_by_month_and_reason_and_by_the_database(desk: Desk) -> None:
    concluded, unattended = DeletionReason.CONCLUDED, DeletionReason.UNATTENDED
    record_deletion(desk, date(2025, 12, 31), concluded)
    for day, reason in ((1, concluded), (28, concluded), (2, unattended)):
        record_deletion(desk, date(2026, 2, day), reason)
    statements: list[str] = []
    event.listen(desk.engine, "before_cursor_execute", lambda *said: statements.append(said[2]))
    months = desk.call("fleur", "GET", "/retention?limit=1").get_json()["months"]
    assert [(row["month"], row["reason"], row["count"]) for row in months] == [
        ("2026-02", "unattended", 1),
        ("2026-02", "concluded", 2),
        ("2025-12", "concluded", 1),
    ]
    read = [text for text in statements if "FROM deletion_records" in text]
    assert all("LIMIT" in text or "GROUP BY" in text for text in read)
    assert len(read) == 2


def record_deletion(desk: Desk, day: date, reason: DeletionReason) -> None:
    with Session(desk.engine) as session, session.begin():
        own = session.scalars(select(Organisation.id).where(Organisation.name == AMSTERDAM)).one()
        session.add(DeletionRecordFactory.build(organisation_id=own, deleted_on=day, reason=reason))


def test_deletions_are_listed_page_by_page(desk: Desk) -> None:
    for number in (1, 2, 3):
        desk.arrive(number=number)
        ask(desk, "erase", postcode="1012AB", house_number=number, **PROOF)
    first = desk.call("fleur", "GET", "/retention?limit=2").get_json()
    second = desk.call("fleur", "GET", f"/retention?limit=2&cursor={first['next_cursor']}").get_json()
    references = [item["reference"] for item in (*first["items"], *second["items"])]
    assert len(references) == len(set(references)) == 3
    assert second["next_cursor"] is None


def test_a_longer_period_holds_at_once_with_its_ground_and_is_audited(desk: Desk) -> None:
    basis = "Selectielijst gemeenten 2026, 12.3"
    body = {"rule": "concluded", "days": 56, "legal_basis": basis}
    periods = desk.call("fleur", "PUT", "/retention/periods", json=body).get_json()["periods"]
    changed = next(period for period in periods if period["rule"] == "concluded")
    wanted = {"rule": "concluded", "days": 56, "legal_basis": basis, "own": True}
    assert changed == wanted | {"next_days": None, "next_from": None}
    assert [period["own"] for period in periods].count(True) == 1
    (entry,) = desk.entries(AuditAction.ORGANISATION_CHANGED)
    assert entry.ground == "retention:concluded:56"
    others = desk.call("floor", "GET", "/retention").get_json()["periods"]
    assert not any(period["own"] for period in others)


@pytest.mark.parametrize(
    ("rule", "days", "code"),
    [
        ("unattended", 29, "unattended_too_long"),
        ("unattended", 1, "period_too_short"),
        ("concluded", 17, "period_too_short"),
        ("hard_limit", 27, "limit_too_short"),
        ("concluded", 366, "limit_too_short"),
    ],
)
def test_a_period_that_does_not_fit_the_others_is_refused(
    desk: Desk, rule: str, days: int, code: str
) -> None:
    body = {"rule": rule, "days": days, "legal_basis": "Selectielijst 2026"}
    refused = desk.call("fleur", "PUT", "/retention/periods", json=body)
    assert [error["code"] for error in refused.get_json()["errors"]] == [code]
    assert desk.entries(AuditAction.ORGANISATION_CHANGED) == []


@pytest.mark.parametrize("wrong", [{"days": 0}, {"days": 367}, {"legal_basis": ""}, {"rule": "never"}])
def test_a_period_beyond_the_limits_or_without_ground_is_refused(desk: Desk, wrong: dict[str, Any]) -> None:
    body = {"rule": "concluded", "days": 14, "legal_basis": "Selectielijst 2026"} | wrong
    assert desk.call("fleur", "PUT", "/retention/periods", json=body).status_code == 400


def test_the_address_of_a_request_is_in_no_log_line(
    desk: Desk, signal_id: UUID, capfd: pytest.CaptureFixture[str]
) -> None:
    ask(desk, "search", **PLACE)
    ask(desk, "erase", **PLACE, **PROOF)
    written = capfd.readouterr()
    assert "1012" not in without_chance(written.out + written.err)
