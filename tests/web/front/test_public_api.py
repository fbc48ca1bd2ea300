"""The public API over HTTP: its answers, its refusals, and that it never repeats the sender's text."""

import io
import json
import uuid
from typing import Any

import pytest
from flask.testing import FlaskClient

from signals.models import SealedReport
from signals.settings import NotesSettings
from signals.vocabulary import LANGUAGES
from tests.support.public_api import GOOD, KEY, TYPED, assert_problem, send
from tests.support.world import World


# Accepted
def test_a_report_is_answered_with_receipt_receiver_and_day(caller: FlaskClient) -> None:
    answer = send(caller)
    assert answer.status_code == 201
    body = answer.get_json()
    assert set(body) == {"receipt", "organisation", "received_on", "note_redactions"}
    assert body["organisation"] == {"name": "Voorbeeld Welzijn Amsterdam", "kind": "social_work"}
    assert (body["received_on"], body["note_redactions"]) == ("2026-11-24", [])
    assert len(body["receipt"]) == 19


def test_the_same_again_is_answered_byte_for_byte(caller: FlaskClient, sqlite_world: World) -> None:
    assert send(caller).data == send(caller).data
    assert sqlite_world.count(SealedReport) == 1


@pytest.mark.parametrize(
    "more",
    [
        {"house_number": 1},
        {"house_number": 99999},
        {"house_number_addition": "A"},
        {"house_number_addition": "-2 hs"},
        {"concern_types": ["confused", "frail"]},
        {"concern_types": []},
        {"seen": "repeatedly"},
        {"noticed_on": "2026-11-24"},
        {"noticed_on": "2026-11-10"},
        {"noticed_on": None, "seen": None, "note": None},
        {"house_number_addition": None, "concern_types": None},
    ],
    ids=str,
)
def test_every_documented_value_is_accepted(caller: FlaskClient, more: dict[str, Any]) -> None:
    assert send(caller, GOOD | more).status_code == 201


def test_a_note_is_accepted_where_notes_are_on_and_400_where_not(sqlite_world: World) -> None:
    noted = GOOD | {"note": TYPED}
    on = sqlite_world.client(notes=NotesSettings(enabled=True))
    assert send(on, noted).status_code == 201
    refused = send(sqlite_world.client(), noted, str(uuid.uuid4()))
    assert_problem(refused, 400, "notes_disabled")
    assert send(sqlite_world.client(), noted).status_code == 201


# Refused
BAD_FIELDS: list[tuple[dict[str, Any], str]] = [
    ({"postcode": "1012SA"}, "postcode"),
    ({"postcode": "0012AB"}, "postcode"),
    ({"postcode": ""}, "postcode"),
    ({"postcode": None}, "postcode"),
    ({"postcode": 1012}, "postcode"),
    ({"postcode": ["1012AB"]}, "postcode"),
    ({"house_number": 0}, "house_number"),
    ({"house_number": 100000}, "house_number"),
    ({"house_number": 1.0}, "house_number"),
    ({"house_number": "12"}, "house_number"),
    ({"house_number": True}, "house_number"),
    ({"house_number": None}, "house_number"),
    ({"house_number_addition": "\N{PILE OF POO}"}, "house_number_addition"),
    ({"house_number_addition": "ABCDEFG"}, "house_number_addition"),
    ({"house_number_addition": 2}, "house_number_addition"),
    ({"concern_types": ["burnt_out"]}, "concern_types.0"),
    ({"concern_types": ["frail", "frail"]}, "concern_types"),
    ({"concern_types": "frail"}, "concern_types"),
    ({"concern_types": [1]}, "concern_types.0"),
    ({"concern_types": ["frail"] * 9}, "concern_types"),
    ({"seen": "always"}, "seen"),
    ({"seen": 1}, "seen"),
    ({"noticed_on": "24-11-2026"}, "noticed_on"),
    ({"noticed_on": "2026-11-25"}, "noticed_on"),
    ({"noticed_on": "2026-11-09"}, "noticed_on"),
    ({"noticed_on": 20261124}, "noticed_on"),
    ({"noticed_on": "2026-11-24T10:00:00Z"}, "noticed_on"),
    ({"receipt": "x"}, "receipt"),
]


