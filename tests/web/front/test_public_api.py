"""The public API over HTTP: its answers, its refusals, and that it never repeats the sender's text."""

import io
import json
import uuid
from collections.abc import Callable
from datetime import date
from inspect import iscoroutinefunction
from itertools import chain
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import delete
from werkzeug.test import EnvironBuilder, TestResponse

from privacy.logs import configure_logging
from privacy.receipts import receipt_hash
from signals import casework
from signals.models import IdempotencyKey, MailboxPublicKey, Receipt, SealedReport, Signal
from signals.routing.snapshot import routing_changed
from signals.settings import LimitsSettings, LoggingSettings, NotesSettings
from signals.vocabulary import LANGUAGES, ConcernType, Outcome, ProcessRole, ReceiptState
from tests.support.world import World

GOOD = {"postcode": "1012 ab", "house_number": 12}
KEY = "6f1c2b54-5d1e-4f0a-9b57-0c8f4a1d2e3f"
TYPED = "Zeldzaamheid"
"""A rare word: it may not come back."""


@pytest.fixture
def client(sqlite_world: World, log: io.StringIO) -> FlaskClient:
    made = sqlite_world.app(logging=LoggingSettings(level="DEBUG"))
    configure_logging(log, "DEBUG", date_only=True)
    return made.test_client()


