"""A lead's own figures: live, exact, of the own team alone, and for nobody else."""

import re

import pytest

from tests.support.desk_side import Desk
from tests.support.pages import ATTEMPT, Browser, words


@pytest.fixture
def lena(desk: Desk) -> Browser:
    return Browser(desk, "lena")


def test_a_lead_is_led_there_from_the_queue_and_a_worker_is_not(desk: Desk, lena: Browser) -> None:
    assert 'href="/desk/figures"' in lena.get("/desk").text
    anna = Browser(desk, "anna")
    assert 'href="/desk/figures"' not in anna.get("/desk").text
    assert anna.get("/desk/figures").status_code == 403


@pytest.mark.parametrize("who", ["coen", "bea", "fleur"])
def test_nobody_else_reads_a_teams_own_figures(desk: Desk, who: str) -> None:
    assert Browser(desk, who).get("/desk/figures").status_code == 403


def test_an_empty_team_reads_that_nothing_was_there_yet(lena: Browser) -> None:
    page = words(lena.get("/desk/figures"))
    for said in ("Nothing is open.", "No contact attempt was recorded yet.", "Nothing was received yet."):
        assert said in page


def test_the_work_of_a_team_counts_at_once_and_exactly(desk: Desk, lena: Browser) -> None:
    first, second = desk.arrive(number=1), desk.arrive(number=2)
    desk.arrive("9711AA", 3)  # another team's
    anna = Browser(desk, "anna")
    for signal_id, result in ((first, "contact"), (second, "no_answer")):
        anna.send(signal_id, "claim")
        anna.send(signal_id, "contact-attempts", **ATTEMPT | {"result": result})
    anna.send(first, "conclude", outcome="help_accepted", newly_known="yes")
    page = lena.get("/desk/figures")
    said = words(page)
    assert "In follow-up 1" in said
    assert "1 of 2" in said
    assert "Visits only 2 1" in said
    assert "quarter 4 of 2026 2 0" in said
    assert "Help accepted 1" in said
    assert len(re.findall(r'<svg[^>]*role="img"', page.text)) == 2


def test_the_page_speaks_dutch_and_leads_to_the_released_figures(desk: Desk) -> None:
    desk.arrive()
    with desk.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE staff_members SET language = 'nl' WHERE email = 'lena@example.org'"
        )
    page = Browser(desk, "lena").get("/desk/figures")
    assert "Cijfers van uw team" in words(page)
    assert 'href="/figures"' in page.text


def test_the_page_has_no_style_or_script_of_its_own(lena: Browser) -> None:
    assert not re.search(r"<style|\sstyle=|\son\w+=", lena.get("/desk/figures").text)
