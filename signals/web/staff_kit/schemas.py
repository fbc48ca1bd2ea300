"""Define the fields and the small schemas that all APIs of the staff side share."""

import base64
import re
from datetime import UTC, date, datetime
from typing import Any, Final
from uuid import UUID

from marshmallow import Schema, ValidationError, fields, validate

from signals.clock import AMSTERDAM
from signals.errors import FieldProblem, Invalid
from signals.vocabulary import STAFF_LANGUAGES
from signals.web.http.fields import CodeList

_MOMENT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,12})?)?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)

STAFF_LANGUAGE: Final = CodeList(
    name="StaffLanguage", text="The language of the texts for a person or team", codes=STAFF_LANGUAGES
)


class TrueOrFalse(fields.Boolean):
    """Read `true` or `false`, and not 1, 0 or 1.0, which Python takes for equal to them."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise ValidationError("wrong_type")
        return value


class Moment(fields.DateTime):
    """Read a moment with its offset (RFC 3339): `2026-11-24T10:30:00+01:00`; write it in UTC, with `Z`."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return in_utc(value) if value else None

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        if not isinstance(value, str) or not _MOMENT.fullmatch(value):
            raise ValidationError("not_a_moment")
        try:
            return datetime.fromisoformat(value.upper())
        except ValueError:
            raise ValidationError("not_a_moment") from None


class DayOfMoment(fields.Date):
    """Write the day in Amsterdam of a moment."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        day = value.astimezone(AMSTERDAM).date() if isinstance(value, datetime) else None
        return super()._serialize(day, attr, obj, **kwargs)


class WholeNumber(fields.Integer):
    """Read a number in a query string: digits, and nothing else that Python takes for a number."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if not isinstance(value, str) or not re.fullmatch(r"[0-9]{1,4}", value):
            raise ValidationError("wrong_type")
        return int(value)


class Cursor(fields.String):
    """Name the place in a list where the next page begins."""

    def __init__(self, **others: Any) -> None:
        fits = validate.Length(max=100)
        super().__init__(validate=fits, metadata={"pattern": "^[A-Za-z0-9_=-]+$"}, **others)


def something(most: int) -> list[validate.Length]:
    """Return checks for a text of 1 to `most` characters; an empty one is missing, not too long."""
    return [validate.Length(min=1, error="required"), validate.Length(max=most)]


class OrganisationSchema(Schema):
    """Show an organisation by id and name."""

    id = fields.UUID(required=True)
    name = fields.String(required=True)


class AddressSchema(Schema):
    """Show an address in its parts."""

    postcode = fields.String(required=True)
    house_number = fields.Integer(required=True, attribute="number")
    addition = fields.String(required=True)


def in_utc(moment: datetime) -> str:
    """Return a moment in UTC, as RFC 3339 writes it."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


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
