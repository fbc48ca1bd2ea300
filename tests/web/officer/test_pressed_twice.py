"""A right that comes twice, for its button was pressed twice: done once, entered once, and said so."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from signals.models import FollowUpNote, RegisterEntry, Signal
from signals.retention.nightly import Retention
from signals.vocabulary import AuditAction
from tests.support.desk_side import Desk
from tests.support.pages import Browser, hidden_value, words

PLACE = {"postcode": "1012AB", "house_number": "12", "house_number_addition": ""}
PROOF = {"identity": "digid", "residence": "brp", "third_parties": "yes"}
WAYS = {
    "rectify": ({"statement": "Ik woon hier niet."}, "is verbeterd"),
    "restrict": ({}, "is beperkt"),
    "erase": ({"right": "erasure"}, "1 signaal is verwijderd"),
}


@pytest.fixture
def signal_id(desk: Desk) -> UUID:
    return desk.arrive(concern_types=["frail"])


@pytest.fixture
def fleur(desk: Desk) -> Browser:
    return Browser(desk, "fleur")


def found_form(fleur: Browser, signal_id: UUID, way: str, *, place: dict[str, str] = PLACE) -> dict[str, str]:
    """Return the filled form on the page of this address."""
    start = fleur.get("/desk/officer/residents").text
    hidden = {"csrf_token": hidden_value(start, "csrf_token")}
    page = fleur.client.post("/desk/officer/residents", data=hidden | place).text
    of_page = {name: hidden_value(page, name) for name in ("version", "seen")}
    searched = {f"searched_{name}": text for name, text in place.items()}
    return {**hidden, **place, **searched, **PROOF, **of_page, "signal_id": str(signal_id), **WAYS[way][0]}


def send(fleur: Browser, way: str, form: dict[str, str]) -> TestResponse:
    return fleur.client.post(f"/desk/officer/residents/{way}", data=form)


def entries(desk: Desk) -> int:
    with Session(desk.engine) as session:
        return session.scalar(select(func.count()).select_from(RegisterEntry)) or 0


@pytest.mark.parametrize("way", WAYS)
def test_a_right_that_is_sent_twice_is_done_once_and_said_twice(
    desk: Desk, fleur: Browser, signal_id: UUID, way: str
) -> None:
    form = found_form(fleur, signal_id, way)
    answers = [send(fleur, way, form) for _ in range(2)]
    for answer in answers:
        assert answer.status_code == 200
        assert WAYS[way][1] in words(answer)
    assert entries(desk) == 1
    with Session(desk.engine) as session:
        notes = session.scalar(select(func.count()).select_from(FollowUpNote))
    assert notes == (1 if way == "rectify" else 0)


def test_an_erasure_that_is_sent_twice_at_once_is_entered_once(
    desk: Desk, fleur: Browser, signal_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second comes when the first is entered, and nothing of it is deleted yet."""
    form, purge, answers = found_form(fleur, signal_id, "erase"), Retention.purge_now, []

    def pressed_again(self: Retention, *what: Any) -> int:
        if not answers:
            answers.append(send(fleur, "erase", form))
        return purge(self, *what)

    monkeypatch.setattr(Retention, "purge_now", pressed_again)
    answers.append(send(fleur, "erase", form))
    for answer in answers:
        assert answer.status_code == 200
        assert WAYS["erase"][1] in words(answer)
    assert entries(desk) == 1


@pytest.mark.parametrize("way", ["rectify", "restrict"])
def test_a_stale_form_overwrites_no_change_of_a_colleague_and_keeps_the_typed_text(
    desk: Desk, fleur: Browser, signal_id: UUID, way: str
) -> None:
    form = found_form(fleur, signal_id, way)
    Browser(desk, "anna").send(signal_id, "claim")
    refused = send(fleur, way, form)
    assert refused.status_code == 412
    assert "Intussen door iemand anders veranderd" in words(refused)
    assert 'value="digid" selected' in refused.text
    assert entries(desk) == 0
    again = form | {"version": hidden_value(refused.text, "version")}
    assert send(fleur, way, again).status_code == 200
    assert entries(desk) == 1


def test_a_second_form_that_asks_for_something_else_is_refused_as_out_of_date(
    desk: Desk, fleur: Browser, signal_id: UUID
) -> None:
    """Two tabs of one version: nothing of the second was done, so it must not be said to be."""
    form = found_form(fleur, signal_id, "rectify")
    assert send(fleur, "rectify", form).status_code == 200
    for other in ({"statement": "Ik woon er wel."}, {"withdrawn": "frail"}, {"house_number_addition": "A"}):
        refused = send(fleur, "rectify", form | other)
        assert (refused.status_code, entries(desk)) == (412, 1)
    desk.clock.moment += timedelta(minutes=1)  # of one moment nobody could tell which step was the last
    restriction = found_form(fleur, signal_id, "restrict")
    assert send(fleur, "restrict", restriction).status_code == 200
    assert send(fleur, "restrict", restriction | {"lift": "yes"}).status_code == 412
    with Session(desk.engine) as session:
        assert session.get_one(Signal, signal_id).restricted_on is not None


def test_a_restriction_that_is_asked_for_again_stays_of_its_day_and_none_is_lifted_where_none_is(
    desk: Desk, fleur: Browser, signal_id: UUID
) -> None:
    assert send(fleur, "restrict", found_form(fleur, signal_id, "restrict")).status_code == 200
    with Session(desk.engine) as session:
        day = session.get_one(Signal, signal_id).restricted_on
    desk.clock.moment += timedelta(days=9)
    fleur = Browser(desk, "fleur")
    assert send(fleur, "restrict", found_form(fleur, signal_id, "restrict")).status_code == 200
    with Session(desk.engine) as session:
        assert session.get_one(Signal, signal_id).restricted_on == day
    lift = {"lift": "yes"}
    assert send(fleur, "restrict", found_form(fleur, signal_id, "restrict") | lift).status_code == 200
    refused = send(fleur, "restrict", found_form(fleur, signal_id, "restrict") | lift)
    assert (refused.status_code, entries(desk)) == (409, 3)
    outcomes = [entry.outcome for entry in desk.entries(AuditAction.SIGNAL_RESTRICTED)]
    assert sorted(outcomes) == ["lifted", "restricted", "restricted"]  # of one moment in no order
