"""The description of the API by the Dutch government's API Design Rules, as their linter reads it."""

import gzip
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import brotli
import pytest
from jsonschema import Draft202012Validator

from signals.settings import Settings
from signals.web.http.preconditions import IF_MATCH
from tests.support.desk_side import BASE, Desk
from tests.support.installations import MakeApp


@pytest.fixture
def document(desk: Desk) -> dict[str, Any]:
    described: dict[str, Any] = desk.client.get(f"{BASE}/openapi.json").get_json()
    return described


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (method and path, operation) of every call."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if method in ("get", "post", "put", "patch", "delete"):
                yield f"{method} {path}", operation


def schemas_in(part: Any) -> Iterator[dict[str, Any]]:
    if isinstance(part, dict):
        yield part
    for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from schemas_in(inner)


def test_every_answer_is_described_with_the_version_that_it_has(document: dict[str, Any]) -> None:
    answers = {
        f"{name} {status}": answer
        for name, operation in [*operations(document), ("shared", document["components"])]
        for status, answer in operation["responses"].items()
        if "$ref" not in answer
    }
    assert len(answers) > 60
    assert [name for name, answer in answers.items() if "API-Version" not in answer.get("headers", {})] == []
    opened = document["paths"]["/signals/{signal_id}"]["get"]["responses"]["200"]
    assert set(opened["headers"]) == {"API-Version", "ETag"}


def test_every_call_has_a_name_of_its_own_for_generated_clients(document: dict[str, Any]) -> None:
    names = [each.get("operationId", "") for _, each in operations(document)]
    assert len(names) == len(set(names)) > 60
    assert [name for name in names if not re.fullmatch(r"[a-z]+([A-Z][a-z]*)+", name)] == []
    assert document["paths"]["/signals/{signal_id}/claim"]["post"]["operationId"] == "staffClaim"


def test_the_headers_of_a_refusal_are_described(document: dict[str, Any]) -> None:
    refusals = document["components"]["responses"]
    assert "WWW-Authenticate" in refusals["UNAUTHORIZED"]["headers"]
    for name in ("TOO_MANY_REQUESTS", "SERVICE_UNAVAILABLE"):
        assert "Retry-After" in refusals[name]["headers"]


def test_a_call_with_304_documents_if_none_match(document: dict[str, Any]) -> None:
    asked = {name: each for name, each in operations(document) if "304" in each["responses"]}
    tables = "/statistics/releases/{period}/tables/{table}"
    assert set(asked) == {"get /form", "get /statistics/releases", f"get {tables}"}
    for each in asked.values():
        assert "If-None-Match" in [one["name"] for one in each["parameters"]]
        assert "ETag" in each["responses"]["200"]["headers"]


