"""Test on the pages that an attempt without an answer plans the next one."""

from datetime import date

from tests.support.desk_side import Desk
from tests.support.pages import Browser, words
from tests.support.team_pages import claimed
from tests.support.team_work import signal_of


def test_an_attempt_without_an_answer_proposes_kind_part_of_the_day_and_day(desk: Desk) -> None:
    signal_id = claimed(desk, "anna")
    anna = Browser(desk, "anna")
    assert 'value="visit" checked' in anna.get(f"/desk/signals/{signal_id}").text
    assert anna.send(signal_id, "contact-attempts", kind="visit", result="no_answer").status_code == 303
    page = anna.get(f"/desk/signals/{signal_id}")
    assert "volgend contact do 26 nov 2026, over 2 dagen" in words(page)
    assert 'value="card" checked' in page.text
    assert 'name="postponed_until" type="date" value="2026-11-26"' in page.text
    assert "Volgend contact: do 26 nov" in words(anna.get("/desk"))


def test_a_worker_chooses_another_day_for_the_next_contact(desk: Desk) -> None:
    signal_id = claimed(desk, "anna")
    anna = Browser(desk, "anna")
    anna.send(signal_id, "contact-attempts", kind="visit", result="no_answer")
    assert anna.send(signal_id, "next-day", postponed_until="2026-12-01").status_code == 303
    assert signal_of(desk, signal_id).due_on == date(2026, 12, 1)
    refused = anna.send(signal_id, "next-day", postponed_until="2026-12-31")
    assert refused.status_code == 400
    assert "dan moet het signaal al afgerond zijn" in words(refused)
    assert 'value="2026-12-31"' in refused.text
    assert signal_of(desk, signal_id).due_on == date(2026, 12, 1)


def test_the_queue_says_claim_of_a_signal_put_back_with_a_planned_day(desk: Desk) -> None:
    signal_id = claimed(desk, "anna")
    anna = Browser(desk, "anna")
    anna.send(signal_id, "contact-attempts", kind="visit", result="no_answer")
    anna.send(signal_id, "release")
    assert "Oppakken: wo 25 nov" in words(anna.get("/desk"))
    assert signal_of(desk, signal_id).claimed_by_id is None
