"""Answer every refusal: `application/problem+json` (RFC 9457) for programs, a page for people.

No answer holds a stack, an SQL text, a path, an address or the sender's text.
"""

import json
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from flask import Flask, Response, g, request
from marshmallow import Schema, ValidationError, fields
from sqlalchemy.exc import SQLAlchemyError
from structlog import get_logger
from werkzeug.exceptions import HTTPException

from privacy.sealing import SealingError
from signals.errors import (
    AskAgainLater,
    ClaimedByOther,
    ClearReportRefused,
    FieldProblem,
    Invalid,
    NotesDisabled,
    NotSignedIn,
    SignalsError,
    SignInFailed,
)
from signals.web.http import staff_answers
from signals.web.http.bodies import PUBLIC_LIMIT, BodyTooLarge
from signals.web.http.field_problems import field_problems
from signals.web.http.messages import detail_of, field_message, title_of

MEDIA_TYPE = "application/problem+json"
FOR_PROGRAMS = "/api/", "/token-request", "/.well-known/"
"""The beginnings of addresses that no person opens."""

log = get_logger(__name__)

HTTP_CODES = {
    400: "invalid",
    401: "not_signed_in",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "unsupported_media_type",
    429: "too_many_guesses",
    503: "unavailable",
}

PageOfProblem = Callable[[int, str], Response]


class FieldProblemSchema(Schema):
    """A problem of one field."""

    field = fields.String(required=True, metadata={"description": "Dotted path; empty for the whole body"})
    code = fields.String(required=True, metadata={"description": "Stable word"})
    message = fields.String(required=True, metadata={"description": "In the language of Accept-Language"})


class ProblemSchema(Schema):
    """RFC 9457 problem details."""

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    instance = fields.String(required=True)
    errors = fields.List(fields.Nested(FieldProblemSchema))
    claimed_by = fields.String(metadata={"description": "With `claimed_by_other`: the name of who has it"})
    claimed_at = fields.DateTime(metadata={"description": "With `claimed_by_other`: since when"})


def problem(
    status: int,
    code: str,
    *,
    errors: tuple[FieldProblem, ...] = (),
    detail: str | None = None,
    extra: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return a problem+json answer in the reader's language."""
    body: dict[str, Any] = {
        "type": f"urn:problem:signals:{code}",
        "title": title_of(code),
        "status": status,
        "detail": detail or detail_of(code),
        "instance": f"urn:uuid:{occurrence()}",
        **(extra or {}),
    }
    if status == 400:
        body["errors"] = [
            {"field": entry.field, "code": entry.code, "message": field_message(entry.code)}
            for entry in errors
        ]
    text = json.dumps(body, ensure_ascii=False)
    return Response(text, status=status, headers=dict(headers or {}), content_type=MEDIA_TYPE)


def occurrence() -> str:
    """Return the number of this request: support finds the log line by it."""
    if "occurrence" not in g:
        g.occurrence = str(uuid.uuid4())
    return str(g.occurrence)


def register_problems(app: Flask, page: PageOfProblem) -> None:
    """Turn every exception into an answer; `page(status, code)` renders the page for people."""

    def answer(status: int, code: str, **more: Any) -> Response:
        if request.path.startswith(FOR_PROGRAMS) or not _wants_page():
            return problem(status, code, detail=_detail_for_staff(more.pop("error", None)), **more)
        response = page(status, code)
        response.headers.extend(more.get("headers") or {})
        return response

    @app.errorhandler(SignalsError)
    def _refused(error: SignalsError) -> Response:
        return answer(error.status, error.code, **_details(error))

    @app.errorhandler(ValidationError)
    def _invalid(error: ValidationError) -> Response:
        return answer(400, "invalid", errors=tuple(field_problems(error)))

    @app.errorhandler(HTTPException)
    def _http(error: HTTPException) -> Response:
        if error.response is not None or error.code is None or error.code < 400:
            return error.get_response()  # type: ignore[return-value]
        allowed = sorted(getattr(error, "valid_methods", None) or ())
        headers = {"Allow": ", ".join(allowed)} if allowed else {}
        status = error.code if error.code in HTTP_CODES or error.code >= 500 else 400
        fallback = "internal" if status >= 500 else "invalid"
        return answer(status, HTTP_CODES.get(error.code, fallback), headers=headers, error=error)

    @app.errorhandler(SQLAlchemyError)
    def _database(error: SQLAlchemyError) -> Response:
        log.error("web.database_problem", occurrence_id=occurrence(), exc_info=error)
        return answer(503, "unavailable", headers={"Retry-After": "30"})

    @app.errorhandler(SealingError)
    def _sealing(error: SealingError) -> Response:
        log.error("web.envelope_refused", occurrence_id=occurrence(), exc_info=error)
        return answer(500, "internal")

    @app.errorhandler(Exception)
    def _unforeseen(error: Exception) -> Response:
        log.error("web.unforeseen", occurrence_id=occurrence(), exc_info=error)
        return answer(500, "internal")


def _detail_for_staff(error: HTTPException | None) -> str | None:
    """Return other words where staff may do more than the public; None where the usual words fit."""
    if isinstance(error, BodyTooLarge) and error.limit > PUBLIC_LIMIT:
        return str(staff_answers.TOO_LARGE)
    return None


def _wants_page() -> bool:
    return request.accept_mimetypes.best_match(["text/html", "application/json"]) == "text/html"


def _details(error: SignalsError) -> dict[str, Any]:
    details: dict[str, Any] = {"headers": {}}
    if isinstance(error, Invalid):
        details["errors"] = error.problems
    if isinstance(error, NotesDisabled | ClearReportRefused):
        details["errors"] = (FieldProblem(field=error.field, code=error.code),)
    if isinstance(error, AskAgainLater):
        details["headers"]["Retry-After"] = str(error.retry_after)
    if isinstance(error, NotSignedIn | SignInFailed):
        details["headers"]["WWW-Authenticate"] = 'Bearer realm="signals"'
    if isinstance(error, ClaimedByOther) and error.claimed_by:
        details["extra"] = {"claimed_by": error.claimed_by}
        if error.claimed_at:
            details["extra"]["claimed_at"] = error.claimed_at.isoformat()
    if error.status == 503:
        details["headers"]["Retry-After"] = "60"
    return details
