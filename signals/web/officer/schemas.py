"""The bodies and parameters of the privacy officer's part of the API."""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from signals.audit.trail import AuditFilter
from signals.casework import MAX_NOTE
from signals.clock import AMSTERDAM
from signals.residents import (
    MAX_STATEMENT,
    RECIPIENTS,
    Correction,
    IdentityProof,
    NoteCorrection,
    Proof,
    ResidenceProof,
    Right,
)
from signals.routing.postcodes import Address
from signals.vocabulary import AuditAction, ConcernType, DeletionReason, RetentionRule, SignalState
from signals.web.http.fields import AdditionField, HouseNumberField, PostcodeField, Strict
from signals.web.officer.trail import MAX_PAGE
from signals.web.staff_kit.schemas import Choice, Moment, OrganisationSchema, TrueOrFalse

LEAST_BASIS: Final = 10
MAX_BASIS: Final = 500
MOST_DAYS: Final = 366
MOST_NOTES: Final = 100

_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class DayOrMoment(fields.String):
    """A date, or a moment with its offset; `end` takes a date as the end of that day in Amsterdam."""

    def __init__(self, *, end: bool = False, **kwargs: Any) -> None:
        super().__init__(metadata={"description": "A date, or a moment with its offset (RFC 3339)"}, **kwargs)
        self.end = end

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        if not _DAY.fullmatch(text):
            return Moment()._deserialize(text, attr, data, **kwargs)
        try:
            day = date.fromisoformat(text) + timedelta(days=1 if self.end else 0)
        except (ValueError, OverflowError):
            raise ValidationError("not_a_date") from None
        return datetime.combine(day, time(), AMSTERDAM).astimezone(UTC)


class LegalBasis(fields.String):
    """The ground of a period, without spaces around it: spaces alone are no ground."""

    def __init__(self) -> None:
        fit = validate.Length(min=LEAST_BASIS, max=MAX_BASIS, error="out_of_range")
        super().__init__(required=True, validate=fit)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text: str = super()._deserialize(value, attr, data, **kwargs)
        return text.strip()


