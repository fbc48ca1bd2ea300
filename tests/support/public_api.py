"""Reports over the public API, and problems that answer them."""

import io
import json
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from privacy.logs import configure_logging
from signals.settings import LoggingSettings
from tests.support.world import World

GOOD = {"postcode": "1012 ab", "house_number": 12}


KEY = "6f1c2b54-5d1e-4f0a-9b57-0c8f4a1d2e3f"


TYPED = "Zeldzaamheid"
"""A rare word: it may not come back."""


@pytest.fixture
def caller(sqlite_world: World, log: io.StringIO) -> FlaskClient:
    made = sqlite_world.app(logging=LoggingSettings(level="DEBUG"))
    configure_logging(log, "DEBUG", date_only=True)
    return made.test_client()


def send(caller: FlaskClient, body: Any = GOOD, key: str | None = KEY, **headers: str) -> TestResponse:
    """Send a report as JSON, or raw bytes as they are."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = {"Content-Type": "application/json", "Idempotency-Key": key, **_names(headers)}
    return caller.post(
        "/api/v1/signals", data=data, headers={name: value for name, value in sent.items() if value}
    )


def _names(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-").title(): value for name, value in headers.items()}


def assert_problem(answer: TestResponse, status: int, code: str | None = None) -> None:
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
