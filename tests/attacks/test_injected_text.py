"""Text in every field of the API and of every form stays text."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import product
from typing import Any, Final
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from signals.models import Signal, StaffMember
from tests.support.both_databases import BOTH
from tests.support.desk_side import BASE, Desk
from tests.support.endpoints import ALLOWED, PEOPLE
from tests.support.outsiders import Statements, client, headers_of, overheard, pages, secret_of

MARK: Final = "zq'zq"
"""A quote between letters that no statement of ours has: where it is seen in one, it was read as SQL."""


PAYLOADS: Final[Mapping[str, str]] = {
    "sqlite": f"{MARK} OR 'a'='a'; DELETE FROM signals; --",
    "postgresql": f"{MARK}\0",  # no text there holds one
}


MAIL: Final = f"{MARK}@example.org"


@dataclass(kw_only=True)
class Tried:
    """Fields that the test tried, fields whose text reached the database, and faults."""

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
    "legal_basis": "Wmo 2015, art. 1", "days": 28,
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
                each["name"]: _resolved(each["schema"], spec)
                for each in operation.get("parameters", [])
                if each.get("in") == "query" and "schema" in each
            }
            body, required = _fields(operation.get("requestBody", {}), spec)
            for where, known, needed in (("query_string", query, ()), ("json", body, required)):
                texts = [name for name, schema in known.items() if is_text(schema)]
                if texts:
                    yield (
                        method.upper(),
                        f"{BASE}{path}",
                        where,
                        {name: known[name] for name in needed},
                        texts,
                    )


def _fields(body: Mapping[str, Any], spec: Mapping[str, Any]) -> tuple[Mapping[str, Any], list[str]]:
    schema = _resolved(body.get("content", {}).get("application/json", {}).get("schema", {}), spec)
    known = {name: _resolved(one, spec) for name, one in schema.get("properties", {}).items()}
    return known, schema.get("required", [])


def _resolved(schema: Mapping[str, Any], spec: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the component that a schema names, also where null is allowed too."""
    [named, *_null] = schema.get("anyOf", [schema])
    if "$ref" not in named:
        return schema
    found: Mapping[str, Any] = spec["components"]["schemas"][named["$ref"].rpartition("/")[2]]
    return found


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
    """Return the address and the filled fields of each form on a page."""

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
            headers = headers_of(desk, who)
            where = "query_string" if method == "GET" else "data"
            filled = values | dict.fromkeys(values.keys() & {"right"}, "")  # a whole request would erase
            sent: dict[str, Any] = {where: filled | {name: payload} | secret_of(headers)}
            with overheard() as statements:
                answer = client(desk).open(path, method=method, headers=headers, **sent)
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
    """Yield role, method, address and filled fields of each form that differs from earlier ones."""
    seen = set()
    for who, path, page in _pages_with_forms(desk, signal_id):
        for method, action, values in Forms(page).found:
            kind = (method, _without_ids(action or path), frozenset(values))
            if kind not in seen and not action.endswith("sign-out"):
                seen.add(kind)
                yield who, method, action or path, values


def _pages_with_forms(desk: Desk, signal_id: UUID) -> Iterator[tuple[str, str, str]]:
    for who, path in pages(signal_id):
        answer = client(desk).get(path, headers=headers_of(desk, who))
        if answer.mimetype == "text/html":
            yield who, path, answer.text
        answer.close()
    headers, found = (
        headers_of(desk, "P"),
        "/desk/officer/residents",
    )  # what a page shows once something was found
    place = {"postcode": "1012AB", "house_number": "12", **secret_of(headers)}
    page = client(desk).post(found, headers=headers, data=place).text
    assert str(signal_id) in page
    yield "P", found, page


def _without_ids(path: str) -> str:
    return re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<id>", path.partition("?")[0])


def _assert_nothing_gone(desk: Desk, signal_id: UUID) -> None:
    with Session(desk.engine) as session:
        assert session.get(Signal, signal_id) is not None
        assert len(session.scalars(select(StaffMember.id)).all()) >= len(desk.people)
