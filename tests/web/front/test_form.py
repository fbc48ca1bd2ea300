"""The carrier's form as a browser without JavaScript meets it."""

import re
import uuid
from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from signals.settings import NotesSettings, Settings
from signals.vocabulary import AUTONYMS, LANGUAGES, ConcernType
from signals.web.labels import label
from tests.support.front_pages import GOOD, post, text_of, value_of
from tests.support.installations import MakeApp


def test_the_safety_tile_calls_and_sends_nothing(client: FlaskClient) -> None:
    page = client.get("/").text
    tile = page[page.index("Veiligheid thuis?") : page.index('<button class="button">')]
    assert re.findall(r'href="([^"]*)"', tile) == ["tel:112", "tel:08002000", "tel:113", "tel:08001205"]
    assert "name=" not in tile


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_switch_shows_every_language_in_its_own_words(client: FlaskClient, code: str) -> None:
    response = client.get(f"/?lang={code}")
    assert f'<html lang="{code}" dir="{"rtl" if code == "ar" else "ltr"}">' in response.text
    page = text_of(response)
    assert all(label(type_, code) in page for type_ in ConcernType)
    assert all(name in page for name in AUTONYMS.values())
    assert ("Worried about a resident?" in page) == (code == "en")


def test_the_browsers_language_is_followed_when_none_is_chosen(client: FlaskClient) -> None:
    for header, code in (
        ("uk-UA,nl;q=0.5", "uk"),
        ("fr-FR, pl;q=0.4, en;q=0.6", "en"),
        ("tr;q=0, fr", "nl"),
        ("*", "nl"),
        ("", "nl"),
    ):
        assert f'<html lang="{code}"' in client.get("/", headers={"Accept-Language": header}).text


def test_the_switch_is_not_offered_where_it_would_lose_what_was_typed_or_the_receipt(
    client: FlaskClient,
) -> None:
    assert "hreflang" in client.get("/").text
    for answer in (post(client, GOOD), post(client, {"postcode": "x"})):
        assert "hreflang" not in answer.text


def test_each_form_has_a_key_of_its_own(client: FlaskClient) -> None:
    keys = {value_of(client.get("/"), "idempotency_key") for _ in range(3)}
    assert len({uuid.UUID(key) for key in keys}) == 3


def test_the_form_takes_no_value_from_a_url(client: FlaskClient) -> None:
    page = client.get("/?postcode=9711AA&house_number=1").text
    assert "9711AA" not in page


def test_the_form_has_a_note_only_where_notes_are_switched_on(
    client: FlaskClient, make_front: MakeApp, front_settings: Settings
) -> None:
    allowed = make_front(replace(front_settings, notes=NotesSettings(enabled=True))).test_client()
    assert "<textarea" not in client.get("/").text
    assert "<textarea" in allowed.get("/").text


def test_pages_keep_no_cookie_run_nothing_inline_and_are_not_cached(client: FlaskClient) -> None:
    answers = [client.get("/"), post(client, GOOD), client.get("/voortgang"), post(client, {"postcode": "x"})]
    for response in answers:
        assert "Set-Cookie" not in response.headers
        assert response.headers["Cache-Control"] == "no-store"
        assert "unsafe" not in response.headers["Content-Security-Policy"]
        assert not re.search(r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=", response.text)


def test_the_page_asks_nothing_of_third_parties_and_its_style_is_small(client: FlaskClient) -> None:
    page = client.get("/").text
    addresses = re.findall(r'(?:src|href|action)="([^"]*)"', page)
    assert not [a for a in addresses if not a.startswith(("/", "tel:", "?", "#", "data:image/svg+xml,"))]
    address = next(a for a in addresses if "page.css" in a)
    style = client.get(address, headers={"Accept-Encoding": "gzip"}, buffered=True)
    assert style.status_code == 200
    assert len(style.data) < 2560
    assert "immutable" in style.headers["Cache-Control"]
