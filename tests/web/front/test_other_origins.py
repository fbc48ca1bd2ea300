"""Pages of other origins, like an employer's work app, may call the public API and nothing else."""

import pytest
from flask.testing import FlaskClient

from tests.support.public_api import send

PUBLIC = ("form", "coverage/lookup", "mailboxes/lookup", "signals", "receipts/status")
ELSEWHERE = (
    "/",
    "/voortgang",
    "/api/v1/queue",
    "/api/v1/sessions",
    "/desk",
    "/healthz",
)


@pytest.mark.parametrize("call", PUBLIC)
def test_a_preflight_allows_what_a_report_needs_without_credentials(caller: FlaskClient, call: str) -> None:
    headers = caller.options(f"/api/v1/{call}", headers={"Origin": "https://werk.example"}).headers
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in headers
    allowed = headers["Access-Control-Allow-Headers"].split(", ")
    assert {"Idempotency-Key", "Authorization", "Content-Type"} <= set(allowed)


def test_answers_and_refusals_are_readable_with_their_version_and_wait(caller: FlaskClient) -> None:
    for answer in (caller.get("/api/v1/form"), send(caller), send(caller, b"{")):
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.headers["Access-Control-Expose-Headers"] == "API-Version, Retry-After"


@pytest.mark.parametrize("path", ELSEWHERE)
@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_no_other_address_answers_other_origins(caller: FlaskClient, path: str, method: str) -> None:
    answer = caller.open(path, method=method, headers={"Origin": "https://werk.example"})
    assert not [name for name, _value in answer.headers if name.startswith("Access-Control")]
