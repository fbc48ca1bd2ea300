"""Answers that may be kept: a release never changes, so its digest stays right for as long as it is shown."""

import hashlib
import json
from typing import Any, Final

from flask import Response, request

from signals.web.figures.context import figures

JSON: Final = "application/json"
CSV: Final = "text/csv"
PDF: Final = "application/pdf"
ZIP: Final = "application/zip"

_KEPT: Final = 300
"""Seconds for which a kept answer is not asked for again: the list of releases grows, so not for long."""


def kept(content: bytes | str, content_type: str, *, name: str = "") -> Response:
    """An answer with its digest as ETag, 304 for who has it; `name`: the file it is saved under.

    By everybody's caches where figures are public, else by the reader's own.
    """
    body = content.encode() if isinstance(content, str) else content
    response = Response(body, content_type=_with_charset(content_type))
    response.headers["Cache-Control"] = (
        f"public, max-age={_KEPT}" if figures().public else "private, no-cache"
    )
    response.set_etag(hashlib.sha256(body).hexdigest()[:32])
    if name:
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.make_conditional(request)
    return response


def kept_json(body: Any) -> Response:
    """The same of plain data."""
    return kept(json.dumps(body, ensure_ascii=False), JSON)


def _with_charset(content_type: str) -> str:
    return f"{content_type}; charset=utf-8" if content_type.startswith("text/") else content_type
