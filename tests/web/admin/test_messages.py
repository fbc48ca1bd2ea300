"""Delivery as administrators see it: health, dead letters without content, drills, sheets."""

import re
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from notifications.models import MessageState, OutboxMessage
from signals.vocabulary import AuditAction
from tests.support.admin_pages import RECIPIENT, count, message
from tests.support.desk_side import AMSTERDAM, Desk
from tests.support.pages import sign_in


def states(desk: Desk) -> list[MessageState]:
    with Session(desk.engine) as session:
        return list(session.scalars(select(OutboxMessage.state)))


def letters(desk: Desk) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = desk.call("bea", "GET", "/delivery/dead-letters").get_json()["items"]
    return found


# Health


def test_health_tells_the_last_arrival_the_last_failure_and_what_was_given_up(desk: Desk) -> None:
    message(desk, MessageState.DELIVERED)
    message(desk, MessageState.FAILED, problem="smtp_550")
    message(desk, MessageState.QUEUED, problem="smtp_450", number=12)
    count(desk)
    (health,) = desk.call("bea", "GET", "/delivery").get_json()["health"]
    assert health["organisation"]["name"] == AMSTERDAM
    assert health["last_delivered_at"] is not None
    assert (health["last_problem"], health["waiting"], health["dead_letters"]) == ("smtp_450", 12, 1)


def test_a_small_number_of_waiting_messages_stays_hidden(desk: Desk) -> None:
    message(desk, MessageState.QUEUED, number=3)
    count(desk)
    (health,) = desk.call("bea", "GET", "/delivery").get_json()["health"]
    assert health["waiting"] is None
    assert health["waiting_since"] is not None
    page = sign_in(desk, "bea").get("/admin/messages").text
    assert "minder dan 10" in page


def test_many_dead_letters_are_grouped_by_cause_the_largest_first(desk: Desk) -> None:
    message(desk, MessageState.FAILED, problem="smtp_552", number=2)
    message(desk, MessageState.FAILED, problem="smtp_550", number=4)
    count(desk)
    page = sign_in(desk, "bea").get("/admin/messages").text.split('id="letters-title"')[1]
    letters, _ = page.split('id="health-title"')
    _, many, fewer = letters.split("<details")
    assert "het postvak bestaat niet of weigert deze mail (smtp_550): 4" in many
    assert "het postvak is vol (smtp_552): 2" in fewer
    one_by_one = re.compile(r"/[0-9a-f-]{36}/again")
    assert (len(one_by_one.findall(many)), len(one_by_one.findall(fewer))) == (4, 2)
    assert "Alle 4 met deze oorzaak opnieuw versturen" in many


def test_every_organisation_has_its_proof_or_the_lack_of_one(desk: Desk) -> None:
    proofs = desk.call("bea", "GET", "/delivery").get_json()["proofs"]
    assert {proof["proved_on"] for proof in proofs} == {None}
    assert AMSTERDAM in {proof["organisation"]["name"] for proof in proofs}


# Dead letters


def test_a_dead_letter_is_listed_without_recipient_link_and_subject(desk: Desk) -> None:
    message(desk, MessageState.FAILED, problem="smtp_550")
    count(desk)
    (letter,) = letters(desk)
    assert (letter["event"], letter["problem"], letter["tries"]) == ("new_signal", "smtp_550", 1)
    page = sign_in(desk, "bea").get("/admin/messages").text
    for told in (page, str(letter)):
        assert RECIPIENT not in told
        assert "signalen.example" not in told


@pytest.mark.parametrize(("wish", "state"), [("again", MessageState.QUEUED), ("drop", MessageState.EXPIRED)])
def test_a_worker_takes_the_chosen_action_and_it_is_audited(
    desk: Desk, wish: str, state: MessageState
) -> None:
    message(desk, MessageState.FAILED, problem="smtp_550")
    count(desk)
    path = f"/delivery/dead-letters/{letters(desk)[0]['id']}/{wish}"
    assert desk.call("bea", "POST", path).status_code == 202
    assert (states(desk), letters(desk)[0]["chosen"]) == ([MessageState.FAILED], wish)
    count(desk)
    assert (states(desk), letters(desk)) == ([state], [])
    (entry,) = desk.entries(AuditAction.ORGANISATION_CHANGED)
    assert entry.ground == f"dead_letter:{wish}"


