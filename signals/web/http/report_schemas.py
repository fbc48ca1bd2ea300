"""The public API's bodies. Schemas stop here: what goes in is a `Report`."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from marshmallow import RAISE, Schema, ValidationError, fields, post_load, validate

from privacy.receipts import parse_receipt
from signals.intake.content import Report, Summary
from signals.routing.postcodes import (
    Address,
    InvalidAddressPart,
    parse_addition,
    parse_house_number,
    parse_postcode,
)
from signals.vocabulary import ConcernType, OrganisationKind, ReceiptState, Seen

NOTE_LENGTH = 280
_UUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_SPACES = r"[ \u00a0\u202f]*"
_POSTCODE: Mapping[str, Any] = {
    # The end is not `$`, before which Python and others let a line end.
    "pattern": rf"^{_SPACES}[1-9][0-9]{{3}}{_SPACES}(?![Ss][AaDdSs])[A-Za-z]{{2}}{_SPACES}(?![\s\S])",
    "maxLength": 32,
}
"""What `parse_postcode` takes, as the API's description says it."""


class Strict(Schema):
    """A body without unknown fields: a typing error in a name would lose what the field carried."""

    error_messages = {"type": "wrong_type", "unknown": "unknown_field"}  # noqa: RUF012 - marshmallow's own way

    class Meta:
        unknown = RAISE


class _Lean(fields.Field[Any]):
    """A field without validators, and without the chain of none that marshmallow makes for every value."""

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
    """A whole number from 1 to 99999; no text, no fraction."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        try:
            return parse_house_number(value)
        except InvalidAddressPart:
            raise ValidationError("house_number") from None


class AdditionField(_Lean, fields.String):
    """At most 6 letters and digits; separators count between two digits (`1-12` is not `112`) only."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        try:
            return parse_addition(super()._deserialize(value, attr, data, **kwargs))
        except InvalidAddressPart as problem:
            raise ValidationError(problem.code) from None


class StrictDate(_Lean, fields.Date):
    """`2026-11-24` and nothing else that Python would take for a date."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> date:
        if not isinstance(value, str) or not _DATE.fullmatch(value):
            raise ValidationError("not_a_date")
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise ValidationError("not_a_date") from None


class ChoiceField(_Lean, fields.String):
    """One of the codes."""

    def __init__(self, codes: Sequence[str], **others: Any) -> None:
        self._codes = frozenset(codes)
        super().__init__(validate=validate.OneOf(tuple(codes), error="not_a_choice"), **others)

    def deserialize(self, value: Any, *others: Any, **more: Any) -> Any:
        # What is right needs no more than this; marshmallow says what is wrong, here as below.
        if type(value) is str and value in self._codes:
            return value
        return super().deserialize(value, *others, **more)


class ChoicesField(_Lean, fields.List[str]):
    """Several of the codes, none twice."""

    def __init__(self, codes: Sequence[str], **others: Any) -> None:
        self._codes = frozenset(codes)
        most = validate.Length(max=len(self._codes), error="too_many")
        super().__init__(ChoiceField(codes), validate=[most, _no_duplicates], **others)

    def deserialize(self, value: Any, *others: Any, **more: Any) -> Any:
        if type(value) is list and all(type(code) is str for code in value):
            given = set(value)
            if len(given) == len(value) and given <= self._codes:
                return value
        return super().deserialize(value, *others, **more)


def _no_duplicates(values: list[str]) -> None:
    if len(set(values)) != len(values):
        raise ValidationError("duplicate")


class ReportSchema(Strict):
    """A carrier's report."""

    postcode = PostcodeField(required=True, metadata={"example": "1012AB", **_POSTCODE})
    house_number = HouseNumberField(
        required=True, strict=True, metadata={"minimum": 1, "maximum": 99999, "example": 12}
    )
    house_number_addition = AdditionField(
        load_default="",
        allow_none=True,
        metadata={
            "maxLength": 6,
            "example": "A",
            "description": "As on the door: `1-12` and `112` are two, `-a`, ` A` and `A` are one",
        },
    )
    concern_types = ChoicesField(
        [concern.value for concern in ConcernType],
        load_default=list,
        allow_none=True,
        metadata={"uniqueItems": True},
    )
    seen = ChoiceField([seen.value for seen in Seen], load_default=None)
    noticed_on = StrictDate(
        load_default=None, metadata={"description": "Today or up to 14 days back, in the Netherlands"}
    )
    note = fields.String(
        load_default=None,
        validate=validate.Length(max=NOTE_LENGTH, error="too_long"),
        metadata={"description": "Empty is none; refused where notes are switched off"},
    )

    @post_load
    def make(self, data: dict[str, Any], **_kwargs: Any) -> Report:
        return Report(
            address=Address(
                postcode=data["postcode"],
                number=data["house_number"],
                addition=data["house_number_addition"] or "",
            ),
            summary=Summary(
                concern_types=tuple(ConcernType(code) for code in data["concern_types"] or ()),
                seen=Seen(data["seen"]) if data["seen"] else None,
            ),
            noticed_on=data["noticed_on"],
            note=data["note"] or None,
        )