def send(client: FlaskClient, body: Any = GOOD, key: str | None = KEY, **headers: str) -> TestResponse:
    """Send a report as JSON, or raw bytes as they are."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = {"Content-Type": "application/json", "Idempotency-Key": key, **_names(headers)}
    return client.post(
        "/api/v1/signals", data=data, headers={name: value for name, value in sent.items() if value}
    )


# Accepted


def test_a_report_is_answered_with_receipt_receiver_and_day(client: FlaskClient) -> None:
    answer = send(client)
    assert answer.status_code == 201
    body = answer.get_json()
    assert set(body) == {"receipt", "organisation", "received_on", "note_redactions"}
    assert body["organisation"] == {"name": "Voorbeeld Welzijn Amsterdam", "kind": "social_work"}
    assert (body["received_on"], body["note_redactions"]) == ("2026-11-24", [])
    assert len(body["receipt"]) == 19


def test_the_same_again_is_answered_byte_for_byte(client: FlaskClient, sqlite_world: World) -> None:
    assert send(client).data == send(client).data
    assert sqlite_world.count(SealedReport) == 1


@pytest.mark.parametrize("postcode", ["1012AB", "1012 ab", " 1012  Ab "])
def test_one_postcode_in_another_spelling_is_the_same_report(client: FlaskClient, postcode: str) -> None:
    assert send(client, GOOD | {"postcode": postcode}).data == send(client).data


def test_the_key_may_be_written_in_capitals(client: FlaskClient) -> None:
    assert send(client, key=KEY.upper()).data == send(client).data


def test_another_body_under_the_key_is_409(client: FlaskClient) -> None:
    send(client)
    answer = send(client, GOOD | {"house_number": 13})
    _assert_problem(answer, 409, "idempotency_key_reused")


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
def test_every_documented_value_is_accepted(client: FlaskClient, more: dict[str, Any]) -> None:
    assert send(client, GOOD | more).status_code == 201


def test_an_unknown_postcode_is_the_national_desks(client: FlaskClient) -> None:
    assert (
        send(client, {"postcode": "1000AA", "house_number": 1}).get_json()["organisation"]["kind"]
        == "national"
    )


def test_a_note_is_accepted_where_notes_are_on_and_400_where_not(sqlite_world: World) -> None:
    noted = GOOD | {"note": TYPED}
    on = sqlite_world.client(notes=NotesSettings(enabled=True))
    assert send(on, noted).status_code == 201
    refused = send(sqlite_world.client(), noted, str(uuid.uuid4()))
    _assert_problem(refused, 400, "notes_disabled")
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
    client: FlaskClient, sqlite_world: World, more: dict[str, Any], field: str
) -> None:
    answer = send(client, GOOD | more)
    _assert_problem(answer, 400, "invalid")
    assert {error["field"] for error in answer.get_json()["errors"]} == {field}
    assert sqlite_world.count(SealedReport) == 0


@pytest.mark.parametrize("missing", ["postcode", "house_number"])
def test_a_missing_field_is_named(client: FlaskClient, missing: str) -> None:
    answer = send(client, {name: value for name, value in GOOD.items() if name != missing})
    assert [(e["field"], e["code"]) for e in answer.get_json()["errors"]] == [(missing, "required")]


def test_every_problem_is_listed_at_once(client: FlaskClient) -> None:
    answer = send(client, {"postcode": "1012SA", "house_number": 0, "seen": "x"})
    assert {error["field"] for error in answer.get_json()["errors"]} == {"postcode", "house_number", "seen"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_day_out_of_range_and_a_note_are_told_with_the_other_problems(
    client: FlaskClient, language: str
) -> None:
    """Only the day and the settings refuse these values."""
    late = {"noticed_on": "2026-11-09", "note": "x"}
    answer = send(client, {"postcode": "1012SA"} | late, Accept_Language=language)
    named = {error["field"]: error for error in answer.get_json()["errors"]}
    assert set(named) == {"postcode", "house_number", "noticed_on", "note"}
    assert named["noticed_on"]["code"] == "out_of_range"
    is_english = named["noticed_on"]["message"] == "This lies outside what is possible."
    assert is_english == (language == "en")
    assert named["note"]["code"] == "notes_disabled"
    alone = send(client, GOOD | late).get_json()["errors"]
    assert {error["field"] for error in alone} == {"noticed_on", "note"}


@pytest.mark.parametrize("note", [5, ["x"], None, ""])
def test_a_value_that_is_no_note_gets_no_problem_about_notes(client: FlaskClient, note: object) -> None:
    errors = send(client, GOOD | {"house_number": 0, "note": note}).get_json()["errors"]
    codes = {error["code"] for error in errors}
    assert codes == ({"house_number", "wrong_type"} if note else {"house_number"})


@pytest.mark.parametrize("name", ["1012AB", "Jansen", "x" * 100, "a.b", "\N{PILE OF POO}", "<script>", " "])
def test_the_name_of_an_unknown_field_is_not_repeated(client: FlaskClient, name: str) -> None:
    answer = send(client, GOOD | {name: 1})
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
    client: FlaskClient, sqlite_world: World, body: bytes, status: int
) -> None:
    answer = send(client, body)
    _assert_problem(answer, status)
    assert sqlite_world.count(SealedReport) == 0


def test_a_body_of_exactly_4_kib_is_read_and_one_byte_more_is_not(client: FlaskClient) -> None:
    body = json.dumps(GOOD).encode()
    assert send(client, body.ljust(4096)).status_code == 201
    assert send(client, body.ljust(4097), str(uuid.uuid4())).status_code == 413


def test_a_body_without_a_length_is_not_read_past_the_limit(client: FlaskClient) -> None:
    stream = io.BytesIO(json.dumps(GOOD).encode().ljust(5000))
    answer = client.post(
        "/api/v1/signals",
        input_stream=stream,
        headers={"Idempotency-Key": KEY, "Content-Type": "application/json"},
        environ_overrides={"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"},
    )
    _assert_problem(answer, 413)
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
def test_another_media_type_or_none_is_415(client: FlaskClient, sqlite_world: World, media_type: str) -> None:
    answer = send(client, content_type=media_type)
    _assert_problem(answer, 415, "unsupported_media_type")
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
    client: FlaskClient, sqlite_world: World, key: str | None, code: str
) -> None:
    answer = send(client, key=key)
    _assert_problem(answer, 400, "invalid")
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
    client: FlaskClient, log: io.StringIO, body: Any, media_type: str
) -> None:
    answer = send(client, body, content_type=media_type, user_agent=TYPED, referer=TYPED)
    assert 400 <= answer.status_code < 500
    heard = answer.get_data(as_text=True) + str(answer.headers) + log.getvalue()
    assert TYPED.lower() not in heard.lower()


@pytest.mark.parametrize("path", [f"/api/v1/{TYPED}", f"/{TYPED}", f"/api/v1/signals/{TYPED}?q={TYPED}"])
def test_an_unknown_address_is_not_repeated(client: FlaskClient, log: io.StringIO, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code in (404, 405)
    assert TYPED.lower() not in (answer.get_data(as_text=True) + str(answer.headers) + log.getvalue()).lower()


def test_a_failing_database_is_503_without_a_word_of_sql(
    client: FlaskClient, sqlite_world: World, log: io.StringIO
) -> None:
    send(client)
    with sqlite_world.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE sealed_reports RENAME TO away")
    answer = send(client, GOOD | {"house_number_addition": "Q"}, str(uuid.uuid4()))
    _assert_problem(answer, 503, "unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    heard = answer.get_data(as_text=True) + log.getvalue()
    for word in ("sealed_reports", "INSERT", "1012AB", str(sqlite_world.folder)):
        assert word not in heard


def test_something_unforeseen_is_500_without_its_message(
    client: FlaskClient, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: Any, **_values: Any) -> None:
        raise RuntimeError(TYPED)

    monkeypatch.setattr("signals.intake.receiving.Intake.receive", fail)
    answer = send(client)
    _assert_problem(answer, 500, "internal")
    assert "RuntimeError" in log.getvalue()
    assert TYPED not in answer.get_data(as_text=True) + log.getvalue()


def test_no_mailbox_key_is_503_and_nothing_is_stored(client: FlaskClient, sqlite_world: World) -> None:
    with sqlite_world.sessions.begin() as session:
        session.execute(delete(MailboxPublicKey))
        routing_changed(session)
    answer = send(client)
    _assert_problem(answer, 503, "no_mailbox_key")
    assert int(answer.headers["Retry-After"]) > 0
    assert sqlite_world.count(SealedReport) == 0


def test_a_full_area_is_429_for_half_an_hour_and_its_retries_are_answered(sqlite_world: World) -> None:
    client = sqlite_world.client(limits=LimitsSettings(open_reports_per_area_and_day=1))
    first = send(client)
    answer = send(client, key=str(uuid.uuid4()))
    _assert_problem(answer, 429, "area_full")
    assert answer.headers["Retry-After"] == "1800"  # it may be raised meanwhile
    assert send(client).data == first.data


@pytest.mark.parametrize(
    ("method", "path"), [("get", "/signals"), ("put", "/form"), ("delete", "/receipts/status")]
)
def test_another_method_is_405_and_says_which_are_allowed(
    client: FlaskClient, method: str, path: str
) -> None:
    answer = getattr(client, method)(f"/api/v1{path}")
    _assert_problem(answer, 405)
    assert answer.headers["Allow"]


# Languages


def test_problems_speak_dutch_unless_asked_otherwise(client: FlaskClient) -> None:
    bad = {"postcode": "1012SA", "house_number": 12}
    dutch, english = send(client, bad), send(client, bad, accept_language="en")
    assert dutch.get_json()["errors"][0]["message"] != english.get_json()["errors"][0]["message"]
    assert dutch.get_json()["title"] != english.get_json()["title"]
    assert send(client, bad, accept_language="nl").get_json()["title"] == dutch.get_json()["title"]
    assert send(client, bad, accept_language="xx, de;q=0.5").get_json()["title"] == dutch.get_json()["title"]


# On every answer


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.get("/api/v1/form"),
        lambda client: send(client),
        lambda client: send(client, b"x"),
        lambda client: send(client, content_type="text/plain"),
        lambda client: client.get("/api/v1/nope"),
        lambda client: client.put("/api/v1/form"),
        lambda client: client.post("/api/v1/coverage/lookup", json={"postcode": "1012AB"}),
        lambda client: client.post("/api/v1/receipts/status", json={"receipt": "x"}),
        lambda client: client.get("/healthz"),
        lambda client: client.get("/readyz"),
        lambda client: client.get("/"),
    ],
)
def test_every_answer_names_the_version_and_sets_no_cookie(
    client: FlaskClient, call: Callable[[FlaskClient], TestResponse]
) -> None:
    client.set_cookie("visitor", "1")
    answer = call(client)
    assert answer.headers["API-Version"] == "1.0.0"
    assert "Set-Cookie" not in answer.headers
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_answers_about_one_report_are_not_kept_by_anybody(client: FlaskClient) -> None:
    assert send(client).headers["Cache-Control"] == "no-store"


# The form


def test_the_form_has_a_tag_by_which_it_is_not_sent_again(client: FlaskClient) -> None:
    first = client.get("/api/v1/form")
    assert first.status_code == 200
    again = client.get("/api/v1/form", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert client.get("/api/v1/form", headers={"If-None-Match": '"other"'}).status_code == 200


def test_an_empty_note_is_none(sqlite_world: World) -> None:
    assert send(sqlite_world.client(), GOOD | {"note": ""}).status_code == 201
    assert send(sqlite_world.client(), GOOD).status_code == 201  # the same report: a retry


def test_an_answer_without_content_has_no_type_of_it(client: FlaskClient) -> None:
    answer = client.options("/api/v1/form")
    assert (answer.status_code, answer.data) == (200, b"")
    assert "Content-Type" not in answer.headers


def test_the_form_has_another_tag_where_notes_are_on(sqlite_world: World) -> None:
    off = sqlite_world.client().get("/api/v1/form")
    on = sqlite_world.client(notes=NotesSettings(enabled=True)).get("/api/v1/form")
    assert off.headers["ETag"] != on.headers["ETag"]
    assert [answer.get_json()["note"]["enabled"] for answer in (off, on)] == [False, True]


def test_the_form_tells_all_that_a_phone_needs_in_every_language(client: FlaskClient) -> None:
    form = client.get("/api/v1/form").get_json()
    assert set(form) == {"version", "languages", "concern_types", "seen", "note", "emergency"}
    assert set(form["languages"]) == {"nl", "en", "pl", "ar", "tr", "bg", "ro", "uk"}
    assert [each["code"] for each in form["concern_types"]] == list(ConcernType)
    for entry in form["concern_types"] + form["seen"]:
        assert set(entry["labels"]) == set(form["languages"])
        assert all(entry["labels"].values())
    assert all(set(each) == {"number", "label", "when"} for each in form["emergency"])


# Coverage


@pytest.mark.parametrize(
    ("postcode", "kind", "code", "covered"),
    [
        ("1012AB", "social_work", "GM0363", True),
        ("9711 aa", "social_work", "GM0014", True),
        ("4331AA", "ggd", "GM0687", True),
        ("1000AA", "national", None, False),
    ],
)
def test_coverage_tells_who_would_receive(
    client: FlaskClient, postcode: str, kind: str, code: str | None, covered: bool
) -> None:
    answer = client.post("/api/v1/coverage/lookup", json={"postcode": postcode}).get_json()
    assert (answer["covered"], answer["organisation"]["kind"]) == (covered, kind)
    assert (answer["municipality"] or {}).get("code") == code


@pytest.mark.parametrize(
    "body", [{}, {"postcode": "1012SA"}, {"postcode": "1012AB", "house_number": 0}, {"x": 1}]
)
def test_a_look_up_of_nonsense_is_400(client: FlaskClient, body: dict[str, Any]) -> None:
    _assert_problem(client.post("/api/v1/coverage/lookup", json=body), 400, "invalid")


# Receipts


def test_a_receipt_follows_the_signal_a_day_behind(client: FlaskClient, sqlite_world: World) -> None:
    world = sqlite_world
    receipt = send(client).get_json()["receipt"]
    world.worker().arrive()
    actor = world.staff()
    [signal] = world.signals()
    with world.sessions.begin() as session:
        casework.claim(world.operation(session, actor), signal_id=signal.id)
    assert _status(client, receipt) == {"state": "received", "as_of": "2026-11-23"}
    world.move(days=1)
    assert _status(client, receipt) == {"state": "in_progress", "as_of": "2026-11-24"}
    _conclude(world, signal, actor)
    assert _status(client, receipt)["state"] == "in_progress"
    world.move(days=1)
    assert _status(client, receipt) == {"state": "closed", "as_of": "2026-11-25"}


def test_a_receipt_shows_only_the_last_state_of_a_day_and_one_day_later(
    client: FlaskClient, sqlite_world: World
) -> None:
    world = sqlite_world
    receipt = send(client).get_json()["receipt"]
    world.worker().arrive()
    actor = world.staff()
    [signal] = world.signals()
    with world.sessions.begin() as session:
        casework.claim(world.operation(session, actor), signal_id=signal.id)
    _conclude(world, signal, actor)
    assert _status(client, receipt)["state"] == "received"
    world.move(days=1)
    assert _status(client, receipt)["state"] == "closed"


@pytest.mark.parametrize("spelling", [str.lower, lambda r: r.replace("-", ""), lambda r: r.replace("-", " ")])
def test_a_receipt_may_be_typed_as_people_type(client: FlaskClient, spelling: Callable[[str], str]) -> None:
    receipt = send(client).get_json()["receipt"]
    assert _status(client, spelling(receipt))["state"] == "received"


@pytest.mark.parametrize(
    "receipt", ["0000-0000-0000-0000", "zz", "", "UUUU-UUUU-UUUU-UUUU", "\N{PILE OF POO}"]
)
def test_a_receipt_never_issued_and_a_malformed_one_are_unknown_alike(
    client: FlaskClient, receipt: str
) -> None:
    known = client.post("/api/v1/receipts/status", json={"receipt": send(client).get_json()["receipt"]})
    unknown = client.post("/api/v1/receipts/status", json={"receipt": receipt})
    assert unknown.get_json() == {"state": "unknown", "as_of": "2026-11-23"}
    assert set(unknown.get_json()) == set(known.get_json())
    assert set(dict(unknown.headers)) == set(dict(known.headers))
    assert unknown.status_code == known.status_code == 200


def test_a_receipt_that_is_no_text_is_400(client: FlaskClient) -> None:
    _assert_problem(client.post("/api/v1/receipts/status", json={"receipt": 1}), 400, "invalid")


def _status(client: FlaskClient, receipt: str) -> dict[str, str]:
    body: dict[str, str] = client.post("/api/v1/receipts/status", json={"receipt": receipt}).get_json()
    return body


def _conclude(world: World, signal: Signal, actor: Any) -> None:
    with world.sessions.begin() as session:
        casework.conclude(world.operation(session, actor), signal_id=signal.id, outcome=Outcome.NO_CONCERN)


def _names(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-").title(): value for name, value in headers.items()}


def _assert_problem(answer: TestResponse, status: int, code: str | None = None) -> None:
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    body = answer.get_json()
    assert {"type", "title", "status", "detail", "instance"} <= set(body)
    assert body["status"] == status
    assert all(body[name] for name in ("title", "detail"))
    if code is not None:
        assert body["type"] == f"urn:problem:signals:{code}"
    if status == 400:
        assert all(set(error) == {"field", "code", "message"} for error in body["errors"])
    assert answer.headers["API-Version"]
    assert "Set-Cookie" not in answer.headers


# Sizes: TLS hides the content, not the length


def _size(answer: TestResponse) -> int:
    return answer.content_length or 0


def test_a_receipt_is_answered_in_one_size_whatever_its_state(
    client: FlaskClient, sqlite_world: World
) -> None:
    receipt = send(client).get_json()["receipt"]
    sizes, states = set(), set()
    for state in ReceiptState:
        with sqlite_world.sessions.begin() as session:
            session.execute(delete(IdempotencyKey))
            session.execute(delete(Receipt))
            if state is not ReceiptState.UNKNOWN:
                session.add(
                    Receipt(
                        receipt_hash=receipt_hash(receipt),
                        state=state,
                        state_before=state,
                        changed_on=date(2026, 11, 1),
                    )
                )
        answer = client.post("/api/v1/receipts/status", json={"receipt": receipt})
        page = client.post("/voortgang", data={"receipt": receipt})
        states.add(answer.get_json()["state"])
        sizes.add((_size(answer), _size(page), page.status_code))
    assert states == set(ReceiptState)
    assert len(sizes) == 1


def test_a_new_report_a_retry_and_another_receiver_are_answered_in_one_size(client: FlaskClient) -> None:
    new, again = send(client), send(client)
    elsewhere = send(client, {"postcode": "9712 AB", "house_number": 3}, str(uuid.uuid4()))
    unrouted = send(client, {"postcode": "4381 AA", "house_number": 3}, str(uuid.uuid4()))
    names = {each.get_json()["organisation"]["name"] for each in (new, again, elsewhere, unrouted)}
    assert len(names) == 3
    assert len({_size(each) for each in (new, again, elsewhere, unrouted)}) == 1


def test_covered_and_uncovered_are_answered_in_one_size(client: FlaskClient) -> None:
    asked = [
        client.post("/api/v1/coverage/lookup", json={"postcode": postcode})
        for postcode in ("1012 AB", "1000 AA")
    ]
    assert [each.get_json()["covered"] for each in asked] == [True, False]
    assert len({_size(each) for each in asked}) == 1


@pytest.mark.parametrize("path", ["/", "/api/v1/form", "/api/v1/nowhere"])
def test_an_answer_tells_its_length_and_each_header_once(sqlite_world: World, path: str) -> None:
    started: list[Any] = []
    environ = EnvironBuilder(path=path).get_environ()
    answer = b"".join(sqlite_world.app()(environ, lambda *given: started.append(given)))
    ((_status, headers),) = started
    assert dict(headers)["Content-Length"] == str(len(answer))
    assert len(headers) == len({name.lower() for name, _value in headers})


def test_no_view_is_a_coroutine_for_nobody_looks_whether_it_is(sqlite_world: World) -> None:
    app = sqlite_world.app(ProcessRole.ALL)
    hooks = chain(*app.before_request_funcs.values(), *app.after_request_funcs.values())
    called = [*app.view_functions.values(), *hooks]
    assert len(called) > 50
    assert not [function for function in called if iscoroutinefunction(function)]
