"""What a stranger tries with a browser or a program: SQL in every field, other hosts' names, frames.

The fields are found, not listed: those of the API in its description, those of the pages in the forms that
the pages show. So a new field is tried as soon as it is there.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import product
from typing import Any, Final
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, event, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from notifications.models import OutboxMessage
from signals.models import Signal, StaffMember
from signals.staff.sessions import csrf_token
from signals.web.staff_kit.auth import COOKIE
from tests.support.both_databases import BOTH
from tests.support.desk_side import BASE, PASSWORD, Desk
from tests.support.endpoints import ALLOWED, ENDS_A_SESSION, PEOPLE, _page_session

MARK: Final = "zq'zq"
"""A quote between letters that no statement of ours has: where it is seen in one, it was read as SQL."""

PAYLOADS: Final[Mapping[str, str]] = {
    "sqlite": f"{MARK} OR 'a'='a'; DELETE FROM signals; --",
    "postgresql": f"{MARK}\0",  # no text there holds one
}
MAIL: Final = f"{MARK}@example.org"
Statements = list[tuple[str, str]]


# SQL


@contextmanager
def overheard() -> Iterator[Statements]:
    """Collect every statement that reaches a database, with its values."""
    found: Statements = []

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_rest: Any) -> None:
        found.append((statement, repr(values)))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(Engine, "before_cursor_execute", note)


@dataclass(kw_only=True)
class Tried:
    """What came of it: fields that were tried, those whose text reached the database, and what went wrong."""

    fields: set[str] = field(default_factory=set)
    reached: set[str] = field(default_factory=set)
    wrong: set[str] = field(default_factory=set)

    def note(self, name: str, answer: TestResponse, statements: Statements) -> None:
        self.fields.add(name)
        if answer.status_code >= 500:
            self.wrong.add(f"{name}: {answer.status_code}")
        if any("zq" in statement.lower() for statement, _values in statements):
            self.wrong.add(f"{name}: in the statement")
        if any("zq" in values.lower() for _statement, values in statements):
            self.reached.add(name)


KNOWN_VALUES: Final[Mapping[str, Any]] = {
    "postcode": "1012AB", "house_number": 12, "email": "anna@example.org", "area": "1012",
    "attempted_at": "2026-11-24T10:00:00+01:00", "valid_from": "2026-11-24",
    "legal_basis": "Wmo 2015, art. 1",
}  # fmt: skip
"""What the description does not give away; wherever it does, a body is made of that."""


TYPED: Final = {
    "password": "een lange zin als wachtwoord",
    "email": "nieuw@example.org",
    "date": "2026-11-24",
}
"""What somebody types into a field of this type."""


def value_of(name: str, schema: Mapping[str, Any], signal_id: UUID) -> Any:
    """Something that the description allows."""
    if name in KNOWN_VALUES:
        return KNOWN_VALUES[name]
    if name.endswith("_id"):
        return str(signal_id)
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = kind[0]
    return {"integer": schema.get("minimum", 1), "boolean": True, "array": [], "object": {}}.get(
        str(kind), "2026-11-24" if schema.get("format") == "date" else "tekst"
    )


def is_text(schema: Mapping[str, Any]) -> bool:
    kind = schema.get("type")
    kinds = kind if isinstance(kind, list) else [kind]
    return "string" in kinds and "enum" not in schema


def calls(spec: Mapping[str, Any]) -> Iterator[tuple[str, str, str, Mapping[str, Any], list[str]]]:
    """(method, path, where, fields that must be there, names of text fields) of each call that takes text."""
    for path, methods in spec["paths"].items():
        for method, operation in methods.items():
            if not isinstance(operation, dict) or "responses" not in operation:
                continue
            query = {
                each["name"]: each["schema"]
                for each in operation.get("parameters", [])
                if each.get("in") == "query" and "schema" in each
            }
            body, required = _fields(operation.get("requestBody", {}), spec)
            for where, known, needed in (("query_string", query, ()), ("json", body, required)):
                texts = [name for name, schema in known.items() if is_text(schema)]
                if texts:
                    yield method.upper(), path, where, {name: known[name] for name in needed}, texts


def _fields(body: Mapping[str, Any], spec: Mapping[str, Any]) -> tuple[Mapping[str, Any], list[str]]:
    schema = body.get("content", {}).get("application/json", {}).get("schema", {})
    if "$ref" in schema:
        schema = spec["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema.get("properties", {}), schema.get("required", [])


@BOTH
@pytest.mark.slow
def test_sql_in_any_text_of_the_api_is_text(desk: Desk) -> None:
    signal_id, tried = desk.arrive(note=None), Tried()
    spec = desk.client.get(f"{BASE}/openapi.json").get_json()
    for method, path, where, needed, texts in calls(spec):
        rule = re.sub(r"\{(\w+)\}", r"<\1>", re.sub(r"\{(\w+_id)\}", r"<uuid:\1>", path))
        who = ALLOWED[method, rule][-1]
        for name, payload in product(texts, (MARK, MAIL, PAYLOADS[desk.engine.name])):
            values = {each: value_of(each, schema, signal_id) for each, schema in needed.items()}
            sent: dict[str, Any] = {where: values | {name: payload}}
            with overheard() as statements:
                answer = _call(desk, who, method, re.sub(r"\{\w+\}", str(signal_id), path), sent)
            tried.note(f"{method} {path} {name}", answer, statements)
    assert tried.wrong == set()
    assert len(tried.fields) > 40
    assert {
        "GET /api/v1/organisations search",
        "PUT /api/v1/retention/periods legal_basis",
        "POST /api/v1/sessions email",
    } <= tried.reached
    _assert_nothing_gone(desk, signal_id)


def _call(desk: Desk, who: str, method: str, path: str, sent: dict[str, Any]) -> TestResponse:
    headers = {} if who == "-" else dict(desk.people[PEOPLE[who]].bearer)
    if method in ("POST", "PUT", "PATCH"):
        headers["Idempotency-Key"] = str(uuid4())
        sent = {"json": {}, **sent}
    return desk.client.open(path, method=method, headers=headers, **sent)


@BOTH
def test_an_error_of_the_database_quotes_no_value(desk: Desk) -> None:
    with Session(desk.engine) as session, pytest.raises(SQLAlchemyError) as failed:
        session.execute(text("SELECT :said FROM no_such_table"), {"said": MARK})
    assert "no_such_table" in str(failed.value)
    assert MARK not in str(failed.value)


class Forms(HTMLParser):
    """The forms of a page: where each goes, and its fields with what they hold."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str, dict[str, str]]] = []
        self._select = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        at = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.found.append((at.get("method", "get").upper(), at.get("action", ""), {}))
        elif self.found and (tag == "option" or at.get("name")):
            self._take(tag, at, self.found[-1][2])

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = ""

    def _take(self, tag: str, at: Mapping[str, str], values: dict[str, str]) -> None:
        name, kind = at.get("name", ""), at.get("type", "text")
        if tag == "select":
            self._select = name
        elif tag == "option":
            values[self._select] = values.get(self._select) or at.get("value", "")
        elif tag == "textarea":
            values[name] = "tekst"
        elif tag == "input" and kind in ("radio", "checkbox"):
            values.setdefault(name, at.get("value", "on"))
        elif tag == "input":
            values[name] = at.get("value") or str(KNOWN_VALUES.get(name, TYPED.get(kind, "tekst")))


