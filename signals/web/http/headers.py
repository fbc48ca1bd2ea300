"""Headers of every answer: the API's version, a strict content policy, no caching of private things.

A file of ours gets only those that mean something for a file: a browser reads the others on documents alone,
and on a slow network they weigh more than a small script.
"""

from collections.abc import Iterable, Sequence
from typing import IO, TYPE_CHECKING, Any, Final

from flask import Flask, Response, request
from werkzeug.wsgi import ClosingIterator

from signals.web.bundles import is_file
from signals.web.http.openapi import API_VERSION

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; "
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
"""In the environment of a request: its answer is a file of ours."""
_OF_FILES = frozenset(
    {"API-Version", "X-Content-Type-Options", "Cross-Origin-Resource-Policy", "Cache-Control"}
)
_POLICY_OF_DRAWINGS = "default-src 'none'; frame-ancestors 'none'"
"""An SVG can be opened as a document; ours holds nothing that runs."""
_NOT_OF_FILES = ("Content-Disposition", "Last-Modified")
"""What Flask adds: files are shown, not saved, and their tag tells whether they changed."""


def register_headers(app: Flask, *, https: bool) -> None:
    """Add the headers; `https` adds HSTS.

    Those of every answer are put on around Flask: in werkzeug each is looked over four times, and a
    report's answer has a dozen.
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
        said = request.method == "OPTIONS" and response.status_code < 400
        if said or response.status_code == 204:
            response.headers.pop("Content-Type", None)  # there is no content to have one
        return response

    app.wsgi_app = _Outermost(app.wsgi_app, usual)  # type: ignore[method-assign]


MOST_PASSED_OVER: Final = 64 * 1024
"""Bytes of a body that nobody wanted: so many are read all the same, so that the connection can stay."""


class _Outermost:
    """Around the application: the usual headers where the answer has none of that name.

    And what was sent and not read, as with a call that is refused for its sender: a server closes such a
    connection without a word (RFC 9112, 9.3 and 9.6), and the sender's next request is lost in it.
    """

    def __init__(self, application: "WSGIApplication", usual: Sequence[tuple[str, str, str]]) -> None:
        self._application = application
        self._usual = usual

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            if _IS_FILE not in environ:
                present = {name.lower() for name, _value in headers}
                headers += [(name, value) for name, key, value in self._usual if key not in present]
            if not _is_read(environ, refused=status[:1] in "45"):
                headers.append(("Connection", "close"))
            return start_response(status, headers, *error)

        answer = self._application(environ, start)
        return answer if environ["REQUEST_METHOD"] == "HEAD" else _at_once(answer)


def _is_read(environ: "WSGIEnvironment", *, refused: bool) -> bool:
    """Whether the body was read to its end, by now; only a server that says where that is can be asked.

    One without a length is passed over no further than it was read: what was not refused was read whole.
    """
    length = environ.get("CONTENT_LENGTH") or "0"
    if "HTTP_TRANSFER_ENCODING" in environ:
        return not refused
    if length == "0" or "wsgi.input_terminated" not in environ:
        return True
    return len(length) <= len(str(MOST_PASSED_OVER)) and _passed_over(environ["wsgi.input"])


def _passed_over(stream: IO[bytes]) -> bool:
    """Whether the end came within `MOST_PASSED_OVER`."""
    left = MOST_PASSED_OVER
    while left > 0:
        part = stream.read(min(left, 16 * 1024))
        if not part:
            return True
        left -= len(part)
    return False


def _at_once(answer: Iterable[bytes]) -> Iterable[bytes]:
    """What is in memory as a list: granian sends a list in one go, anything else piece by piece."""
    if not isinstance(answer, ClosingIterator):  # a file; nothing else here is sent as it is being made
        return answer
    try:
        return list(answer)
    finally:
        answer.close()


def _lighten(response: Response) -> None:
    for name in _NOT_OF_FILES:
        response.headers.pop(name, None)
    if response.mimetype == "image/svg+xml":
        response.headers["Content-Security-Policy"] = _POLICY_OF_DRAWINGS