class PageLimit(fields.Integer):
    """How many at most, from a query string: 1 to 200."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(load_default=50, metadata={"minimum": 1, "maximum": MAX_PAGE}, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if not isinstance(value, str) or not re.fullmatch(r"[0-9]{1,4}", value):
            raise ValidationError("wrong_type")
        if not 1 <= int(value) <= MAX_PAGE:
            raise ValidationError("out_of_range")
        return int(value)


class AddressQuery(Strict):
    """The address that a request is about, exactly; with an addition of its own only that one is found."""

    postcode = PostcodeField(required=True, metadata={"example": "1012AB"})
    house_number = HouseNumberField(required=True, strict=True, metadata={"minimum": 1, "maximum": 99999})
    house_number_addition = AdditionField(load_default="", metadata={"maxLength": 6})


class ProofFields(Strict):
    """What was checked before content leaves or is deleted: an address alone proves nothing."""

    identity = Choice(IdentityProof, required=True)
    residence = Choice(ResidenceProof, required=True)
    third_parties = TrueOrFalse(
        load_default=False,
        metadata={"description": "That the rights of others were weighed"},
    )


class ExportSchema(AddressQuery, ProofFields):
    """A request for access (art. 15 AVG); `third_parties` must be true."""

    third_parties = TrueOrFalse(
        load_default=False,
        metadata={
            "description": (
                "That the answer will be looked through, and what concerns others taken out, before it is "
                "handed over (art. 15(4) AVG)"
            )
        },
    )


class EraseSchema(AddressQuery, ProofFields):
    """An erasure (art. 17 AVG), or an objection that holds (art. 21)."""

    right = Choice(Right, load_default=Right.ERASURE)

    @validates_schema
    def one_that_erases(self, data: dict[str, Any], **_kwargs: Any) -> None:
        if data.get("right") not in (Right.ERASURE, Right.OBJECTION):
            raise ValidationError("not_a_choice", "right")


class NoteCorrectionSchema(Strict):
    """A note of the follow-up as it should have been."""

    note_id = fields.UUID(required=True)
    text = fields.String(
        load_default="",
        validate=validate.Length(max=MAX_NOTE),
        metadata={"description": "What it says from now on; empty: it is struck"},
    )

    @post_load
    def make(self, data: dict[str, Any], **_kwargs: Any) -> NoteCorrection:
        return NoteCorrection(**data)


class RectifySchema(AddressQuery, ProofFields):
    """The right address of a signal (art. 16 AVG), and what of its content does not hold."""

    signal_id = fields.UUID(required=True)
    withdrawn = fields.List(
        Choice(ConcernType),
        load_default=list,
        metadata={"description": "Kinds of concern that do not hold: they go"},
    )
    drop_seen = TrueOrFalse(
        load_default=False,
        metadata={"description": "How often it was seen does not hold: it goes"},
    )
    drop_noticed_on = TrueOrFalse(
        load_default=False,
        metadata={"description": "The day on which it was noticed does not hold: it goes"},
    )
    drop_note = TrueOrFalse(
        load_default=False,
        metadata={"description": "The carrier's note does not hold: it goes"},
    )
    notes = fields.List(
        fields.Nested(NoteCorrectionSchema),
        load_default=list,
        validate=validate.Length(max=MOST_NOTES),
        metadata={"description": "Notes of workers that do not hold: put right, or struck"},
    )
    statement = fields.String(
        load_default="",
        validate=validate.Length(max=MAX_STATEMENT),
        metadata={"description": "The resident's own supplementary statement, kept among the notes"},
    )


class RestrictSchema(ProofFields):
    """Keep a signal without working on it (art. 18 AVG), or lift that."""

    signal_id = fields.UUID(required=True)
    lift = TrueOrFalse(load_default=False)


def correction_in(values: dict[str, Any]) -> Correction:
    """What is put right, among loaded values; those of a page say `yes` where a program says true."""
    return Correction(
        address=address_in(values),
        withdrawn=frozenset(values["withdrawn"]),
        drop_seen=bool(values["drop_seen"]),
        drop_noticed_on=bool(values["drop_noticed_on"]),
        drop_note=bool(values["drop_note"]),
        notes=tuple(values["notes"]),
        statement=values["statement"],
    )


def address_in(values: dict[str, Any]) -> Address:
    """The address among loaded values."""
    return Address(
        postcode=values["postcode"],
        number=values["house_number"],
        addition=values["house_number_addition"],
    )


def proof_in(values: dict[str, Any]) -> Proof:
    """The proof among loaded values."""
    return Proof(
        identity=values["identity"], residence=values["residence"], third_parties=values["third_parties"]
    )


class AuditQuery(Strict):
    """Which entries; every parameter narrows."""

    actor = fields.UUID(load_default=None, metadata={"description": "A staff member's id"})
    subject = fields.UUID(load_default=None, metadata={"description": "A signal's or a staff member's id"})
    action = Choice(AuditAction, load_default=None)
    since = DayOrMoment(load_default=None)
    until = DayOrMoment(load_default=None, end=True)

    def filter_in(self, values: dict[str, Any]) -> AuditFilter:
        return AuditFilter(
            actor_id=values["actor"],
            subject_id=values["subject"],
            action=values["action"],
            since=values["since"],
            until=values["until"],
        )

    @post_load
    def make(self, data: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        return {"wanted": self.filter_in(data)}


class AuditPageQuery(AuditQuery):
    """The same, and from where on."""

    limit = PageLimit()
    cursor = fields.String(load_default=None, validate=validate.Length(max=100, error="too_long"))

    @post_load
    def make(self, data: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        return {"wanted": self.filter_in(data), "limit": data["limit"], "cursor": data["cursor"]}


class PageQuery(Strict):
    """From where on."""

    limit = PageLimit()
    cursor = fields.String(load_default=None, validate=validate.Length(max=100, error="too_long"))


class PeriodSchema(Strict):
    """How long, in days, and on which ground."""

    rule = Choice(RetentionRule, required=True)
    days = fields.Integer(
        required=True,
        strict=True,
        validate=validate.Range(min=1, max=MOST_DAYS, error="out_of_range"),
        metadata={"minimum": 1, "maximum": MOST_DAYS},
    )
    legal_basis = LegalBasis()


# Answers


class HeldNoteSchema(Schema):
    """That there is a note of a worker, without what it says."""

    id = fields.UUID(required=True)
    written_at = fields.DateTime(required=True)


class HeldSignalSchema(Schema):
    """A live signal, without content."""

    id = fields.UUID(required=True)
    reference = fields.String(required=True)
    state = fields.Enum(SignalState, by_value=True, required=True)
    received_on = fields.Date(required=True)
    restricted_on = fields.Date(required=True, allow_none=True)
    follow_up_notes = fields.List(fields.Nested(HeldNoteSchema), required=True)


class HeldReferralSchema(Schema):
    """A signal that went to another organisation."""

    reference = fields.String(required=True)
    referred_on = fields.Date(required=True)
    organisation = fields.Nested(OrganisationSchema, required=True)


class OtherAdditionsSchema(Schema):
    """How much lies at the same house number under another addition, or under none: perhaps a neighbour's."""

    signals = fields.Integer(required=True, metadata={"description": "Live signals"})
    earlier = fields.Integer(
        required=True, metadata={"description": "Deleted or referred: only that there was one is kept"}
    )


class HeldSchema(Schema):
    """What the organisation has on an address."""

    signals = fields.List(fields.Nested(HeldSignalSchema), required=True)
    deleted_received_on = fields.List(fields.Date(), required=True)
    referrals = fields.List(fields.Nested(HeldReferralSchema), required=True)
    other_additions = fields.Nested(OtherAdditionsSchema, required=True)


