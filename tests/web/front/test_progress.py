"""The progress of a report, by its receipt."""

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, delete, insert

from signals.clock import FixedClock
from signals.models import IdempotencyKey
from signals.vocabulary import LANGUAGES
from tests.support.front_pages import GOOD, post, receipt_of, text_of


def test_a_receipt_of_today_names_no_day_before_it(client: FlaskClient) -> None:
    receipt = receipt_of(post(client, GOOD))
    response = post(client, {"receipt": receipt.lower()}, "/voortgang")
    assert response.status_code == 200
    assert "Ontvangen, nog niet opgepakt" in text_of(response)
    assert "Wat vandaag gebeurt, staat hier morgen." in text_of(response)
    assert "Stand van 2" not in text_of(response)


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_day_ends_with_one_stop_in_every_language(client: FlaskClient, code: str) -> None:
    page = text_of(post(client, {"receipt": "0000-0000-0000-0000"}, f"/voortgang?lang={code}"))
    assert "2026" in page
    assert ".." not in page


@pytest.mark.parametrize("typed", ["0000-0000-0000-0000", "hallo"])
def test_a_receipt_never_issued_reads_as_not_known(client: FlaskClient, typed: str) -> None:
    response = post(client, {"receipt": typed}, "/voortgang")
    assert response.status_code == 200
    assert "Deze code kennen we niet, of niet meer." in text_of(response)


@pytest.mark.parametrize(
    ("state", "words"),
    [("in_progress", "Er wordt naar gekeken"), ("closed", "Er is naar gekeken en het is afgerond")],
)
def test_each_later_state_has_its_words(
    client: FlaskClient, engine: Engine, clock: FixedClock, state: str, words: str
) -> None:
    from privacy.receipts import parse_receipt, receipt_hash
    from signals.models import Receipt

    receipt = receipt_of(post(client, GOOD))
    canonical = parse_receipt(receipt)
    assert canonical
    yesterday = (clock.now() - timedelta(days=1)).date()
    with engine.begin() as connection:
        connection.execute(delete(IdempotencyKey))
        connection.execute(
            insert(Receipt),
            {
                "receipt_hash": receipt_hash(canonical),
                "state": state,
                "state_before": "received",
                "changed_on": yesterday,
            },
        )
    assert words in text_of(post(client, {"receipt": receipt}, "/voortgang"))


def test_an_empty_code_is_asked_for_again(client: FlaskClient) -> None:
    response = post(client, {"receipt": " "}, "/voortgang")
    assert response.status_code == 400
    assert 'id="receipt-error">Typ of plak de code die u bewaarde.<' in response.text


def test_a_receipt_in_a_url_is_not_looked_up(client: FlaskClient) -> None:
    receipt = receipt_of(post(client, GOOD))
    page = client.get(f"/voortgang?receipt={receipt}").text
    assert receipt not in page
    assert 'id="progress"' not in page


def test_the_public_pages_are_all_that_the_front_shows_to_people(front_app: Flask) -> None:
    pages = {rule.rule for rule in front_app.url_map.iter_rules() if not rule.rule.startswith("/api/")}
    assert pages == {
        "/",
        "/m",
        "/voortgang",
        "/gezien",
        "/privacy",
        "/toegankelijkheid",
        "/sw.js",
        "/.well-known/assets.json",
        "/manifest.webmanifest",
        "/docs",
        "/favicon.ico",
        "/static/<path:filename>",
        "/static/bundles/<name>",
        "/healthz",
        "/readyz",
    }
