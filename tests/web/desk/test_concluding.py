"""Test the conclusion on the page and in the API: what it asks, what it drops, and what comes after it."""

import re
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from signals.models import Signal
from tests.support.desk_side import Desk
from tests.support.pages import Browser, hidden_value, words

TALKED = {"contact_by": "visit", "notified_by": "in_person"}


@pytest.fixture
def anna(desk: Desk) -> Browser:
    return Browser(desk, "anna")


@pytest.fixture
def claimed(desk: Desk, anna: Browser) -> UUID:
    signal_id = desk.arrive()
    anna.send(signal_id, "claim")
    return signal_id


@pytest.mark.parametrize(
    ("answers", "missing"),
    [
        ({"outcome": "talk_sufficed"}, ["contact_by", "notified_by"]),
        ({"outcome": "talk_sufficed", "contact_by": "nobody"}, ["contact_by", "notified_by"]),
        ({"outcome": "not_reached:tried_enough"}, ["outcome", "notified_by"]),
    ],
)
def test_the_page_names_in_its_own_order_everything_that_a_conclusion_misses(
    anna: Browser, claimed: UUID, answers: dict[str, str], missing: list[str]
) -> None:
    refused = anna.send(claimed, "conclude", **answers)
    assert refused.status_code == 400
    assert re.findall('href="#conclude-([a-z_]+)"', refused.text) == missing


def test_a_program_concludes_with_an_outcome_alone_and_tells_the_resident_afterwards(
    desk: Desk, claimed: UUID
) -> None:
    path = f"/signals/{claimed}"
    done = desk.call("anna", "POST", f"{path}/conclude", json={"outcome": "no_concern"})
    assert (done.status_code, done.get_json()["contact_attempts"]) == (200, [])
    told = desk.call("anna", "POST", f"{path}/notice", json={"notified_on": "2026-11-24"})
    assert told.status_code == 201


def test_a_program_that_says_that_somebody_spoke_says_how(desk: Desk, claimed: UUID) -> None:
    path = f"/signals/{claimed}/conclude"
    refused = desk.call("anna", "POST", path, json={"outcome": "talk_sufficed"})
    assert (refused.status_code, refused.mimetype) == (400, "application/problem+json")
    (error,) = refused.get_json()["errors"]
    assert (error["field"], error["code"]) == ("contact_by", "takes_a_talk")
    assert "hoe iemand de bewoner sprak" in error["message"]
    done = desk.call("anna", "POST", path, json={"outcome": "talk_sufficed"} | TALKED).get_json()
    assert [(each["kind"], each["result"]) for each in done["contact_attempts"]] == [("visit", "contact")]
    assert done["notice"]["notified_on"] == "2026-11-24"


@pytest.mark.parametrize(
    ("outcome", "fields"),
    [
        ("misuse", TALKED | {"newly_known": "yes", "referred_to": "ggz"}),
        ("not_reached:moved_away", TALKED | {"newly_known": "yes", "deferred_because": "impossible"}),
        ("no_concern", TALKED | {"contact_by": "nobody", "newly_known": "yes"}),
    ],
)  # fmt: skip
def test_the_page_drops_answers_to_questions_that_it_hides(
    desk: Desk, anna: Browser, claimed: UUID, outcome: str, fields: dict[str, str]
) -> None:
    assert anna.send(claimed, "conclude", outcome=outcome, **fields).status_code == 303
    with Session(desk.engine) as session:
        signal = session.get_one(Signal, claimed)
    assert (signal.newly_known, signal.referred_to, signal.deferred_because) == (None, None, None)


def test_an_attempt_that_also_claims_is_saved_once_however_often_somebody_presses(
    desk: Desk, anna: Browser
) -> None:
    signal_id = desk.arrive()
    page = anna.get(f"/desk/signals/{signal_id}").text
    attempt = {"kind": "visit", "result": "no_answer", "version": "1"}
    attempt["attempt_id"] = hidden_value(page, "attempt_id")
    for _ in range(2):
        answer = anna.send(signal_id, "contact-attempts", **attempt)
        assert answer.status_code == 303
    assert anna.get(answer.location).status_code == 200
    with Session(desk.engine) as session:
        assert len(session.get_one(Signal, signal_id).attempts) == 1


def test_a_concluded_signal_leads_to_the_next_one_of_the_reader_or_of_nobody(
    desk: Desk, anna: Browser, claimed: UUID
) -> None:
    theirs, free = desk.arrive(number=14), desk.arrive(number=16)
    Browser(desk, "bram").send(theirs, "claim")
    after = anna.send(claimed, "conclude", outcome="misuse")
    assert f'href="/desk/signals/{free}">Volgend signaal' in anna.get(after.location).text
    anna.send(free, "claim")
    after = anna.send(free, "conclude", outcome="misuse")
    assert "Er wacht verder niets op u." in words(anna.get(after.location))
