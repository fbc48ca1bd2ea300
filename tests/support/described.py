"""Every answer that a test gets from the staff API fits the published description, and has nothing more.

The description leaves answers open, so that they may grow. Tests close them: a new field needs describing.
"""

from functools import cache
from typing import Any

from flask import Flask
from jsonschema import Draft202012Validator
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

BASE = "/api/v1"
_documents: list[dict[str, Any]] = []
"""The description, once made in this process: each application describes the same calls."""


def assert_as_described(app: Flask, method: str, path: str, answer: TestResponse) -> None:
    """Compare a JSON answer with its schema, where the description names this status."""
    try:
        rule, _values = app.url_map.bind("").match(
            f"{BASE}{path.partition('?')[0]}", method=method, return_rule=True
        )
    except HTTPException:
        return
    if not _documents:
        _documents.append(app.test_client().get(f"{BASE}/openapi.json").get_json())
        for schema in _documents[0]["components"]["schemas"].values():
            if "properties" in schema:
                schema["additionalProperties"] = False
    template = rule.rule.removeprefix(BASE).replace("<uuid:", "{").replace("<", "{").replace(">", "}")
    validator = _validator(template, method.lower(), str(answer.status_code), answer.mimetype)
    if validator:
        validator.validate(answer.get_json())


@cache
def _validator(template: str, method: str, status: str, mimetype: str) -> Any:
    [document] = _documents
    described = document["paths"][template][method]["responses"].get(status, {})
    if "$ref" in described:
        described = document["components"]["responses"][described["$ref"].rpartition("/")[2]]
    content = described.get("content", {}).get(mimetype)
    if not content or not mimetype.endswith("json"):
        return None
    schema = content["schema"] | {"components": document["components"]}
    return Draft202012Validator(schema)