@BOTH
@pytest.mark.slow
def test_sql_in_any_field_of_any_form_is_text(desk: Desk) -> None:
    signal_id, tried = desk.arrive(concern_types=["frail"]), Tried()
    for who, method, path, values in list(_forms_of_all_pages(desk, signal_id)):
        for name in sorted(values.keys() - {"csrf_token"}):
            payload = MAIL if "@" in values[name] else PAYLOADS[desk.engine.name]
            headers = _as(desk, who)
            where = "query_string" if method == "GET" else "data"
            sent: dict[str, Any] = {where: values | {name: payload} | _secret_of(headers)}
            with overheard() as statements:
                answer = _client(desk).open(path, method=method, headers=headers, **sent)
            answer.close()
            tried.note(f"{method} {_without_ids(path)} {name}", answer, statements)
    assert tried.wrong == set()
    assert len(tried.fields) > 60
    assert len(tried.reached) > 3
    _assert_nothing_gone(desk, signal_id)


def _forms_of_all_pages(
    desk: Desk,
    signal_id: UUID,
) -> Iterator[tuple[str, str, str, dict[str, str]]]:
    """(role, method, where to, fields with what they hold) of each form that differs from those before."""
    seen = set()
    for who, path, page in _pages_with_forms(desk, signal_id):
        for method, action, values in Forms(page).found:
            kind = (method, _without_ids(action or path), frozenset(values))
            if kind not in seen and not action.endswith("sign-out"):
                seen.add(kind)
                yield who, method, action or path, values


