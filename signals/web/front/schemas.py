"""The bodies of the public API. Schemas stop at this layer: the code inside gets a `Report`."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from marshmallow import Schema, ValidationError, fields, post_dump, post_load, validate

from privacy.receipts import parse_receipt
from privacy.sealing import ENVELOPE_SIZE, KEY_SIZE, SCHEMA_VERSION, SIGNATURE_SIZE
from signals.intake.content import NOTE_LENGTH, Report, Summary
from signals.intake.receiving import SealedByPhone
from signals.routing.postcodes import Address
from signals.vocabulary import ConcernType, OrganisationKind, Profession, ReceiptState, Seen
from signals.web.http.fields import (
    POSTCODE,
    AdditionField,
    BytesField,
    Choice,
    Choices,
    HouseNumberField,
    PostcodeField,
    Strict,
    StrictDate,
)

UUID_PATTERN: Final = "[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
_RECEIPT: Final = {
    "pattern": "^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){3}$",
    "example": "0000-0000-0000-0000",
}


class ReportSchema(Strict):
    """A carrier's report."""

    postcode = PostcodeField(required=True, metadata={"example": "1012AB", **POSTCODE})
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
    concern_types = Choices(ConcernType, load_default=list, allow_none=True, metadata={"uniqueItems": True})
    seen = Choice(Seen, load_default=None)
    noticed_on = StrictDate(
        load_default=None, metadata={"description": "Today or up to 14 days back, in the Netherlands"}
    )
    note = fields.String(
        load_default=None,
        validate=validate.Length(max=NOTE_LENGTH),
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
            summary=Summary(concern_types=tuple(data["concern_types"] or ()), seen=data["seen"]),
            noticed_on=data["noticed_on"],
            note=data["note"] or None,
        )


class SealedReportSchema(Strict):
    """A report that the sender sealed: HPKE to the receiver's key, with the ids in `info`."""

    organisation_id = fields.UUID(required=True, metadata={"description": "The receiver"})
    mailbox_key_id = fields.UUID(required=True, metadata={"description": "The key of this week"})
    signal_id = fields.UUID(required=True, metadata={"description": "A random UUID of the sender"})
    schema_version = fields.Integer(
        required=True, strict=True, validate=validate.Equal(SCHEMA_VERSION), metadata={"example": 1}
    )
    envelope = BytesField(ENVELOPE_SIZE, required=True, metadata={"description": "HPKE, base64url"})

    def read(self, body: Mapping[str, Any]) -> SealedByPhone:
        """Return the report by its fields; raise `ValidationError`. Only a wrong body takes the slow way."""
        try:
            found = {name: field.deserialize(body[name]) for name, field in self.fields.items()}
        except (KeyError, ValidationError):
            found = {}
        report: SealedByPhone = self.make(found) if len(found) == len(body) else self.load(body)
        return report

    @post_load
    def make(self, data: dict[str, Any], **_kwargs: Any) -> SealedByPhone:
        del data["schema_version"]
        return SealedByPhone(**data)


class FourDigitsSchema(Strict):
    """The four digits of a postcode: all that the service learns of an address."""

    pc4 = fields.String(
        required=True,
        validate=validate.Regexp(r"^[1-9][0-9]{3}(?![\s\S])", error="invalid_value"),
        metadata={"example": "1012"},
    )


