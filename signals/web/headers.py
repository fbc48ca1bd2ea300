"""Headers of every answer: the API's version, a strict content policy, no caching of private things.

A file of ours gets only those that mean something for a file: a browser reads the others on documents alone,
and on a slow network they weigh more than a small script.
"""

from flask import Flask, Response, request

from signals.web.bundles import is_file
from signals.web.openapi import API_VERSION

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
}


_OF_FILES = frozenset({"X-Content-Type-Options", "Cross-Origin-Resource-Policy", "Cache-Control"})
_POLICY_OF_DRAWINGS = "default-src 'none'; frame-ancestors 'none'"
"""An SVG can be opened as a document; ours holds nothing that runs."""
_NOT_OF_FILES = ("Content-Disposition", "Last-Modified")
"""What Flask adds: files are shown, not saved, and their tag tells whether they changed."""


def register_headers(app: Flask, *, https: bool) -> None:
    """Add the headers; `https` adds HSTS."""
    fixed = dict(_FIXED)
    if https:
        fixed["Strict-Transport-Security"] = "max-age=63072000; includeSubDomains"
    usual = [(name, name.lower(), value) for name, value in fixed.items()]
    of_files = [entry for entry in usual if entry[0] in _OF_FILES]

    @app.after_request
    def add_headers(response: Response) -> Response:
        # Looked up once: each look-up in werkzeug's headers goes through all of them.
        present = {name.lower() for name, _ in response.headers}
        is_of_file = is_file(request.endpoint) and response.status_code < 400
        wanted = of_files if is_of_file else usual
        response.headers.extend([(name, value) for name, key, value in wanted if key not in present])
        if response.status_code == 204 or request.method == "OPTIONS":
            response.headers.pop("Content-Type", None)  # there is no content to have one
        if is_of_file:
            _lighten(response)
        else:
            _vary_by_language(response, present)
        return response


def _lighten(response: Response) -> None:
    for name in _NOT_OF_FILES:
        response.headers.pop(name, None)
    if response.mimetype == "image/svg+xml":
        response.headers["Content-Security-Policy"] = _POLICY_OF_DRAWINGS


def _vary_by_language(response: Response, present: set[str]) -> None:
    if "vary" in present:
        response.vary.add("Accept-Language")
    else:
        response.headers.add("Vary", "Accept-Language")