def _pages_with_forms(desk: Desk, signal_id: UUID) -> Iterator[tuple[str, str, str]]:
    for who, path in _pages(signal_id):
        answer = _client(desk).get(path, headers=_as(desk, who))
        if answer.mimetype == "text/html":
            yield who, path, answer.text
        answer.close()
    headers, found = _as(desk, "P"), "/desk/officer/residents"  # what a page shows once something was found
    place = {"postcode": "1012AB", "house_number": "12", **_secret_of(headers)}
    page = _client(desk).post(found, headers=headers, data=place).text
    assert str(signal_id) in page
    yield "P", found, page


FILES: Final = ("/favicon.ico",)


def _pages(signal_id: UUID) -> Iterator[tuple[str, str]]:
    """(role, address) of each page that a person can open, with the ids of the own organisation's signal."""
    for (method, rule), who in ALLOWED.items():
        path = rule.replace("<uuid:signal_id>", str(signal_id))
        shown = not rule.startswith(("/api/", "/static/", "/metrics")) and rule not in FILES
        if method == "GET" and "<" not in path and shown:
            yield who[0], path


def _client(desk: Desk) -> FlaskClient:
    """A browser whose cookies are said with each request: the host's name decides about none of them."""
    return desk.app.test_client(use_cookies=False)


def _as(desk: Desk, who: str) -> dict[str, str]:
    """The headers of somebody of this role who just signed in."""
    return {} if who == "-" else {"Cookie": f"{COOKIE}={_page_session(desk, PEOPLE[who])}"}


def _secret_of(headers: Mapping[str, str]) -> dict[str, str]:
    return {"csrf_token": csrf_token(headers["Cookie"].partition("=")[2])} if headers else {}


def _without_ids(path: str) -> str:
    return re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<id>", path.partition("?")[0])


def _assert_nothing_gone(desk: Desk, signal_id: UUID) -> None:
    with Session(desk.engine) as session:
        assert session.get(Signal, signal_id) is not None
        assert len(session.scalars(select(StaffMember.id)).all()) >= len(desk.people)


# Hosts and frames


ELSEWHERE: Final = "evil.example"
FOREIGN_NAMES: Final = {
    "Host": ELSEWHERE,
    "X-Forwarded-Host": ELSEWHERE,
    "X-Forwarded-Server": ELSEWHERE,
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Prefix": f"/{ELSEWHERE}",
    "X-Original-URL": f"/{ELSEWHERE}",
    "X-Rewrite-URL": f"/{ELSEWHERE}",
    "Forwarded": f"host={ELSEWHERE};proto=https",
    "Origin": f"https://{ELSEWHERE}",
}