class _Sparse(Schema):
    """An answer without the names that have no value."""

    @post_dump
    def leave_out(self, data: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        return {name: value for name, value in data.items() if value is not None}


class PhoneRuleSchema(_Sparse):
    """A rule of routing; it holds for all house numbers of all postcodes unless it names some."""

    postcode = fields.String(metadata={"description": "Six characters; absent in the rule for the rest"})
    first = fields.Integer(data_key="from", metadata={"description": "The first house number"})
    last = fields.Integer(data_key="to", metadata={"description": "The last house number"})
    organisation_id = fields.UUID(required=True, metadata={"description": "The receiver"})


class MailboxSchema(Schema):
    """A mailbox key, which the root signed for this receiver and week."""

    key_id = fields.UUID(required=True)
    public_key = BytesField(KEY_SIZE, required=True, metadata={"description": "X25519, base64url"})
    valid_from = fields.Date(required=True, attribute="week", metadata={"description": "A Monday"})
    valid_until = fields.Function(
        lambda key: (key.week + timedelta(days=7)).isoformat(),
        required=True,
        metadata={"type": "string", "format": "date", "description": "The next Monday, not included"},
    )
    signature = BytesField(SIGNATURE_SIZE, required=True, metadata={"description": "Ed25519, base64url"})


class ReceiverSchema(Schema):
    """A receiver with its key of this week."""

    id = fields.UUID(required=True)
    name = fields.String(required=True)
    kind = Choice(OrganisationKind, required=True)
    mailbox = fields.Nested(MailboxSchema, required=True)


class LookupSchema(Strict):
    """An address; the answer names its receiver."""

    postcode = PostcodeField(required=True, metadata={"example": "9711AA", **POSTCODE})
    house_number = HouseNumberField(load_default=None, metadata={"minimum": 1, "maximum": 99999})


class ReceiptSchema(Strict):
    """A receipt as the carrier typed it."""

    receipt = fields.String(
        required=True,
        validate=validate.Length(max=40),
        metadata={"pattern": r"^\s*([0-9A-Za-z][\s-]*){16}$", "example": _RECEIPT["example"]},
    )

    @post_load
    def parse(self, data: dict[str, Any], **_kwargs: Any) -> str | None:
        return parse_receipt(data["receipt"])


class OrganisationNameSchema(Schema):
    """The receiver, as a carrier may know it."""

    name = fields.String(required=True)
    kind = Choice(OrganisationKind, required=True)


class MunicipalitySchema(Schema):
    """A municipality by its official code."""

    code = fields.String(required=True, metadata={"example": "GM0363"})
    name = fields.String(required=True)


class CoverageAnswerSchema(Schema):
    """The receiver of an address; `covered` is false when only the national desk is left."""

    covered = fields.Boolean(required=True)
    organisation = fields.Nested(OrganisationNameSchema, required=True)
    municipality = fields.Nested(MunicipalitySchema, required=True, allow_none=True)


class MailboxesSchema(Schema):
    """All that a phone needs to route and seal by itself. The first rule that fits the address holds."""

    root_key_id = fields.String(required=True, metadata={"description": "Names the key that signed"})
    municipality = fields.Nested(MunicipalitySchema, required=True, allow_none=True)
    rules = fields.List(fields.Nested(PhoneRuleSchema), required=True)
    organisations = fields.List(fields.Nested(ReceiverSchema), required=True)


class RedactionSchema(Schema):
    """The number of strings of one kind that the intake removed from the note before it stored it."""

    kind = fields.String(required=True)
    count = fields.Integer(required=True)
    placeholder = fields.String(required=True, metadata={"example": "[telefoon]"})


class ReceivedSchema(_Sparse):
    """The answer to a report; a retry gets the same."""

    receipt = fields.String(required=True, metadata=_RECEIPT)
    organisation = fields.Nested(OrganisationNameSchema, required=True)
    received_on = fields.Date(required=True)
    note_redactions = fields.List(
        fields.Nested(RedactionSchema),
        attribute="redactions",
        metadata={"description": "Absent for a sealed report: the desk side redacts its note"},
    )


class ReceiptStatusSchema(Schema):
    """The progress that a carrier may know, as of the previous day."""

    state = Choice(ReceiptState, required=True)
    as_of = fields.Date(required=True)


class LabelledSchema(Schema):
    """A code with its label in each language."""

    code = fields.String(required=True)
    labels = fields.Dict(keys=fields.String(), values=fields.String(), required=True)


class NoteRuleSchema(Schema):
    """The rule for notes: allowed or not, and the longest."""

    enabled = fields.Boolean(required=True)
    max_length = fields.Integer(required=True)


class EmergencySchema(Schema):
    """A number to call instead of this channel."""

    number = fields.String(required=True)
    label = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    when = fields.Dict(keys=fields.String(), values=fields.String(), required=True)


class IssuerSchema(Schema):
    """An issuer whose tokens prove a profession; a phone asks it for tokens with its enrolment code."""

    url = fields.String(required=True, metadata={"description": "Tokens: POST to `/token-request` there"})
    name = fields.String(required=True)
    profession = Choice(Profession, required=True)
    per_day = fields.Integer(required=True, metadata={"description": "The most tokens of a phone and day"})
    stock = fields.Integer(required=True, metadata={"description": "The most tokens that a phone keeps"})
    challenge = fields.String(required=True, metadata={"description": "TokenChallenge, base64url"})
    token_key = fields.String(required=True, metadata={"description": "The key of this week, base64url"})
    valid_until = fields.Date(required=True, metadata={"description": "The last day for a token of this key"})


class FormSchema(Schema):
    """All that a carrier's app needs to draw the form."""

    version = fields.String(required=True)
    languages = fields.List(fields.String(), required=True)
    concern_types = fields.List(fields.Nested(LabelledSchema), required=True)
    seen = fields.List(fields.Nested(LabelledSchema), required=True)
    note = fields.Nested(NoteRuleSchema, required=True)
    emergency = fields.List(fields.Nested(EmergencySchema), required=True)
    issuers = fields.List(fields.Nested(IssuerSchema), required=True)


def idempotency_key(text: str | None) -> UUID:
    """Return the key of a report; raise `ValidationError` when it is missing or no UUID."""
    if not text:
        raise ValidationError("required", field_name="Idempotency-Key")
    if not re.fullmatch(UUID_PATTERN, text):
        raise ValidationError("not_a_uuid", field_name="Idempotency-Key")
    return UUID(text)
