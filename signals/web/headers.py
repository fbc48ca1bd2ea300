"""Headers of every answer: the API's version, a strict content policy, no caching of private things."""

from flask import Flask, Response, request

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


def register_headers(app: Flask, *, https: bool) -> None:
    """Add the headers; `https` adds HSTS."""
    fixed = dict(_FIXED)
    if https:
        fixed["Strict-Transport-Security"] = "max-age=63072000; includeSubDomains"
    usual = [(name, name.lower(), value) for name, value in fixed.items()]

    @app.after_request
    def add_headers(response: Response) -> Response:
        # Looked up once: each look-up in werkzeug's headers goes through all of them.
        present = {name.lower() for name, _ in response.headers}
        response.headers.extend([(name, value) for name, key, value in usual if key not in present])
        if request.endpoint != "static":
            _vary_by_language(response, present)
        return response


def _vary_by_language(response: Response, present: set[str]) -> None:
    if "vary" in present:
        response.vary.add("Accept-Language")
    else:
        response.headers.add("Vary", "Accept-Language")
