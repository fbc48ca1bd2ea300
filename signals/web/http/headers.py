"""Headers of every answer: the API's version, a strict content policy, no caching of private answers.

A static file gets only the headers that matter for a file. A browser reads the others on documents alone, and
on a slow network they weigh more than a small script.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from flask import Flask, Response, request

from signals.web.bundles import is_file
from signals.web.http.further_headers import FURTHER
from signals.web.http.openapi import API_VERSION

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
_FIXED = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "API-Version": API_VERSION,
    "Cache-Control": "no-store",
    "Vary": "Accept-Language",
}


_IS_FILE: Final = "signals.is_file"
"""Marks a request whose answer is a static file."""
_OF_FILES = frozenset(
    {"API-Version", "X-Content-Type-Options", "Cross-Origin-Resource-Policy", "Cache-Control"}
)
_POLICY_OF_DRAWINGS = "default-src 'none'; frame-ancestors 'none'"
"""A browser can open an SVG as a document; ours contain no script."""
_NOT_OF_FILES = ("Content-Disposition", "Last-Modified")
"""Headers that Flask adds: a page shows files, and their tag tells whether they changed."""


def register_headers(app: Flask, *, https: bool) -> None:
    """Add the headers; `https` adds HSTS.

    A wrapper around Flask adds the headers of every answer: werkzeug checks each header four times, and the
    answer to a report has a dozen.
    """
    fixed = dict(_FIXED)
    if https:
        fixed["Strict-Transport-Security"] = "max-age=63072000; includeSubDomains"
    usual = [(name, name.lower(), value) for name, value in fixed.items()]
    of_files = [(name, value) for name, value in fixed.items() if name in _OF_FILES]

    @app.after_request
    def finish(response: Response) -> Response:
        if is_file(request.endpoint) and response.status_code < 400:
            request.environ[_IS_FILE] = True
            response.headers.extend([entry for entry in of_files if entry[0] not in response.headers])
            _lighten(response)
        elif "Vary" in response.headers:
            response.vary.add("Accept-Language")
        is_options = request.method == "OPTIONS" and response.status_code < 400
        if is_options or response.status_code == 204:
            response.headers.pop("Content-Type", None)  # an answer without content has no type
        return response

    app.wsgi_app = _Outermost(app.wsgi_app, usual)  # type: ignore[method-assign]


class _Outermost:
    """A wrapper that adds the headers that an answer lacks."""

    def __init__(self, application: "WSGIApplication", usual: Sequence[tuple[str, str, str]]) -> None:
        self._application = application
        self._usual = usual

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            headers += environ.get(FURTHER, ())
            if _IS_FILE not in environ:
                present = {name.lower() for name, _value in headers}
                headers += [(name, value) for name, key, value in self._usual if key not in present]
            return start_response(status, headers, *error)

        return self._application(environ, start)


def _lighten(response: Response) -> None:
    for name in _NOT_OF_FILES:
        response.headers.pop(name, None)
    if response.mimetype == "image/svg+xml":
        response.headers["Content-Security-Policy"] = _POLICY_OF_DRAWINGS
