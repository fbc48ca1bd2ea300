"""A lead's own figures: exact, of the own organisation alone, and for nobody else."""

import io
import re
from uuid import UUID

import pytest
from pypdf import PdfReader
from sqlalchemy import select

from signals.db import session_factory
from signals.models import Organisation
from tests.support.desk_side import AMSTERDAM, GRONINGEN, Desk
from tests.support.pages import Browser, words
from tests.support.publications import store_own_year


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


def test_an_empty_team_reads_that_nothing_is_open_and_when_totals_come(lena: Browser) -> None:
    page = words(lena.get("/desk/figures"))
    assert "Nothing is open." in page
    assert "five weeks after it is over" in page


def test_the_open_signals_of_the_own_team_count_at_once(desk: Desk, lena: Browser) -> None:
    first = desk.arrive(number=1)
    desk.arrive("9711AA", 3)  # another team's
    Browser(desk, "anna").send(first, "claim")
    assert "Claimed 1 Of which late 0" in words(lena.get("/desk/figures"))


def test_the_page_leads_to_the_released_figures(lena: Browser) -> None:
    assert 'href="/figures"' in lena.get("/desk/figures").text


def test_the_totals_of_a_year_are_exact_and_not_to_be_published(desk: Desk, lena: Browser) -> None:
    store_own_year(desk.engine, _id(desk, AMSTERDAM), "2025")
    said = words(lena.get("/desk/figures"))
    assert "Received 10 Concluded 9 Followed up in time 8 Reached 4" in said
    assert "Not reached: tried enough 5 A talk sufficed 4" in said
    assert "Do not publish these numbers" in said
    answer = lena.get("/desk/figures/2025.pdf")
    assert (answer.content_type, answer.headers["Cache-Control"]) == ("application/pdf", "no-store")
    (page,) = PdfReader(io.BytesIO(answer.data)).pages
    on_paper = " ".join(page.extract_text().split())
    assert "Received 10 Concluded 9" in on_paper
    assert "own small numbers have no noise, and can point at one resident" in on_paper


def test_no_other_year_and_no_other_teams_year_is_there(desk: Desk, lena: Browser) -> None:
    store_own_year(desk.engine, _id(desk, GRONINGEN), "2025")
    assert "2025" not in words(lena.get("/desk/figures"))
    assert lena.get("/desk/figures/2025.pdf").status_code == 404


def test_the_page_has_no_style_or_script_of_its_own(lena: Browser) -> None:
    assert not re.search(r"<style|\sstyle=|\son\w+=", lena.get("/desk/figures").text)


def _id(desk: Desk, name: str) -> UUID:
    with session_factory(desk.engine)() as session:
        return session.scalars(select(Organisation.id).where(Organisation.name == name)).one()