def test_the_first_choice_stands(desk: Desk) -> None:
    message(desk, MessageState.FAILED)
    count(desk)
    path = f"/delivery/dead-letters/{letters(desk)[0]['id']}"
    assert desk.call("bea", "POST", f"{path}/drop").status_code == 202
    assert desk.call("bea", "POST", f"{path}/drop").status_code == 202
    assert desk.call("bea", "POST", f"{path}/again").status_code == 409
    assert letters(desk)[0]["chosen"] == "drop"


def test_the_page_settles_a_dead_letter_by_a_button(desk: Desk) -> None:
    message(desk, MessageState.FAILED)
    count(desk)
    bea = sign_in(desk, "bea")
    page = bea.get("/admin/messages").text
    letter_id = UUID(letters(desk)[0]["id"])
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    answer = bea.post(f"/admin/messages/{letter_id}/again", data={"csrf_token": token})
    assert answer.status_code == 303
    assert 'role="status"' in bea.get(answer.headers["Location"]).text
    assert letters(desk)[0]["chosen"] == "again"


def test_all_of_one_cause_are_sent_again_by_one_button_and_each_is_audited(desk: Desk) -> None:
    message(desk, MessageState.FAILED, problem="smtp_550", number=3)
    message(desk, MessageState.FAILED, problem="smtp_552", number=2)
    message(desk, MessageState.FAILED, problem="smtp_550", recipient="weg@example.org")
    count(desk)
    bea = sign_in(desk, "bea")
    form = bea.get("/admin/messages").text.split('action="/admin/messages/again"')[1].split("</form>")[0]
    assert "Alle 3 met deze oorzaak opnieuw versturen" in form
    sent = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))
    for _press in range(2):
        assert bea.post("/admin/messages/again", data=sent).status_code == 303
    chosen = [letter for letter in letters(desk) if letter["chosen"] == "again"]
    assert [letter["problem"] for letter in chosen] == ["smtp_550"] * 3
    entries = desk.entries(AuditAction.ORGANISATION_CHANGED)
    assert {str(entry.subject_id) for entry in entries} == {letter["id"] for letter in chosen}
    assert [entry.ground for entry in entries] == ["dead_letter:again"] * 3
    count(desk)
    assert sorted(states(desk)) == [MessageState.FAILED] * 3 + [MessageState.QUEUED] * 3


def test_a_letter_to_an_address_that_is_gone_can_only_be_dropped(desk: Desk) -> None:
    message(desk, MessageState.FAILED, problem="smtp_550", recipient="weg@example.org")
    count(desk)
    (letter,) = letters(desk)
    page = sign_in(desk, "bea").get("/admin/messages").text
    assert letter["address"] == "gone"
    assert "geen ontvanger van deze organisatie heeft dit adres bevestigd" in page
    assert "weg@example.org" not in page
    assert f"/admin/messages/{letter['id']}/again" not in page
    assert f"/admin/messages/{letter['id']}/drop" in page
    answer = desk.call("bea", "POST", f"/delivery/dead-letters/{letter['id']}/again")
    assert (answer.status_code, answer.get_json()["title"]) == (409, "Er is nu niemand om dit aan te sturen")
    assert letters(desk)[0]["chosen"] is None


def test_the_sheets_are_a_link_away_from_the_first_page_of_administration(desk: Desk) -> None:
    bea = sign_in(desk, "bea")
    assert 'href="/admin/sheets"' in bea.get("/admin").text
    page = bea.get("/admin/sheets?address=https://zorgen.example.org").text
    assert "/admin/sheets/a6.pdf?address=https" in page
    answer = bea.get("/admin/sheets/a4.pdf?address=https://zorgen.example.org")
    assert (answer.mimetype, answer.data[:4]) == ("application/pdf", b"%PDF")


# Sheets


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "https://a b", "https://x.example/?q=1", "ftp://x"]
)
def test_a_text_that_is_no_address_makes_no_sheet(desk: Desk, address: str) -> None:
    answer = sign_in(desk, "bea").get("/admin/sheets/a4.pdf", query_string={"address": address})
    assert answer.status_code == 303
