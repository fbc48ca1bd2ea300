"""Answers that a reader may keep: a release never changes, so its digest stays right."""

import hashlib
from typing import Final

from flask import Response, request

from signals.web.figures.context import figures

JSON: Final = "application/json"
CSV: Final = "text/csv"
PDF: Final = "application/pdf"
ZIP: Final = "application/zip"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

_KEPT: Final = 300
"""Seconds until a browser asks again: the list of releases grows, so they are few."""


def kept(content: bytes | str, content_type: str, *, name: str = "") -> Response:
    """Return a file that a reader may keep; `name` is its name when the reader saves it."""
    response = Response(content, content_type=_with_charset(content_type))
    if name:
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return keep(response)


def keep(response: Response) -> Response:
    """Give a good answer its digest as ETag, and turn it into a 304 when the reader has it already.

    Every cache may keep it where figures are public, else the reader's own cache only.
    """
    if response.status_code == 200 and "ETag" not in response.headers:
        public = f"public, max-age={_KEPT}"
        response.headers["Cache-Control"] = public if figures().public else "private, no-cache"
        response.set_etag(hashlib.sha256(response.get_data()).hexdigest()[:32])
        response.make_conditional(request)
    return response


def _with_charset(content_type: str) -> str:
    return f"{content_type}; charset=utf-8" if content_type.startswith("text/") else content_type
