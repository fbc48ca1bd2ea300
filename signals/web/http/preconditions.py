"""Read two headers of a request (RFC 9110): the version that a change is for, and the preferred format."""

import re
from typing import Final

from flask import request
from werkzeug.datastructures import MIMEAccept

from signals.errors import FieldProblem, Invalid

IF_MATCH: Final = {
    "in": "header",
    "name": "If-Match",
    "required": False,
    "schema": {"type": "string", "pattern": r'^(\*|[0-9]{1,9}|"[!#-~]*")$', "maxLength": 40},
    "description": "The version that the change is meant for, with or without quotes, or `*`. A stale one "
    "gives 412; without the header the state check alone decides.",
}
"""The parameter, as every call that changes something documents it."""
IF_NONE_MATCH: Final = {
    "in": "header",
    "name": "If-None-Match",
    "required": False,
    "schema": {"type": "string"},
    "description": "The `ETag` of what you have: the answer is 304 while it is the same (RFC 9110, 13.1.2).",
}
ETAG: Final = {"ETag": {"description": "Of this answer, for `If-None-Match`", "schema": {"type": "string"}}}

_NO_VERSION: Final = -1
"""A version that nothing has."""


def if_match() -> int | None:
    """Return the version of If-Match (RFC 9110, 13.1.1); None without one and for `*`.

    Bare digits count as a version too. Another strong tag gives a version that nothing has.
    Raises `Invalid` for a weak tag, a list, an empty value, and anything else that is no strong tag.
    """
    text = request.headers.get("If-Match", "*").strip()
    if text == "*":
        return None
    if re.fullmatch(r'[0-9]{1,9}|"[0-9]{1,9}"', text):
        return int(text.strip('"'))
    if re.fullmatch(r'"[\x21\x23-\x7e]*"', text):
        return _NO_VERSION
    raise Invalid(FieldProblem(field="If-Match", code="not_a_version"))


JSON = "application/json"


def prefers(media_type: str) -> bool:
    """Return whether the sender prefers this to JSON; `text/csv; charset=utf-8` asks for `text/csv`."""
    bare = [(asked.partition(";")[0].strip(), quality) for asked, quality in request.accept_mimetypes]
    return MIMEAccept(bare).best_match([JSON, media_type]) == media_type