def test_no_answer_repeats_a_host_that_a_header_names(desk: Desk) -> None:
    signal_id, wrong = desk.arrive(), []
    for who, path in (*_pages(signal_id), ("-", "/desk"), ("-", "/nope"), ("-", f"{BASE}/openapi.json")):
        answer = _client(desk).get(path, headers=FOREIGN_NAMES | _as(desk, who))
        assert answer.status_code != 401
        # The description is for everybody's tools, whoever asks, and never with what a browser signs in with.
        allowed = "*" if path.endswith("/openapi.json") else None
        shared = {name: value for name, value in answer.headers if name.startswith("Access-Control-")}
        if ELSEWHERE.encode() in answer.data + str(answer.headers).encode() or shared != (
            {"Access-Control-Allow-Origin": allowed} if allowed else {}
        ):
            wrong.append(path)
    assert wrong == []


@pytest.mark.parametrize("path", ["/api//v1/form", f"{BASE}//form", "/desk//sign-in", "/static//page.css"])
def test_an_address_with_two_slashes_is_none_and_leads_nowhere(desk: Desk, path: str) -> None:
    answer = _client(desk).get(path, headers=FOREIGN_NAMES)
    assert (answer.status_code, answer.headers.get("Location")) == (404, None)


def test_no_redirect_and_no_mail_leads_to_a_host_that_a_header_names(desk: Desk) -> None:
    """A link to recover an account that goes to another host would hand the account over."""
    form = {"email": "lena@example.org", "password": PASSWORD, "totp": desk.code("lena")}
    signed_in = _client(desk).post("/desk/sign-in", data=form, headers=FOREIGN_NAMES)
    assert_leads_here(signed_in)
    (token,) = re.findall(rf"{COOKIE}=([^;]+)", "\n".join(signed_in.headers.getlist("Set-Cookie")))
    headers = {"Cookie": f"{COOKIE}={token}"}
    with Session(desk.engine) as session:
        anna = session.scalars(select(StaffMember.id).where(StaffMember.email == "anna@example.org")).one()
    path, secret = f"/desk/team/{anna}/recover", _secret_of(headers)
    assert_leads_here(_client(desk).post(path, data=secret, headers=FOREIGN_NAMES | headers))
    with Session(desk.engine) as session:
        mails = session.scalars(select(OutboxMessage)).all()
    assert mails
    assert ELSEWHERE not in repr([vars(mail) for mail in mails])


def assert_leads_here(answer: TestResponse) -> None:
    assert answer.status_code == 303
    assert re.match(r"/desk(?!/sign-in|/account/confirm)", answer.headers["Location"])
    assert ELSEWHERE not in str(answer.headers)


@BOTH
def test_a_guesser_is_not_another_one_under_another_address(desk: Desk) -> None:
    statuses = []
    for number in range(6):
        address = f"198.51.100.{number}"
        names = dict.fromkeys(("X-Forwarded-For", "X-Real-IP", "Client-IP", "True-Client-IP"), address)
        answer = desk.app.test_client().post(
            "/desk/sign-in",
            data={"email": "anna@example.org", "password": "het verkeerde woord", "totp": "000000"},
            headers=names | {"Forwarded": f"for={address}", "User-Agent": f"agent {number}"},
            environ_base={"REMOTE_ADDR": address},
        )
        statuses.append(answer.status_code)
    assert statuses[-1] == 429


def test_no_page_and_no_refusal_can_be_put_into_a_frame_or_run_what_is_not_ours(desk: Desk) -> None:
    signal_id, wrong = desk.arrive(), []
    refused = [
        ("-", "/nope"),
        ("-", "/desk/officer"),
        ("W", "/admin"),
        ("-", f"{BASE}/queue"),
        ("-", "/healthz"),
    ]
    for who, path in (*_pages(signal_id), *refused):
        answer = _client(desk).get(path, headers=_as(desk, who))
        answer.close()
        policy = {part.strip() for part in answer.headers.get("Content-Security-Policy", "").split(";")}
        held = {
            "default-src 'none'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action 'self'",
        } <= policy
        shut = answer.headers.get("X-Frame-Options") == "DENY" and "unsafe" not in str(sorted(policy))
        if not held or not shut or answer.headers.get("X-Content-Type-Options") != "nosniff":
            wrong.append(path)
    assert wrong == []


