"""The two calls of an issuer (RFC 9578, sections 4 and 6); pages of other sites may make them."""

import json
from typing import cast

from flask import Blueprint, Response, current_app, request

from privacy.tokens import REQUEST_SIZE
from signals.issuer.service import DIRECTORY_PATH, REQUEST_PATH, Issuer, RequestRefused
from signals.web.http.further_headers import FURTHER

issuer_calls = Blueprint("issuer_calls", __name__)

AUTHENTICATION = "none"

_CORS = [
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Allow-Headers", "Content-Type, X-Enrolment-Code"),
    ("Access-Control-Expose-Headers", "API-Version, Retry-After"),
    ("Access-Control-Max-Age", "86400"),
    ("Cross-Origin-Resource-Policy", "cross-origin"),
]


@issuer_calls.after_request
def let_pages_call(response: Response) -> Response:
    """Let pages of every site call: a code is the only right that anybody needs, and no cookie goes along."""
    request.environ[FURTHER] = _CORS
    return response


@issuer_calls.get(DIRECTORY_PATH)
def directory() -> Response:
    """Publish the keys, those of four weeks ahead included."""
    content = json.dumps(issuer().directory(), ensure_ascii=False)
    return Response(content, content_type="application/private-token-issuer-directory")


@issuer_calls.post(REQUEST_PATH)
def request_token() -> Response:
    """Sign a blinded token for a phone with an enrolment code."""
    if request.mimetype != "application/private-token-request":
        raise RequestRefused
    # One byte more shows a body that is too long, however long it is.
    body = request.stream.read(REQUEST_SIZE + 1)
    signature = issuer().sign(request.headers.get("X-Enrolment-Code", ""), body)
    return Response(signature, content_type="application/private-token-response")


EXTENSION = "signals.issuer"


def issuer() -> Issuer:
    """Return the issuer of the current application."""
    return cast(Issuer, current_app.extensions[EXTENSION])