@pytest.mark.parametrize(("more", "field"), BAD_FIELDS, ids=lambda value: str(value)[:40])
def test_a_field_that_is_not_right_is_named(
    caller: FlaskClient, sqlite_world: World, more: dict[str, Any], field: str
) -> None:
    answer = send(caller, GOOD | more)
    assert_problem(answer, 400, "invalid")
    assert {error["field"] for error in answer.get_json()["errors"]} == {field}
    assert sqlite_world.count(SealedReport) == 0


@pytest.mark.parametrize("missing", ["postcode", "house_number"])
def test_a_missing_field_is_named(caller: FlaskClient, missing: str) -> None:
    answer = send(caller, {name: value for name, value in GOOD.items() if name != missing})
    assert [(e["field"], e["code"]) for e in answer.get_json()["errors"]] == [(missing, "required")]


def test_every_problem_is_listed_at_once(caller: FlaskClient) -> None:
    answer = send(caller, {"postcode": "1012SA", "house_number": 0, "seen": "x"})
    assert {error["field"] for error in answer.get_json()["errors"]} == {"postcode", "house_number", "seen"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_day_out_of_range_and_a_note_are_told_with_the_other_problems(
    caller: FlaskClient, language: str
) -> None:
    """Only the day and the settings refuse these values."""
    late = {"noticed_on": "2026-11-09", "note": "x"}
    answer = send(caller, {"postcode": "1012SA"} | late, Accept_Language=language)
    named = {error["field"]: error for error in answer.get_json()["errors"]}
    assert set(named) == {"postcode", "house_number", "noticed_on", "note"}
    assert named["noticed_on"]["code"] == "out_of_range"
    is_english = named["noticed_on"]["message"] == "This lies outside what is possible."
    assert is_english == (language == "en")
    assert named["note"]["code"] == "notes_disabled"
    alone = send(caller, GOOD | late).get_json()["errors"]
    assert {error["field"] for error in alone} == {"noticed_on", "note"}


@pytest.mark.parametrize("name", ["1012AB", "Jansen", "x" * 100, "a.b", "\N{PILE OF POO}", "<script>", " "])
def test_the_name_of_an_unknown_field_is_not_repeated(caller: FlaskClient, name: str) -> None:
    answer = send(caller, GOOD | {name: 1})
    assert [(e["field"], e["code"]) for e in answer.get_json()["errors"]] == [("", "unknown_field")]


RAW: list[tuple[str, bytes, int]] = [
    ("empty", b"", 400),
    ("no JSON", b"postcode=1012AB&house_number=12", 400),
    ("cut off", b'{"postcode": "1012AB", "house_number": 12', 400),
    ("NUL as an escape", b'{"postcode": "1012AB\\u0000", "house_number": 12}', 400),
    ("NUL in a note", b'{"postcode": "1012AB", "house_number": 12, "note": "a\\u0000"}', 400),
    ("lone surrogate", b'{"postcode": "1012AB", "house_number": 12, "note": "\\ud800"}', 400),
    ("invalid UTF-8", b'{"postcode": "1012AB", "house_number": 12, "note": "\xff"}', 400),
    ("UTF-16", '{"postcode": "1012AB", "house_number": 12}'.encode("utf-16"), 400),
    ("deep list", b"[" * 2000 + b"]" * 2000, 400),
    ("deep in a field", b'{"postcode": [[[[[["1012AB"]]]]]], "house_number": 12}', 400),
    ("huge integer", b'{"postcode": "1012AB", "house_number": ' + b"9" * 3000 + b"}", 400),
    ("top-level list", b'[{"postcode": "1012AB", "house_number": 12}]', 400),
    ("5 KB", b'{"postcode": "1012AB", "house_number": 12, "note": "' + b"a" * 5000 + b'"}', 413),
    ("10 MB", b'{"postcode": "1012AB", "house_number": 12, "note": "' + b"a" * 10_000_000 + b'"}', 413),
]


@pytest.mark.parametrize(("body", "status"), [raw[1:] for raw in RAW], ids=[raw[0] for raw in RAW])
def test_a_body_that_is_no_report_is_refused(
    caller: FlaskClient, sqlite_world: World, body: bytes, status: int
) -> None:
    answer = send(caller, body)
    assert_problem(answer, status)
    assert sqlite_world.count(SealedReport) == 0


def test_a_body_without_a_length_is_not_read_past_the_limit(caller: FlaskClient) -> None:
    stream = io.BytesIO(json.dumps(GOOD).encode().ljust(5000))
    answer = caller.post(
        "/api/v1/signals",
        input_stream=stream,
        headers={"Idempotency-Key": KEY, "Content-Type": "application/json"},
        environ_overrides={"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"},
    )
    assert_problem(answer, 413)
    assert stream.tell() <= 4097


@pytest.mark.parametrize(
    "media_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "",
    ],
)
def test_another_media_type_or_none_is_415(caller: FlaskClient, sqlite_world: World, media_type: str) -> None:
    answer = send(caller, content_type=media_type)
    assert_problem(answer, 415, "unsupported_media_type")
    assert sqlite_world.count(SealedReport) == 0


