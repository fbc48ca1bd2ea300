"""One OpenAPI 3.1 description of the public and staff API, made from the schemas that check the requests."""

import json
import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from typing import Any, Final, TypeVar

from flask import Flask, Response, current_app, request
from flask_smorest import Api, Blueprint

from signals.web.http.authentication import Authentication
from signals.web.http.bodies import StaffParser, StrictParser
from signals.web.http.converter import Plugin
from signals.web.http.problems import MEDIA_TYPE, ProblemSchema
from signals.web.http.property_texts import TEXTS

API_BASE: Final = "/api/v1"
API_VERSION: Final = "1.0.0"

_VERSION: Final = {
    "API-Version": {
        "description": "The API's full version",
        "schema": {"type": "string"},
        "example": API_VERSION,
    }
}
_RETRY_AFTER: Final = {"Retry-After": {"description": "Seconds to wait", "schema": {"type": "integer"}}}
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


@dataclass
class DescribedApi:
    """The calls of an application, and their description.

    flask-smorest describes them on an application of its own, when somebody first asks: that takes half of a
    start, and its handlers of errors would stand in the way of ours.
    """

    app: Flask
    contact: Mapping[str, str]
    blueprints: list[Blueprint] = field(default_factory=list)

    def register_blueprint(self, blueprint: Blueprint) -> None:
        """Serve the calls of a blueprint."""
        self.app.register_blueprint(blueprint)
        self.blueprints.append(blueprint)

    @cached_property
    def description(self) -> dict[str, Any]:
        """Return the whole OpenAPI document; register every blueprint before."""
        document: dict[str, Any] = deepcopy(self._described().spec.to_dict())
        del document["components"]["schemas"][
            "PaginationMetadata"
        ]  # flask-smorest's own, and nothing has pages
        _refuse_with_problems(document)
        _complete_operations(self.app, document)
        _add_headers(document)
        document["paths"] = {path.removeprefix(API_BASE): calls for path, calls in document["paths"].items()}
        return document

    @cached_property
    def text(self) -> str:
        """Return the document as it is served."""
        return json.dumps(self.description)

    def _described(self) -> ProblemApi:
        app = Flask(__name__, static_folder=None)
        app.config.update(API_TITLE="Signals", API_VERSION=API_VERSION, OPENAPI_VERSION="3.1.0")
        spec = {
            "info": {
                "description": "A carrier's concern at the door, followed up by the right team.",
                "contact": {name: value for name, value in self.contact.items() if value},
            },
            "servers": [{"url": API_BASE}],
            "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
            "marshmallow_plugin": Plugin(),
        }
        api = ProblemApi(app, spec_kwargs=spec)
        for blueprint in self.blueprints:
            api.register_blueprint(blueprint)
        return api


def make_api(app: Flask, contact: Mapping[str, str]) -> DescribedApi:
    """Return the API of an application, to register blueprints on; it serves its own description."""
    api = app.extensions[_EXTENSION] = DescribedApi(app, contact)
    app.add_url_rule(f"{API_BASE}/openapi.json", "openapi", _serve_description)
    return api


def describe() -> dict[str, Any]:
    """Return the whole OpenAPI document of the current application."""
    return _api().description


def answers(*statuses: int) -> Callable[[View], View]:
    """Document the problems that a call may answer with."""
    documented: Callable[[View], View] = Blueprint.doc(
        responses={status: HTTPStatus(status).name for status in statuses}
    )
    return documented


def _serve_description() -> Response:
    """Answer programs of everybody: pages of other sites may read it (API Design Rules, publish-openapi)."""
    headers = {
        "Access-Control-Allow-Origin": "*",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "Cache-Control": "no-cache",
    }
    answer = Response(_api().text, content_type="application/json", headers=headers)
    answer.add_etag()
    answer.make_conditional(request)
    return answer


def _api() -> DescribedApi:
    api: DescribedApi = current_app.extensions[_EXTENSION]
    return api


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
    """Add what clients and their makers need beside the schemas."""
    for rule in app.url_map.iter_rules():
        calls = document["paths"].get(_VARIABLE.sub(r"{\1}", rule.rule), {})
        for parameter in calls.get("parameters", ()):
            parameter["description"] = TEXTS[parameter["name"]]
        asked = getattr(app.view_functions[rule.endpoint], "authentication", None)
        for method in (rule.methods or set()) & {name.upper() for name in calls}:
            _complete_operation(calls[method.lower()], rule.endpoint, asked)


def _complete_operation(call: dict[str, Any], endpoint: str, asked: Authentication | None) -> None:
    """Add `operationId`, by which clients name a function, `security`, the roles, and ranges of problems."""
    first, *rest = re.split(r"[._]", endpoint)
    call["operationId"] = first + "".join(word.capitalize() for word in rest)
    readers = "everybody"
    if asked is not None and asked.means == "bearer":
        call.setdefault("security", [{"token": []}])
        also = ["everybody where the installation allows it"] if {} in call["security"] else []
        readers = ", ".join([*(role.replace("_", " ") for role in asked.roles), *also])
    call["description"] = f"{call.get('description', '')}\n\nFor: {readers}.".strip()
    call["responses"]["4XX"] = call["responses"]["5XX"] = call["responses"].pop("default")
