"""Test the hand-over of a concluded signal to the organisation's own case system."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from signals.casework.opening import signal_with_follow_up
from signals.models import Signal
from signals.vocabulary import AuditAction
from signals.web.desk import handing_over
from signals.web.desk.handing_over import HandoverSchema
from signals.web.staff_kit.pdf import Head, Section
from tests.support.desk_side import Desk
from tests.support.letters import is_on_own_paper, write_on_own_paper
from tests.support.pages import Browser, words

HELP: dict[str, Any] = {"outcome": "help_accepted", "newly_known": True}
REFERRED: dict[str, Any] = {"outcome": "referred", "referred_to": "wijkteam_wmo"}


def concluded(desk: Desk, note: str = "Mevrouw wil graag hulp in huis.", **outcome: Any) -> UUID:
    """Return a signal that anna followed up and concluded."""
    signal_id = desk.arrive(concern_types=["frail"], seen="once", noticed_on="2026-11-23")
    visit = {"kind": "visit", "result": "contact", "attempted_at": "2026-11-24T10:00:00+01:00", "workers": 2}
    for what, body in (
        ("claim", None),
        ("contact-attempts", visit),
        ("notes", {"text": note}),
        ("notice", {"notified_on": "2026-11-24"}),
        ("conclude", outcome),
    ):
        answer = desk.call("anna", "POST", f"/signals/{signal_id}/{what}", json=body)
        assert answer.status_code in (200, 201), answer.text
    return signal_id


def test_the_hand_over_has_all_that_a_file_needs_and_fits_its_schema(desk: Desk) -> None:
    signal_id = concluded(desk, **HELP)
    answer = desk.call("anna", "GET", f"/signals/{signal_id}/handover.json")
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    document = answer.get_json()
    assert HandoverSchema().validate(document) == {}
    assert set(document) == set(HandoverSchema().fields)
    assert document["address"] == {"postcode": "1012AB", "house_number": 12, "addition": ""}
    assert [note["text"] for note in document["notes"]] == ["Mevrouw wil graag hulp in huis."]
    [attempt] = document["contact_attempts"]
    assert attempt == {
        "kind": "visit",
        "result": "contact",
        "attempted_at": "2026-11-24T09:00:00Z",
        "workers": 2,
        "postponed_until": None,
    }
    assert (document["source"], document["outcome"], document["newly_known"]) == (
        "iemand",
        "help_accepted",
        True,
    )
    assert "Anna" not in answer.text


def test_the_hand_over_is_in_the_audit_each_time_it_is_taken(desk: Desk) -> None:
    signal_id = concluded(desk, **REFERRED)
    for kind in ("json", "pdf"):
        assert desk.call("bram", "GET", f"/signals/{signal_id}/handover.{kind}").status_code == 200
    assert [(entry.subject_id, entry.ground) for entry in desk.entries(AuditAction.EXPORTED)] == [
        (signal_id, "handover")
    ] * 2


@pytest.mark.parametrize(
    "outcome", [None, {"outcome": "talk_sufficed"}, {"outcome": "escalated", "referred_to": "112_crisis"}]
)
@pytest.mark.parametrize("kind", ["json", "pdf"])
def test_nothing_leaves_before_help_was_accepted(
    desk: Desk, kind: str, outcome: dict[str, str] | None
) -> None:
    signal_id = concluded(desk, **outcome) if outcome else desk.arrive()
    assert desk.call("anna", "GET", f"/signals/{signal_id}/handover.{kind}").status_code == 409
    assert desk.entries(AuditAction.EXPORTED) == []


def test_nothing_leaves_while_the_resident_has_its_use_restricted(desk: Desk) -> None:
    signal_id = concluded(desk, **HELP)
    with Session(desk.engine) as session, session.begin():
        session.get_one(Signal, signal_id).restricted_on = date(2026, 11, 24)
    assert desk.call("anna", "GET", f"/signals/{signal_id}/handover.json").status_code == 409
    assert desk.entries(AuditAction.EXPORTED) == []


def test_a_signal_reopened_during_the_hand_over_stays_here(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    signal_id = concluded(desk, **HELP)

    def reopened_before_it_is_read(*args: Any, **named: Any) -> Signal:
        assert desk.entries(AuditAction.EXPORTED)
        desk.call("anna", "POST", f"/signals/{signal_id}/reopen", json={"reason": "new_information"})
        return signal_with_follow_up(*args, **named)

    monkeypatch.setattr(handing_over, "signal_with_follow_up", reopened_before_it_is_read)
    assert desk.call("anna", "GET", f"/signals/{signal_id}/handover.json").status_code == 409


@pytest.mark.parametrize("name", ["handover.pdf", "notice.pdf"])
@pytest.mark.parametrize(
    ("accept", "given"),
    [
        ("*/*", "application/pdf"),
        ("application/pdf", "application/pdf"),
        ("application/octet-stream", "application/octet-stream"),
    ],
)
def test_a_client_gets_the_pdf_under_the_type_that_it_knows(
    desk: Desk, name: str, accept: str, given: str
) -> None:
    path = f"/signals/{concluded(desk, **REFERRED)}/{name}"
    answer = desk.call("anna", "GET", path, headers={"Accept": accept})
    assert (answer.status_code, answer.content_type) == (200, given)
    assert answer.data.startswith(b"%PDF-")


def test_the_pdf_is_tagged_on_own_paper_and_says_the_same_in_dutch(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_on_own_paper(desk)
    signal_id = concluded(desk, **REFERRED)
    url = f"/signals/{signal_id}/handover.pdf"
    pdf = desk.call("anna", "GET", url).data
    assert b"<pdfuaid:part>1</pdfuaid:part>" in pdf
    assert is_on_own_paper(pdf)
    made: dict[str, Any] = {}

    def keep(_head: Head, **values: Any) -> bytes:
        made.update(values)
        return b""

    monkeypatch.setattr("signals.web.desk.handing_over.make_pdf", keep)
    desk.call("anna", "GET", url)
    sections: list[Section] = made["sections"]
    facts = {what: value for section in sections for what, value in section.facts}
    assert facts["Adres"] == "1012 AB 12"
    assert facts["Wat opviel"] == "Gaat lichamelijk achteruit"
    assert facts["Contactpoging"] == "24 november 2026, 10:00: Huisbezoek, contact gehad"
    assert facts["Notitie"].endswith("Mevrouw wil graag hulp in huis.")
    assert (facts["Uitkomst"], facts["Naar wie"]) == ("Doorverwezen", "Wijkteam of Wmo")
    assert facts["Bewoner geïnformeerd (art. 14 AVG)"] == "24 november 2026"


def test_the_page_offers_it_only_where_it_may_be_taken(desk: Desk) -> None:
    anna = Browser(desk, "anna")
    helped, talked = concluded(desk, **HELP), concluded(desk, outcome="talk_sufficed")
    assert "Overdracht als pdf" in words(anna.get(f"/desk/signals/{helped}"))
    assert "Overdracht als pdf" not in words(anna.get(f"/desk/signals/{talked}"))
    as_json = anna.get(f"/desk/signals/{helped}/handover.json")
    assert as_json.get_json()["format"] == "signals-handover"
    reference = as_json.get_json()["reference"]
    assert as_json.headers["Content-Disposition"] == f'attachment; filename="overdracht-{reference}.json"'
    as_pdf = anna.get(f"/desk/signals/{helped}/handover.pdf")
    assert as_pdf.data.startswith(b"%PDF-")
    assert as_pdf.headers["Content-Disposition"] == f'inline; filename="overdracht-{reference}.pdf"'
    letter = anna.get(f"/desk/signals/{helped}/notice.pdf")
    assert letter.headers["Content-Disposition"] == f'inline; filename="brief-{reference}.pdf"'
    assert anna.get(f"/desk/signals/{talked}/handover.pdf").status_code == 409
