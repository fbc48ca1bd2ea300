"""Refusals as a page for people and as problem+json for programs, in the reader's language."""

import importlib
import pkgutil

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po
from flask import Flask
from flask.testing import FlaskClient

import signals
from signals.errors import NotesDisabled, NotSignedIn, SignalsError
from signals.settings import Settings
from signals.vocabulary import LANGUAGES
from signals.web.http.i18n import TRANSLATIONS
from signals.web.http.messages import DETAILS, FIELDS, TITLES
from tests.support.catalogues import WEB
from tests.web.conftest import MakeApp

PAGE = {"Accept": "text/html,*/*;q=0.8"}
TOLD_BY_COMMANDS = {"settings", "keys_unusable", "no_journal"}
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


def test_what_may_be_done_is_said_without_content_and_what_is_not_there_with_it(client: FlaskClient) -> None:
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


def test_a_wrong_method_says_which_are_allowed(client: FlaskClient) -> None:
    response = client.delete("/", headers=PAGE)
    assert response.status_code == 405
    assert "POST" in response.headers["Allow"]
    assert "Naar het begin" in response.text


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


@pytest.mark.parametrize("path", ["/desk/fails", "/admin/fails"])
def test_staff_are_led_back_to_the_desk(make_front: MakeApp, front_settings: Settings, path: str) -> None:
    app = _with_view(make_front(front_settings), NotSignedIn(), path)
    page = app.test_client().get(path, headers=PAGE)
    assert page.status_code == 401
    assert 'href="/desk/"' in page.text


def test_a_note_that_is_refused_names_the_field(make_front: MakeApp, front_settings: Settings) -> None:
    app = _with_view(make_front(front_settings), NotesDisabled(), "/api/v1/fails")
    (wrong,) = app.test_client().get("/api/v1/fails").get_json()["errors"]
    assert (wrong["field"], wrong["code"]) == ("note", "notes_disabled")
    assert wrong["message"] == "Een toelichting kan hier niet mee"


def test_every_refusal_of_the_domain_has_a_title_and_a_next_step() -> None:
    for module in pkgutil.walk_packages(signals.__path__, "signals."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)  # whoever defines a refusal, whatever ran before
    codes = {kind.code for kind in _all_below(SignalsError)} - TOLD_BY_COMMANDS
    assert codes <= set(TITLES)
    assert codes <= set(DETAILS)


@pytest.mark.parametrize("folder", TRANSLATIONS[:2])
def test_the_dutch_catalogue_is_complete(folder: str) -> None:
    known = _catalogue(folder, "nl")
    wanted = _messages_in(folder)
    assert wanted
    assert wanted - {str(m.id) for m in known if m.id and m.string and not m.fuzzy} == set()


def test_in_arabic_what_is_read_from_left_to_right_stands_isolated() -> None:
    """Unicode, annex 9: without isolates `1012 AB` shows as `AB 1012` in a line from right to left."""
    told = {str(message.id): str(message.string) for message in _catalogue("web/translations", "ar")}
    assert "\u20661012 AB\u2069" in told["A postcode is four digits and two letters, like 1012 AB."]
    assert "\u20662026-11-24\u2069" in told["This must be a date, like 2026-11-24."]


@pytest.mark.parametrize("code", [code for code in LANGUAGES if code not in ("nl", "en")])
def test_the_carriers_pages_are_complete_in_every_language(code: str) -> None:
    known = {
        str(m.id) for m in _catalogue("web/front/translations", code) if m.id and m.string and not m.fuzzy
    }
    assert _messages_in("web/front/translations") - known == set()


@pytest.mark.parametrize("code", [code for code in LANGUAGES if code not in ("nl", "en")])
def test_what_is_said_of_a_field_is_complete_in_every_language(
    front_app: Flask, client: FlaskClient, code: str
) -> None:
    of_staff = {"before_receipt"}
    with front_app.test_request_context(headers={"Accept-Language": code}):
        translated = {name: str(words) for name, words in FIELDS.items() if name not in of_staff}
    with front_app.test_request_context(headers={"Accept-Language": "en"}):
        english = {name: str(words) for name, words in FIELDS.items()}
    assert not [name for name, words in translated.items() if words == english[name]]


@pytest.mark.parametrize("folder", TRANSLATIONS[:2])
@pytest.mark.parametrize("code", [code for code in LANGUAGES if code != "en"])
def test_no_catalogue_has_a_word_that_no_page_uses(folder: str, code: str) -> None:
    assert {str(m.id) for m in _catalogue(folder, code) if m.id} <= _messages_in(folder)


@pytest.mark.parametrize("code", [code for code in LANGUAGES if code != "en"])
def test_one_english_sentence_has_one_translation_in_all_catalogues(code: str) -> None:
    """Catalogues are laid over one another, so a second translation would win on pages of another side."""
    seen: dict[str, str] = {}
    for folder in TRANSLATIONS:
        for message in _catalogue(folder, code):
            if message.id and message.string:
                assert seen.setdefault(str(message.id), str(message.string)) == str(message.string)


def _with_view(app: Flask, problem: Exception, path: str = "/fails") -> Flask:
    def view() -> str:
        raise problem

    app.add_url_rule(path, "fails", view)
    return app


def _all_below(kind: type[SignalsError]) -> set[type[SignalsError]]:
    below = set(kind.__subclasses__())
    return below | {deeper for one in below for deeper in _all_below(one)}


def _catalogue(folder: str, code: str) -> Catalog:
    path = WEB.parent / folder / code / "LC_MESSAGES" / "messages.po"
    if not path.is_file():
        return Catalog(locale=code)
    with path.open("rb") as file:
        return read_po(file, locale=code)


def _messages_in(folder: str) -> set[str]:
    """The message ids in the code and templates that a catalogue belongs to."""
    sides = {"front", "desk", "admin", "figures", "team", "officer", "account", "staff_kit"}
    side = folder.split("/")[1]
    others = sides - {side} if side in sides else sides
    with (WEB / "babel.cfg").open() as file:
        method_map, options = parse_mapping_cfg(file)  # type: ignore[no-untyped-call]
    found = extract_from_dir(
        WEB,
        method_map,
        options,
        keywords={"_": None, "gettext": None, "lazy_gettext": None, "ngettext": (1, 2)},
        directory_filter=lambda path: path.rsplit("/", 1)[-1] not in others | {"vendor", "__pycache__"},
    )
    return {
        message[0] if isinstance(message, tuple) else message
        for file, _line, message, *_more in found
        if (f"{side}/" in file or (side == "front" and file == "sheets.py")) == (side in sides)
    }