class KeptSchema(Schema):
    """How long signals are kept under one rule, and on which ground (art. 15(1)(d) AVG)."""

    rule = fields.String(required=True, validate=validate.OneOf([rule.value for rule in RetentionRule]))
    days = fields.Integer(required=True)
    legal_basis = fields.String(required=True)


class ExportedSchema(Schema):
    """All that is kept of an address, in the clear; also as PDF with `Accept: application/pdf`."""

    organisation = fields.String(required=True)
    legal_basis = fields.String(required=True, allow_none=True)
    retention_basis = fields.String(required=True, allow_none=True)
    retention = fields.List(fields.Nested(KeptSchema), required=True)
    earlier_kept_days = fields.Integer(
        required=True,
        metadata={"description": "Days that is kept, after deletion, that there was a signal"},
    )
    recipients = fields.List(
        fields.String(validate=validate.OneOf(RECIPIENTS)),
        required=True,
        metadata={"description": "Categories of recipients (art. 15(1)(c) AVG)"},
    )
    source = fields.String(required=True)
    signals = fields.List(fields.Dict(), required=True)
    earlier_signals_received_on = fields.List(fields.Date(), required=True)
    earlier_signals = fields.List(
        fields.Dict(),
        required=True,
        metadata={"description": "The same days, each with the group of the outcome, which is kept as long"},
    )
    referred = fields.List(fields.Dict(), required=True)


class ErasedSchema(Schema):
    """How many signals: all, and those that were elsewhere by referral."""

    signals = fields.Integer(required=True)
    elsewhere = fields.Integer(required=True)
    at_once = fields.Boolean(
        required=True, metadata={"description": "False: the worker deletes the rest within seconds"}
    )


class RightDoneSchema(Schema):
    """A signal after it was rectified or restricted."""

    id = fields.UUID(required=True)
    reference = fields.String(required=True)
    version = fields.Integer(required=True)
    restricted_on = fields.Date(required=True, allow_none=True)


class RegisterEntrySchema(Schema):
    """That a request was dealt with, never what was in it."""

    id = fields.UUID(required=True)
    right = fields.Enum(Right, by_value=True, required=True)
    recorded_on = fields.Date(required=True)
    recorded_by = fields.String(required=True)
    signals_found = fields.Integer(required=True)
    identity_checked = fields.Enum(IdentityProof, by_value=True, required=True)
    residence_checked = fields.Enum(ResidenceProof, by_value=True, required=True)
    third_parties_checked = fields.Boolean(required=True)
    outcome = fields.String(
        required=True,
        metadata={"description": "`nothing_found`: nothing was kept of the address"},
    )


class RegisterSchema(Schema):
    """A page of the register, newest first."""

    items = fields.List(fields.Nested(RegisterEntrySchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class AuditLineSchema(Schema):
    """One access (NEN 7513): event, time, person, subject and ground; never an address."""

    id = fields.UUID(required=True)
    at = fields.DateTime(required=True)
    actor = fields.String(required=True, metadata={"description": "Name; empty for the system"})
    actor_id = fields.UUID(required=True, allow_none=True)
    actor_role = fields.String(required=True)
    action = fields.Enum(AuditAction, by_value=True, required=True)
    subject = fields.String(required=True, metadata={"description": "Reference or name, where it is known"})
    subject_id = fields.UUID(required=True, allow_none=True)
    ground = fields.String(required=True)
    outcome = fields.String(required=True)


class AuditPageSchema(Schema):
    """A page of the trail, newest first; as CSV with `Accept: text/csv`, then without pages."""

    items = fields.List(fields.Nested(AuditLineSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class PeriodInForceSchema(Schema):
    """A period, and whether the organisation set it itself."""

    rule = fields.Enum(RetentionRule, by_value=True, required=True)
    days = fields.Integer(required=True)
    legal_basis = fields.String(required=True)
    own = fields.Boolean(required=True)


class MonthSchema(Schema):
    """How many of the own organisation's signals were deleted in a month, by reason."""

    month = fields.String(required=True, metadata={"example": "2026-11"})
    reason = fields.Enum(DeletionReason, by_value=True, required=True)
    count = fields.Integer(required=True)


class ForgottenSchema(Schema):
    """That a signal was deleted; `key_destroyed_on` from when no copy of the database can be read."""

    reference = fields.String(required=True)
    deleted_on = fields.Date(required=True)
    reason = fields.Enum(DeletionReason, by_value=True, required=True)
    key_destroyed_on = fields.Date(required=True, allow_none=True)


class PeriodsSchema(Schema):
    """The periods in force."""

    periods = fields.List(fields.Nested(PeriodInForceSchema), required=True)


class RetentionSchema(PeriodsSchema):
    """What was forgotten when, newest first."""

    months = fields.List(fields.Nested(MonthSchema), required=True)
    items = fields.List(fields.Nested(ForgottenSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)
