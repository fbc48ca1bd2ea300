"""Cursors of lists by day, newest first: the day and id of the last row."""

import base64
from datetime import date
from uuid import UUID

from signals.errors import FieldProblem, Invalid


def cursor_after(day: date, row_id: UUID) -> str:
    """Return the cursor that continues after this row."""
    return base64.urlsafe_b64encode(day.toordinal().to_bytes(4, "big") + row_id.bytes).decode()


def position_in(cursor: str | None) -> tuple[date, UUID] | None:
    """Return day and id of the last shown row; None at the beginning. Raises `Invalid`."""
    if not cursor:
        return None
    try:
        raw = base64.urlsafe_b64decode(cursor.encode("ascii"))
        return date.fromordinal(int.from_bytes(raw[:4], "big")), UUID(bytes=raw[4:])
    except (ValueError, OverflowError):
        raise Invalid(FieldProblem(field="cursor", code="invalid_value")) from None
