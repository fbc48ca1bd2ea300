"""The base of all bodies, the fields that several bodies share, and codes in place of marshmallow's messages.

A field copies its messages when it is made, so every module with a body imports this one first.
"""

import re
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from signals.routing.postcodes import InvalidAddressPart, parse_addition, parse_house_number, parse_postcode

_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_SPACES: Final = r"[ \u00a0\u202f]*"
POSTCODE: Final[Mapping[str, Any]] = {
    # The end is not `$`: Python and others let a line end stand before that.
    "pattern": rf"^{_SPACES}[1-9][0-9]{{3}}{_SPACES}(?![Ss][AaDdSs])[A-Za-z]{{2}}{_SPACES}(?![\s\S])",
    "maxLength": 32,
}
"""The texts that `parse_postcode` takes, as the API's description gives them."""


_CODES_OF_FIELDS: Final[Mapping[type[fields.Field[Any]], Mapping[str, str]]] = {
    fields.Field: {"required": "required", "null": "required", "validator_failed": "invalid_value"},
    fields.Boolean: {"invalid": "wrong_type"},
    fields.Date: {"invalid": "not_a_date"},
    fields.Dict: {"invalid": "wrong_type"},
    fields.Integer: {"invalid": "wrong_type", "too_large": "out_of_range"},
    fields.List: {"invalid": "wrong_type"},
    fields.Nested: {"type": "wrong_type"},
    fields.String: {"invalid": "wrong_type", "invalid_utf8": "wrong_type"},
    fields.UUID: {"invalid": "wrong_type", "invalid_uuid": "not_a_uuid"},
}


def _use_codes() -> None:
    """Replace marshmallow's default messages, as its documentation offers."""
    for kind, codes in _CODES_OF_FIELDS.items():
        kind.default_error_messages = {**kind.default_error_messages, **codes}
    validate.OneOf.default_message = "not_a_choice"
    validate.Length.message_min = "too_short"
    validate.Length.message_max = validate.Length.message_all = "too_long"
    validate.Range.message_min = validate.Range.message_max = validate.Range.message_all = "out_of_range"


_use_codes()


class Strict(Schema):
    """A body without unknown fields: a typing error in a name would lose what the field carried."""

    error_messages = {"type": "wrong_type", "unknown": "unknown_field"}  # noqa: RUF012 - marshmallow's own way

    class Meta:
        unknown = RAISE


class _Lean(fields.Field[Any]):
    """A field that skips marshmallow's chain of validators when it has none."""

    def _validate(self, value: Any) -> None:
        if self.validators:
            super()._validate(value)


class PostcodeField(_Lean, fields.String):
    """`1012 ab` or `1012AB`, as `1012AB`."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        try:
            return parse_postcode(super()._deserialize(value, attr, data, **kwargs))
        except InvalidAddressPart as problem:
            raise ValidationError(
                "postcode_malformed" if problem.code == "malformed" else problem.code
            ) from None


class HouseNumberField(_Lean, fields.Integer):
    """A whole number from 1 to 99999; neither a text nor a fraction."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        try:
            return parse_house_number(value)
        except InvalidAddressPart:
            raise ValidationError("house_number") from None


class AdditionField(_Lean, fields.String):
    """At most 6 letters and digits; separators count between two digits only (`1-12` is not `112`)."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        try:
            return parse_addition(super()._deserialize(value, attr, data, **kwargs))
        except InvalidAddressPart as problem:
            raise ValidationError(problem.code) from None


class BytesField(_Lean, fields.String):
    """Exactly `size` bytes, written as base64url (RFC 4648, section 5) without padding."""

    def __init__(self, size: int, **others: Any) -> None:
        self._size = size
        pattern = rf"^[A-Za-z0-9_-]{{{-(-size * 4 // 3)}}}(?![\s\S])"
        super().__init__(metadata={"pattern": pattern} | others.pop("metadata", {}), **others)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str:
        return urlsafe_b64encode(value).rstrip(b"=").decode()

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bytes:  # type: ignore[override]
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            found = b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        except ValueError:
            raise ValidationError("invalid_value") from None
        if len(found) != self._size or "=" in text:
            raise ValidationError("invalid_value")
        return found


class StrictDate(_Lean, fields.Date):
    """A date like `2026-11-24`; Python takes other texts for a date too."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> date:
        if not isinstance(value, str) or not _DATE.fullmatch(value):
            raise ValidationError("not_a_date")
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise ValidationError("not_a_date") from None


@dataclass(frozen=True, kw_only=True)
class CodeList:
    """A closed list of codes without an enumeration; `name` and `text` are for the description."""

    name: str
    text: str
    codes: tuple[str, ...]


class Choice(_Lean, fields.String):
    """One of the codes: a member of an enumeration, or a text of a list."""

    def __init__(self, choices: type[StrEnum] | CodeList, **others: Any) -> None:
        super().__init__(**others)
        self.choices = choices
        members = choices.codes if isinstance(choices, CodeList) else choices
        self.members: Mapping[str, str] = {str(member): member for member in members}

    def deserialize(self, value: Any, *others: Any, **more: Any) -> Any:
        # A right value needs no more; marshmallow finds out what is wrong with any other.
        if type(value) is str and value in self.members:
            return self.members[value]
        return super().deserialize(value, *others, **more)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        super()._deserialize(value, attr, data, **kwargs)
        raise ValidationError("not_a_choice")


class Choices(_Lean, fields.List[str]):
    """Several of the codes, none twice."""

    def __init__(self, choices: type[StrEnum], **others: Any) -> None:
        one = Choice(choices)
        most = validate.Length(max=len(one.members), error="too_many")
        super().__init__(one, validate=[most, _no_duplicates], **others)
        self._members = one.members

    def deserialize(self, value: Any, *others: Any, **more: Any) -> Any:
        if type(value) is list and all(type(code) is str for code in value):
            given = set(value)
            if len(given) == len(value) and given <= self._members.keys():
                return [self._members[code] for code in value]
        return super().deserialize(value, *others, **more)


def _no_duplicates(values: list[str]) -> None:
    if len(set(values)) != len(values):
        raise ValidationError("duplicate")
