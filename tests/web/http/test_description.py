"""The description of the API by the Dutch government's API Design Rules, as their linter reads it."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.support.desk_side import BASE, Desk


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
    opened = document["paths"][f"{BASE}/signals/{{signal_id}}"]["get"]["responses"]["200"]
    assert set(opened["headers"]) == {"API-Version", "ETag"}


def test_every_call_has_a_name_of_its_own_for_generated_clients(document: dict[str, Any]) -> None:
    names = [each.get("operationId", "") for _, each in operations(document)]
    assert len(names) == len(set(names)) > 60
    assert [name for name in names if not re.fullmatch(r"[a-z]+([A-Z][a-z]*)+", name)] == []
    assert document["paths"][f"{BASE}/signals/{{signal_id}}/claim"]["post"]["operationId"] == "staffClaim"


def test_the_headers_of_a_refusal_are_described(document: dict[str, Any]) -> None:
    refusals = document["components"]["responses"]
    assert "WWW-Authenticate" in refusals["UNAUTHORIZED"]["headers"]
    for name in ("TOO_MANY_REQUESTS", "SERVICE_UNAVAILABLE"):
        assert "Retry-After" in refusals[name]["headers"]


def test_a_call_with_304_documents_if_none_match(document: dict[str, Any]) -> None:
    asked = {name: each for name, each in operations(document) if "304" in each["responses"]}
    assert len(asked) == 4
    for each in asked.values():
        assert "If-None-Match" in [one["name"] for one in each["parameters"]]
        assert "ETag" in each["responses"]["200"]["headers"]


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