def properties(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (name, schema) of every property and parameter."""
    for schema_name, schema in document["components"]["schemas"].items():
        for name, described in schema.get("properties", {}).items():
            yield f"{schema_name}.{name}", described
    for path, methods in document["paths"].items():
        for owner in (methods, *methods.values()):
            for parameter in owner.get("parameters", ()) if isinstance(owner, dict) else ():
                yield f"{path} {parameter['name']}", parameter


def test_every_property_and_operation_says_what_it_is(document: dict[str, Any]) -> None:
    described = [*properties(document), *operations(document), *document["components"]["schemas"].items()]
    assert len(described) > 700
    assert [name for name, each in described if not each.get("description", "").strip()] == []
    claim = document["paths"]["/signals/{signal_id}/claim"]["post"]["description"]
    assert claim.endswith("For: worker, lead.")


def test_every_list_of_codes_is_one_component_with_a_type(document: dict[str, Any]) -> None:
    components = document["components"]["schemas"]
    named = [each for each in components.values() if "enum" in each]
    assert len(named) == len({tuple(each["enum"]) for each in named}) > 30
    assert {each["type"] for each in named} == {"string"}
    assert [each for each in schemas_in(document) if "enum" in each and each not in named] == []
    assert components["Erase"]["properties"]["right"]["$ref"].endswith("/ErasingRight")
    assert components["ErasingRight"]["enum"] == ["erasure", "objection"]


def test_a_list_of_codes_may_be_null_where_an_answer_may(document: dict[str, Any]) -> None:
    signal = document["components"]["schemas"]["Signal"]["properties"]
    assert signal["outcome"]["anyOf"] == [{"$ref": "#/components/schemas/Outcome"}, {"type": "null"}]
    for name in ("profession", "seen", "referred_to", "suggestion"):
        assert {"type": "null"} in signal[name]["anyOf"]
    parameters = [one for name, one in properties(document) if "in" in one]
    assert [one for one in parameters if "null" in json.dumps(one["schema"])] == []


def test_requests_are_closed_and_answers_may_grow(document: dict[str, Any]) -> None:
    components = document["components"]["schemas"]
    bodies = json.dumps([each.get("requestBody", {}) for _, each in operations(document)])
    asked = set(re.findall(r"schemas/(\w+)", bodies)) | {"NewRecipient", "NoteCorrection", "RecipientWish"}
    closed = {name for name, each in components.items() if each.get("additionalProperties") is False}
    assert len(asked) > 25
    assert closed == asked


def test_what_a_client_must_write_exactly_has_a_pattern(document: dict[str, Any]) -> None:
    components = document["components"]["schemas"]
    shown = {**dict(properties(document)), "If-Match": IF_MATCH}
    fits = {
        "Queue.next_cursor": "AAuE8P1lQw-m",
        "/queue cursor": "AAuE8P1lQw-m",
        "Received.receipt": "K7P4-QX2M-0000-ZZZZ",
        "Receipt.receipt": " k7p4 qx2m 0000 zzzz",
        "If-Match": '"12"',
        "/signals Idempotency-Key": "0b9cb5d4-4f0e-4d3a-9c5a-0f5d6f6f2b11",
    }
    for name, text in fits.items():
        pattern = shown[name].get("schema", shown[name])["pattern"]
        assert re.search(pattern, text), name
        assert not re.search(pattern, "a b"), name
    assert "format" not in shown["/signals Idempotency-Key"]["schema"]  # a client would send no text
    assert components["Queue"]["properties"]["next_cursor"]["type"] == ["string", "null"]


def test_the_description_names_whom_to_ask(desk_settings: Settings, make_app: MakeApp) -> None:
    scheme = replace(desk_settings.scheme, name="Deurpost", contact_email="api@gemeente.example")
    app = make_app(replace(desk_settings, scheme=scheme))
    described = app.test_client().get(f"{BASE}/openapi.json").get_json()
    site = desk_settings.server.public_url
    assert described["info"]["contact"] == {"name": "Deurpost", "url": site, "email": "api@gemeente.example"}
    assert described["servers"] == [{"url": BASE}]


@pytest.mark.parametrize(("coding", "unpack"), [("gzip", gzip.decompress), ("br", brotli.decompress)])
def test_the_description_is_compressed_and_sent_once(
    desk: Desk, coding: str, unpack: Callable[[bytes], bytes]
) -> None:
    address = f"{BASE}/openapi.json"
    packed = desk.client.get(address, headers={"Accept-Encoding": coding})
    assert packed.headers["Content-Encoding"] == coding
    assert len(packed.data) < 40_000
    assert json.loads(unpack(packed.data)) == desk.client.get(address).get_json()
    again = desk.client.get(address, headers={"If-None-Match": packed.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_pages_of_other_sites_may_read_the_description_and_nothing_else(desk: Desk) -> None:
    described = desk.client.get(f"{BASE}/openapi.json", headers={"Origin": "https://elsewhere.example"})
    assert described.headers["Access-Control-Allow-Origin"] == "*"
    assert described.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "Access-Control-Allow-Origin" not in desk.client.get(f"{BASE}/queue").headers


def test_every_call_that_changes_something_may_be_wrong(document: dict[str, Any]) -> None:
    changing = {
        name: each for name, each in operations(document) if name.split()[0] in ("post", "put", "patch")
    }
    assert len(changing) > 30
    assert [name for name, each in changing.items() if "400" not in each["responses"]] == []


def test_patterns_are_those_of_json_schema_and_examples_fit_them(document: dict[str, Any]) -> None:
    """ECMA-262 has neither `\\A` nor `\\Z`."""
    schemas = [each for each in schemas_in(document["components"]["schemas"]) if "pattern" in each]
    patterns = [each["pattern"] for each in schemas if isinstance(each["pattern"], str)]
    assert patterns
    assert [pattern for pattern in patterns if "\\A" in pattern or "\\Z" in pattern] == []
    shown = [each for each in schemas_in(document["components"]["schemas"]) if "example" in each]
    wrong = [each for each in shown if "$ref" not in json.dumps(each) and not fits(each)]
    assert len(shown) > 10
    assert wrong == []


def fits(schema: dict[str, Any]) -> bool:
    return Draft202012Validator(schema).is_valid(schema["example"])


@pytest.mark.parametrize("area", ["1012\n", "gm0363", "1", "GM03633", ""])
def test_an_area_is_taken_as_it_is_described(desk: Desk, area: str) -> None:
    body = {"organisation_id": "00000000-0000-0000-0000-000000000000", "level": "pc4", "area": area}
    answer = desk.call("bea", "POST", "/coverage", json=body | {"valid_from": "2026-11-24"})
    assert [wrong["field"] for wrong in answer.get_json()["errors"]] == ["area"]
