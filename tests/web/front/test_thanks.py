"""The carrier reads how many people were reached: from a release, in the own language, and on the sheet."""

import io
import re
from html import unescape

import pytest
from flask.testing import FlaskClient
from pypdf import PdfReader
from sqlalchemy import Engine, text

from signals.statistics.thanks import Reached
from signals.vocabulary import LANGUAGES
from signals.web.labels import reached
from signals.web.sheets import SheetSize, make_sheet
from tests.support.front_pages import GOOD, post, text_of
from tests.support.publications import publish, year_of

SENTENCE = "In 2025 zijn ongeveer 1.000 mensen bereikt die bezorgers hebben opgemerkt."


@pytest.fixture
def released(engine: Engine) -> None:
    publish(engine, ["2024", "2025", "2026-Q1"], year_of(5_000))


@pytest.mark.usefixtures("released")
def test_the_carrier_is_thanked_with_the_number_of_the_newest_year(client: FlaskClient) -> None:
    assert SENTENCE in text_of(post(client, GOOD))
    view = re.search(r'<template id="sent-view">.*?</template>', client.get("/").text, re.DOTALL)
    assert view
    assert SENTENCE in view[0]


@pytest.mark.usefixtures("released")
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_thanks_are_in_the_carriers_language(client: FlaskClient, language: str) -> None:
    sentence = reached("2025", 1000, language)
    assert sentence in unescape(client.get(f"/?lang={language}").text)
    assert "2025" in sentence
    assert len({reached("2025", 1000, one) for one in LANGUAGES}) == len(LANGUAGES)


def test_before_the_first_year_there_is_no_number(client: FlaskClient, engine: Engine) -> None:
    publish(engine, ["2026-Q1"], year_of(5_000))
    assert "mensen bereikt" not in text_of(post(client, GOOD))


def test_noise_below_zero_is_no_number(client: FlaskClient, engine: Engine) -> None:
    publish(engine, ["2025"], lambda _table, _codes: -3)
    assert "mensen bereikt" not in client.get("/").text


def test_without_a_database_the_form_shows_without_the_number(client: FlaskClient, engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE publications"))
    answer = client.get("/")
    assert answer.status_code == 200
    assert "mensen bereikt" not in answer.text


@pytest.mark.parametrize("size", SheetSize)
def test_the_sheet_thanks_in_eight_languages_on_one_page(size: SheetSize) -> None:
    content = make_sheet(
        address="https://zorgen.example.org", size=size, found=Reached(year="2025", people=1000)
    )
    (page,) = PdfReader(io.BytesIO(content)).pages
    on_paper = "".join(page.extract_text().split())
    readable = [code for code in LANGUAGES if code != "ar"]  # Arabic glyphs come in visual order
    assert [one for one in readable if "".join(reached("2025", 1000, one).split()) not in on_paper] == []
    assert on_paper.count("2025") == len(LANGUAGES)