def test_no_form_of_staff_is_taken_without_the_secret_of_its_page(desk: Desk) -> None:
    """Every form of the staff side, sent by a signed-in browser without the secret that the page holds."""
    reached = {}
    for (method, rule), who in ALLOWED.items():
        if method == "GET" or rule.startswith("/api/") or who == "-" or rule in ENDS_A_SESSION:
            continue
        path = re.sub(r"<[^>]+>", lambda _part: str(uuid4()), rule)
        forged = {"csrf_token": "0" * 64}
        answer = _client(desk).open(path, method=method, headers=_as(desk, who[0]), data=forged)
        if answer.status_code != 403:
            reached[method, rule] = answer.status_code
    assert reached == {}


# Listening: TLS hides what is said, and neither how long it is nor how long it takes


def shapes(statements: Statements) -> list[str]:
    """The statements without their values: what the database is asked to do."""
    return [statement for statement, _values in statements]


@BOTH
def test_a_receipt_never_issued_is_looked_for_like_one_that_was(desk: Desk) -> None:
    body = {"postcode": "1012AB", "house_number": 12}
    sent = desk.client.post(
        f"{BASE}/signals", json=body, headers={"Idempotency-Key": str(uuid4())}
    ).get_json()
    asked, sizes = [], set()
    for receipt in (sent["receipt"], "0000-0000-0000-0000", "", "no receipt at all"):
        with overheard() as statements:
            answer = desk.client.post(f"{BASE}/receipts/status", json={"receipt": receipt})
        asked.append(shapes(statements))
        sizes.add((answer.status_code, answer.content_length))
    assert asked[0]
    assert [each for each in asked if each != asked[0]] == []
    assert len(sizes) == 1


@BOTH
def test_the_lookup_treats_covered_and_uncovered_postcodes_alike(desk: Desk) -> None:
    asked, told = [], set()
    for postcode in ("1012AB", "9711AA", "4381AA", "1000AA"):
        desk.client.post(f"{BASE}/coverage/lookup", json={"postcode": postcode})  # whatever is kept, is kept
        with overheard() as statements:
            answer = desk.client.post(f"{BASE}/coverage/lookup", json={"postcode": postcode})
        asked.append(shapes(statements))
        told.add(answer.get_json()["covered"])
    assert told == {True, False}
    assert [each for each in asked if each != asked[0]] == []


@BOTH
def test_a_report_for_whoever_receives_it_is_stored_by_the_same_statements(desk: Desk) -> None:
    asked = []
    for postcode in ("1012AB", "9711AA", "4381AA", "1000AA"):
        _send(desk, postcode)  # the first of an organisation looks how many it had today
        with overheard() as statements:
            _send(desk, postcode)
        asked.append(shapes(statements))
    assert [each for each in asked[0] if "INSERT INTO idempotency_keys" in each]
    assert [each for each in asked if each != asked[0]] == []


@BOTH
def test_a_retry_is_answered_in_the_size_and_form_of_a_first_report(desk: Desk) -> None:
    key = str(uuid4())
    first, again, another = (_sent(desk, "1012AB", each) for each in (key, key, str(uuid4())))
    assert {answer.status_code for answer in (first, again, another)} == {201}
    assert first.data == again.data
    assert len(first.data) == len(another.data)
    assert [*first.headers] == [*again.headers] == [*another.headers]


def _send(desk: Desk, postcode: str) -> None:
    assert _sent(desk, postcode, str(uuid4())).status_code == 201


def _sent(desk: Desk, postcode: str, key: str) -> TestResponse:
    body = {"postcode": postcode, "house_number": 12}
    return desk.client.post(f"{BASE}/signals", json=body, headers={"Idempotency-Key": key})