@pytest.mark.parametrize(
    ("key", "code"),
    [
        (None, "required"),
        ("abc", "not_a_uuid"),
        (KEY[:-1], "not_a_uuid"),
        (KEY + "0", "not_a_uuid"),
        (KEY.replace("-", ""), "not_a_uuid"),
        ("{" + KEY + "}", "not_a_uuid"),
        ("urn:uuid:" + KEY, "not_a_uuid"),
    ],
)
def test_without_a_uuid_as_key_nothing_is_stored(
    caller: FlaskClient, sqlite_world: World, key: str | None, code: str
) -> None:
    answer = send(caller, key=key)
    assert_problem(answer, 400, "invalid")
    assert [(e["field"], e["code"]) for e in answer.get_json()["errors"]] == [("Idempotency-Key", code)]
    assert sqlite_world.count(SealedReport) == 0


SECRETIVE: list[Any] = [
    {"postcode": TYPED, "house_number": 12},
    {"postcode": "1012AB", "house_number": TYPED},
    GOOD | {"house_number_addition": TYPED},
    GOOD | {"concern_types": [TYPED]},
    GOOD | {"seen": TYPED},
    GOOD | {"noticed_on": TYPED},
    GOOD | {"note": TYPED},
    GOOD | {TYPED: TYPED},
    GOOD | {"noticed_on": {TYPED: TYPED}},
    f'{{"postcode": "{TYPED}"'.encode(),
    f'["{TYPED}"]'.encode(),
]


@pytest.mark.parametrize("body", SECRETIVE, ids=lambda body: str(body)[:40])
@pytest.mark.parametrize("media_type", ["application/json", f"text/{TYPED}"])
def test_typed_text_is_in_no_answer_and_in_no_log(
    caller: FlaskClient, log: io.StringIO, body: Any, media_type: str
) -> None:
    answer = send(caller, body, content_type=media_type, user_agent=TYPED, referer=TYPED)
    assert 400 <= answer.status_code < 500
    heard = answer.get_data(as_text=True) + str(answer.headers) + log.getvalue()
    assert TYPED.lower() not in heard.lower()


@pytest.mark.parametrize("path", [f"/api/v1/{TYPED}", f"/{TYPED}", f"/api/v1/signals/{TYPED}?q={TYPED}"])
def test_an_unknown_address_is_not_repeated(caller: FlaskClient, log: io.StringIO, path: str) -> None:
    answer = caller.get(path)
    assert answer.status_code in (404, 405)
    assert TYPED.lower() not in (answer.get_data(as_text=True) + str(answer.headers) + log.getvalue()).lower()
