"""One OpenAPI 3.1 description of the public and staff API, made from the schemas that check the requests."""

import json
import re
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from threading import Lock
from typing import Any, Final, TypeVar

from flask import Flask, Response
from flask_smorest import Api, Blueprint

from signals.web.http.bodies import StaffParser, StrictParser
from signals.web.http.problems import MEDIA_TYPE, ProblemSchema

API_BASE = "/api/v1"
API_VERSION = "1.0.0"

_VERSION: Final = {
    "API-Version": {
        "description": "The API's full version",
        "schema": {"type": "string"},
        "example": API_VERSION,
    }
}

_OF_REFUSALS: Final = {
    HTTPStatus.UNAUTHORIZED.name: {
        "WWW-Authenticate": {"description": "How to sign in: `Bearer`", "schema": {"type": "string"}}
    },
    HTTPStatus.TOO_MANY_REQUESTS.name: {
        "Retry-After": {"description": "Seconds to wait", "schema": {"type": "integer"}}
    },
    HTTPStatus.SERVICE_UNAVAILABLE.name: {
        "Retry-After": {"description": "Seconds to wait", "schema": {"type": "integer"}}
    },
}
"""What else comes with a problem, by the name of its status."""

View = TypeVar("View", bound=Callable[..., Any])


class _DescribedLater(Blueprint):  # type: ignore[misc]
    def register_views_in_doc(self, api: "ProblemApi", *args: Any, **options: Any) -> None:
        """Leave it until somebody reads the description."""
        api.describe_later(partial(super().register_views_in_doc, api, *args, **options))


class PublicBlueprint(_DescribedLater):
    """A blueprint whose JSON bodies are read strictly."""

    ARGUMENTS_PARSER = StrictParser()


class StaffBlueprint(_DescribedLater):
    """The same for staff."""

    ARGUMENTS_PARSER = StaffParser()


class ProblemApi(Api):  # type: ignore[misc]
    """flask-smorest with errors as problem+json; the handlers are registered by `signals.web.http.problems`.

    The description is made when it is first read: a third of a start went into it, and few processes show it.
    """

    ERROR_SCHEMA = ProblemSchema

    def __init__(self, app: Flask, **options: Any) -> None:
        self._undescribed: list[Callable[[], None]] = []
        self._describing = Lock()
        super().__init__(app, **options)

    def describe_later(self, part: Callable[[], None]) -> None:
        """Keep a part of the description, in the order in which they were registered."""
        self._undescribed.append(part)

    def description(self) -> dict[str, Any]:
        """The whole OpenAPI document."""
        with self._describing:
            while self._undescribed:
                self._undescribed.pop(0)()
            return _with_names(self._app, _with_headers(self.spec.to_dict()))

    def _openapi_json(self) -> Response:
        """For everybody's tools: pages of other sites may read it (API Design Rules, publish-openapi)."""
        headers = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}
        content = json.dumps(self.description(), indent=2)
        return Response(content, content_type="application/json", headers=headers)

    def _register_error_handlers(self) -> None:
        """Ours are registered once for API and pages alike."""

    def _register_responses(self) -> None:
        self.describe_later(self._describe_responses)

    def _describe_responses(self) -> None:
        usual: str = self.DEFAULT_RESPONSE_CONTENT_TYPE  # type: ignore[has-type]
        self.DEFAULT_RESPONSE_CONTENT_TYPE = MEDIA_TYPE
        super()._register_responses()
        self.DEFAULT_RESPONSE_CONTENT_TYPE = usual


def _with_headers(document: dict[str, Any]) -> dict[str, Any]:
    """Every answer has the version (API Design Rules, /core/version-header): no view needs to say so."""
    operations = [
        call for path in document["paths"].values() for call in path.values() if "responses" in call
    ]
    for part in (document["components"], *operations):
        part["responses"] = {
            status: answer if "$ref" in answer else answer | {"headers": _headers(status, answer)}
            for status, answer in part["responses"].items()
        }
    return document


def _headers(status: str, answer: dict[str, Any]) -> dict[str, Any]:
    return {**answer.get("headers", {}), **_OF_REFUSALS.get(status, {}), **_VERSION}


def _with_names(app: Flask, document: dict[str, Any]) -> dict[str, Any]:
    """`operationId`s, by which generated clients name their functions: blueprint and view."""
    for rule in app.url_map.iter_rules():
        calls = document["paths"].get(_VARIABLE.sub(r"{\1}", rule.rule), {})
        for method in (rule.methods or set()) & {name.upper() for name in calls}:
            first, *rest = re.split(r"[._]", rule.endpoint)
            calls[method.lower()]["operationId"] = first + "".join(word.capitalize() for word in rest)
    return document


_VARIABLE: Final = re.compile(r"<(?:[^:<>]+:)?([^<>]+)>")


def make_api(app: Flask) -> ProblemApi:
    """The API of an application; blueprints are registered on it."""
    app.config.update(
        API_TITLE="Signals",
        API_VERSION=API_VERSION,
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX=API_BASE,
        OPENAPI_JSON_PATH="openapi.json",
    )
    spec = {
        "info": {
            "description": "A carrier's concern at the door, followed up by the right team.",
            "contact": {"name": "The maintainers", "url": "https://example.org", "email": "api@example.org"},
        },
        "servers": [{"url": "/"}],
        "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
    }
    return ProblemApi(app, spec_kwargs=spec)


def answers(*statuses: int) -> Callable[[View], View]:
    """Document which problems a call may answer with."""

    def document(view: View) -> View:
        for status in statuses:
            documented = _ANY.alt_response(status, response=HTTPStatus(status).name)(view)
            # The documentation alone: flask-smorest's wrappers only call the view, through five of them.
            view._apidoc = documented._apidoc  # type: ignore[attr-defined]
        return view

    return document


_ANY = Blueprint("documentation", __name__)
