"""One OpenAPI 3.1 description of the public and staff API, made from the schemas that check the requests."""

import json
import re
from collections.abc import Callable
from copy import deepcopy
from http import HTTPStatus
from typing import Any, Final, TypeVar, cast

from flask import Flask, Response, current_app
from flask_smorest import Api, Blueprint

from signals.web.http.bodies import StaffParser, StrictParser
from signals.web.http.problems import MEDIA_TYPE, ProblemSchema

API_BASE: Final = "/api/v1"
API_VERSION: Final = "1.0.0"

_VERSION: Final = {
    "API-Version": {
        "description": "The API's full version",
        "schema": {"type": "string"},
        "example": API_VERSION,
    }
}
_RETRY_AFTER: Final = {
    "Retry-After": {"description": "Seconds to wait", "schema": {"type": "integer"}},
}
_OF_REFUSALS: Final = {
    HTTPStatus.UNAUTHORIZED.name: {
        "WWW-Authenticate": {"description": "How to sign in: `Bearer`", "schema": {"type": "string"}}
    },
    HTTPStatus.TOO_MANY_REQUESTS.name: _RETRY_AFTER,
    HTTPStatus.SERVICE_UNAVAILABLE.name: _RETRY_AFTER,
}
"""Further headers of a problem, by the name of its status."""
_EXTENSION: Final = "signals.api"
_VARIABLE: Final = re.compile(r"<(?:[^:<>]+:)?([^<>]+)>")

View = TypeVar("View", bound=Callable[..., Any])


class PublicBlueprint(Blueprint):  # type: ignore[misc]
    """A blueprint that reads JSON bodies strictly."""

    ARGUMENTS_PARSER = StrictParser()


class StaffBlueprint(Blueprint):  # type: ignore[misc]
    """A blueprint for staff: the same with room for longer notes."""

    ARGUMENTS_PARSER = StaffParser()


class ProblemApi(Api):  # type: ignore[misc]
    """flask-smorest with problems (RFC 9457) as the body of every refusal."""

    ERROR_SCHEMA = ProblemSchema


def make_api(app: Flask) -> ProblemApi:
    """Return the API of an application, to register blueprints on; it serves its own description.

    flask-smorest handles HTTP errors itself from now on, until `register_problems` replaces that.
    """
    app.config.update(API_TITLE="Signals", API_VERSION=API_VERSION, OPENAPI_VERSION="3.1.0")
    spec = {
        "info": {
            "description": "A carrier's concern at the door, followed up by the right team.",
            "contact": {"name": "The maintainers", "url": "https://example.org", "email": "api@example.org"},
        },
        "servers": [{"url": "/"}],
        "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
    }
    api = ProblemApi(app, spec_kwargs=spec)
    app.extensions[_EXTENSION] = api
    app.add_url_rule(f"{API_BASE}/openapi.json", "openapi", _serve_description)
    return api


def describe() -> dict[str, Any]:
    """Return the whole OpenAPI document of the current application."""
    api = cast(ProblemApi, current_app.extensions[_EXTENSION])
    document: dict[str, Any] = deepcopy(api.spec.to_dict())
    _refuse_with_problems(document)
    _add_headers(document)
    _complete_operations(current_app, document)
    return document


def answers(*statuses: int) -> Callable[[View], View]:
    """Document the problems that a call may answer with."""
    documented: Callable[[View], View] = Blueprint.doc(
        responses={status: HTTPStatus(status).name for status in statuses}
    )
    return documented


def _serve_description() -> Response:
    """Answer programs of everybody: pages of other sites may read it (API Design Rules, publish-openapi)."""
    headers = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}
    return Response(json.dumps(describe(), indent=2), content_type="application/json", headers=headers)


def _refuse_with_problems(document: dict[str, Any]) -> None:
    """Correct the media type of the shared answers: flask-smorest gives all answers one type."""
    for answer in document["components"]["responses"].values():
        if "content" in answer:
            answer["content"] = {MEDIA_TYPE: answer["content"][Api.DEFAULT_RESPONSE_CONTENT_TYPE]}


def _add_headers(document: dict[str, Any]) -> None:
    """Add the version to every answer (API Design Rules, /core/version-header)."""
    operations = [
        call for path in document["paths"].values() for call in path.values() if "responses" in call
    ]
    for part in (document["components"], *operations):
        for status, answer in part["responses"].items():
            if "$ref" not in answer:
                answer["headers"] = {**answer.get("headers", {}), **_OF_REFUSALS.get(status, {}), **_VERSION}


def _complete_operations(app: Flask, document: dict[str, Any]) -> None:
    """Add each operation's `security`, and an `operationId` by which generated clients name a function."""
    for rule in app.url_map.iter_rules():
        calls = document["paths"].get(_VARIABLE.sub(r"{\1}", rule.rule), {})
        asked = getattr(app.view_functions[rule.endpoint], "authentication", None)
        for method in (rule.methods or set()) & {name.upper() for name in calls}:
            call = calls[method.lower()]
            first, *rest = re.split(r"[._]", rule.endpoint)
            call["operationId"] = first + "".join(word.capitalize() for word in rest)
            if asked is not None and asked.means == "bearer":
                call.setdefault("security", [{"token": []}])