class LookupSchema(Strict):
    """Which organisation would receive."""

    postcode = PostcodeField(required=True, metadata={"example": "9711AA", **_POSTCODE})
    house_number = HouseNumberField(load_default=None, metadata={"minimum": 1, "maximum": 99999})


class ReceiptSchema(Strict):
    """A receipt as it was shown."""

    receipt = fields.String(
        required=True,
        validate=validate.Length(max=40, error="too_long"),
        metadata={"example": "0000-0000-0000-0000"},
    )

    @post_load
    def parse(self, data: dict[str, Any], **_kwargs: Any) -> str | None:
        return parse_receipt(data["receipt"])


class OrganisationNameSchema(Schema):
    """Who receives, as a carrier may read it."""

    name = fields.String(required=True)
    kind = fields.Enum(OrganisationKind, by_value=True, required=True)


class MunicipalitySchema(Schema):
    """A municipality by its official code."""

    code = fields.String(required=True, metadata={"example": "GM0363"})
    name = fields.String(required=True)


class CoverageAnswerSchema(Schema):
    """The receiver of an address; `covered` is false where only the national desk is left."""

    covered = fields.Boolean(required=True)
    organisation = fields.Nested(OrganisationNameSchema, required=True)
    municipality = fields.Nested(MunicipalitySchema, required=True, allow_none=True)


class RedactionSchema(Schema):
    """How many strings of a kind were removed from the note before it was stored."""

    kind = fields.String(required=True)
    count = fields.Integer(required=True)


class ReceivedSchema(Schema):
    """The answer to a report, the same again for a retry."""

    receipt = fields.String(required=True, metadata={"example": "0000-0000-0000-0000"})
    organisation = fields.Nested(OrganisationNameSchema, required=True)
    received_on = fields.Date(required=True)
    note_redactions = fields.List(fields.Nested(RedactionSchema), required=True)


class ReceiptStateSchema(Schema):
    """What a carrier may learn, as of the previous day."""

    state = fields.Enum(ReceiptState, by_value=True, required=True)
    as_of = fields.Date(required=True)


class LabelledSchema(Schema):
    """A code with its label in each language."""

    code = fields.String(required=True)
    labels = fields.Dict(keys=fields.String(), values=fields.String(), required=True)


class NoteRuleSchema(Schema):
    """Whether a note may be sent."""

    enabled = fields.Boolean(required=True)
    max_length = fields.Integer(required=True)


class EmergencySchema(Schema):
    """A number to call instead of this channel."""

    number = fields.String(required=True)
    label = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    when = fields.Dict(keys=fields.String(), values=fields.String(), required=True)


class FormSchema(Schema):
    """Everything a carrier's app needs to draw the form."""

    version = fields.String(required=True)
    languages = fields.List(fields.String(), required=True)
    concern_types = fields.List(fields.Nested(LabelledSchema), required=True)
    seen = fields.List(fields.Nested(LabelledSchema), required=True)
    note = fields.Nested(NoteRuleSchema, required=True)
    emergency = fields.List(fields.Nested(EmergencySchema), required=True)


def idempotency_key(text: str | None) -> UUID:
    """The key of a report; raises `ValidationError` (field `Idempotency-Key`) when missing or no UUID."""
    if not text:
        raise ValidationError("required", field_name="Idempotency-Key")
    if not _UUID.fullmatch(text):
        raise ValidationError("not_a_uuid", field_name="Idempotency-Key")
    return UUID(text)
