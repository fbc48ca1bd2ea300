"""Test pages of a restricted signal (art. 18 AVG): queue, round and duplicate."""

import re
from datetime import date
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from signals.models import Signal
from signals.vocabulary import AuditAction
from tests.support.desk_side import Desk
from tests.support.pages import Browser, words
from tests.support.team_pages import claimed
from tests.support.team_work import post, signal_of


@pytest.fixture
def anna(desk: Desk) -> Browser:
    return Browser(desk, "anna")


def restrict(desk: Desk, signal_id: UUID) -> None:
    with Session(desk.engine) as session, session.begin():
        session.get_one(Signal, signal_id).restricted_on = date(2026, 11, 24)


# The queue


def test_the_queue_offers_no_one_to_claim_it_and_names_no_deadline(desk: Desk, anna: Browser) -> None:
    restrict(desk, desk.arrive())
    page = anna.get("/desk")
    assert "data-claim" not in page.text
    assert "beperkt" in words(page)
    assert "Oppakken:" not in words(page)
    desk.arrive()
    assert anna.get("/desk").text.count("data-claim") == 1


# A round on foot


def test_it_is_on_the_list_for_a_round_and_cannot_be_ticked(desk: Desk, anna: Browser) -> None:
    kept, other = claimed(desk, "anna"), claimed(desk, "anna", number=14)
    restrict(desk, kept)
    page = anna.get("/desk/round")
    assert re.findall(r'name="ids" value="([^"]+)" checked', page.text) == [str(other)]
    assert re.findall(r'name="ids" value="([^"]+)" disabled', page.text) == [str(kept)]
    assert f"{signal_of(desk, kept).reference} beperkt" in words(page)
    assert post(anna, "/desk/round", ids=[str(other)]).status_code == 303


@pytest.mark.parametrize("who", ["bram", "gerda"])
def test_a_round_takes_no_signal_of_a_colleague(desk: Desk, who: str) -> None:
    theirs = claimed(desk, "anna")
    page = Browser(desk, who).get(f"/desk/round?ids={theirs}")
    assert "1 signaal is weggelaten" in words(page)
    assert "1012 AB" not in page.text
    assert desk.entries(AuditAction.ROUND_PRINTED) == []
