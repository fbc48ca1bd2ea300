"""Refusals as a page for people and as problem+json for programs, in the reader's language."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from signals.settings import Settings
from signals.vocabulary import LANGUAGES
from tests.support.installations import MakeApp

PAGE = {"Accept": "text/html,*/*;q=0.8"}
"""Refusals that end a command or a start, with a sentence of their own; no request meets them."""


def test_a_person_gets_a_page_with_the_next_step(client: FlaskClient) -> None:
    response = client.get("/nergens", headers=PAGE)
    assert response.status_code == 404
    assert response.mimetype == "text/html"
    assert "Niet gevonden" in response.text
    assert '<a class="button" href="/">Naar het begin</a>' in response.text


def test_a_program_gets_problem_json(client: FlaskClient) -> None:
    response = client.get("/nergens", headers={"Accept": "application/json"})
    assert response.status_code == 404
    assert response.mimetype == "application/problem+json"


def test_the_api_answers_in_problem_json_even_to_a_browser(client: FlaskClient) -> None:
    response = client.get("/api/v1/nergens", headers=PAGE)
    assert response.mimetype == "application/problem+json"


def test_options_answer_without_content_and_an_unknown_address_with_a_problem(client: FlaskClient) -> None:
    asked, refused = client.options("/api/v1/form"), client.options("/api/v1/nergens")
    assert (asked.status_code, asked.data, asked.content_type) == (200, b"", None)
    assert "GET" in asked.headers["Allow"]
    assert (refused.status_code, refused.content_type) == (404, "application/problem+json")


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_page_speaks_the_readers_language(client: FlaskClient, code: str) -> None:
    page = client.get("/nergens", headers=PAGE | {"Accept-Language": code}).text
    assert f'<html lang="{code}"' in page
    assert ("Not found" in page) == (code == "en")


def test_a_page_never_repeats_the_address_that_was_asked_for(client: FlaskClient) -> None:
    response = client.get("/<b>1012AB</b>?x=9711AA", headers=PAGE)
    assert "1012AB" not in response.text
    assert "9711AA" not in response.text


def test_a_failure_of_ours_gives_a_number_and_no_inside(
    make_front: MakeApp, front_settings: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    app = _with_view(make_front(front_settings), RuntimeError("secret inside"))
    response = app.test_client().get("/fails", headers=PAGE)
    logged = "".join(capfd.readouterr())
    assert response.status_code == 500
    assert "secret inside" not in response.text
    number = response.text.split('class="receipt small">')[1].split("<")[0]
    assert number in logged


def _with_view(app: Flask, problem: Exception, path: str = "/fails") -> Flask:
    def view() -> str:
        raise problem

    app.add_url_rule(path, "fails", view)
    return app
