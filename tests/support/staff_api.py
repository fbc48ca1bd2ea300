"""Calls of the staff API and their problems."""

from typing import Any
from uuid import UUID

from werkzeug.test import TestResponse

from tests.support.desk_side import Desk


def problem(response: TestResponse) -> dict[str, Any]:
    assert response.mimetype == "application/problem+json"
    body: dict[str, Any] = response.get_json()
    assert body["status"] == response.status_code
    return body


def code_of(response: TestResponse) -> str:
    return str(problem(response)["type"]).removeprefix("urn:problem:signals:")


def fields_of(response: TestResponse) -> set[str]:
    assert response.status_code == 400
    return {error["field"] for error in problem(response)["errors"]}


def post(desk: Desk, who: str, signal_id: UUID, what: str, **more: Any) -> TestResponse:
    return desk.call(who, "POST", f"/signals/{signal_id}/{what}", **more)
