"""The JSON answers of the staff API."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from flask import Response


def json_answer(body: Mapping[str, Any], status: int = 200, *, version: int | None = None) -> Response:
    """Return an answer with these values; `version` becomes the ETag."""
    text = json.dumps(body, ensure_ascii=False)
    response = Response(text, status=status, content_type="application/json")
    if version is not None:
        response.set_etag(str(version))
    return response


def moment(value: datetime) -> str:
    """Return a moment in UTC, as RFC 3339 writes it."""
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
