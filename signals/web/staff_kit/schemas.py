"""The staff API's bodies and parameters. Schemas stop at this layer."""

import re
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from signals.casework import MAX_NOTE, MAX_PAGE, NotReachedReason, PartOfDay, ReopenReason
from signals.routing.plausibility import AddressDoubt
from signals.staff.identity import MAX_PASSWORD
from signals.vocabulary import (
    Action,
    AttemptKind,
    AttemptResult,
    ConcernType,
    DeferralReason,
    Outcome,
    ReferredTo,
    Role,
    Seen,
    SignalState,
)
from signals.web.http.fields import (
    AdditionField,
    HouseNumberField,
    PostcodeField,
    Strict,
    StrictDate,
)

OPEN: Final = "open"
MAX_ROUND: Final = 12

_MOMENT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,12})?)?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)


class Choice(fields.String):
    """A code of a closed list, as its enumeration's member; anything else is `not_a_choice`."""

    def __init__(self, choices: type[StrEnum], **kwargs: Any) -> None:
        codes = [member.value for member in choices]
        super().__init__(validate=validate.OneOf(codes, error="not_a_choice"), **kwargs)
        self.choices = choices

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            return self.choices(text)
        except ValueError:
            raise ValidationError("not_a_choice") from None


class TrueOrFalse(fields.Boolean):
    """`true` or `false`; no 1, 0 or 1.0, which Python takes for equal to them."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise ValidationError("wrong_type")
        return value


class Moment(fields.DateTime):
    """A moment with its offset (RFC 3339): `2026-11-24T10:30:00+01:00`; answers give it in UTC, with `Z`."""

    def _serialize(self, value: datetime | None, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z") if value else None

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        if not isinstance(value, str) or not _MOMENT.fullmatch(value):
            raise ValidationError("not_a_moment")
        try:
            return datetime.fromisoformat(value.upper())
        except ValueError:
            raise ValidationError("not_a_moment") from None


class WholeNumber(fields.Integer):
    """A number in a query string: digits and nothing else that Python would take for a number."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if not isinstance(value, str) or not re.fullmatch(r"[0-9]{1,4}", value):
            raise ValidationError("wrong_type")
        return int(value)


def something(most: int) -> list[validate.Length]:
    """A text that is not empty, of `most` characters: an empty one is missing, not too long."""
    return [validate.Length(min=1, error="required"), validate.Length(max=most, error="too_long")]


class SignInSchema(Strict):
    """Who signs in."""

    email = fields.String(required=True, validate=something(254))
    password = fields.String(
        required=True,
        load_only=True,
        validate=something(MAX_PASSWORD),
        metadata={"format": "password"},
    )
    totp = fields.String(
        required=True,
        validate=something(12),
        metadata={"description": "The six digits of the authenticator; each works once", "example": "123456"},
    )


class QueueQuery(Strict):
    """Which signals, and from where on."""

    state = fields.String(
        load_default="",
        validate=validate.OneOf(["", OPEN, *(state.value for state in SignalState)], error="not_a_choice"),
        metadata={"description": "A state; `open` or empty: every signal that is not concluded"},
    )
    sort = fields.String(
        load_default="deadline", validate=validate.OneOf(["", "deadline"], error="not_a_choice")
    )
    limit = WholeNumber(
        load_default=25,
        validate=validate.Range(min=1, max=MAX_PAGE, error="out_of_range"),
        metadata={"minimum": 1, "maximum": MAX_PAGE},
    )
    cursor = fields.String(
        load_default="",
        validate=validate.Length(max=100, error="too_long"),
        metadata={"description": "`next_cursor` of the page before"},
    )

    @post_load
    def make(self, data: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        state = data["state"]
        return {
            "state": SignalState(state) if state and state != OPEN else None,
            "limit": data["limit"],
            "cursor": data["cursor"] or None,
        }


class AttemptSchema(Strict):
    """One try to reach the resident."""

    kind = Choice(AttemptKind, required=True)
    result = Choice(AttemptResult, required=True)
    attempted_at = Moment(required=True, metadata={"example": "2026-11-24T10:30:00+01:00"})
    workers = fields.Integer(
        load_default=1,
        strict=True,
        validate=validate.OneOf([1, 2], error="out_of_range"),
        metadata={"description": "How many workers went: one or two"},
    )
    postponed_until = StrictDate(
        load_default=None,
        allow_none=True,
        metadata={
            "description": "With `postponed` only: the day that was agreed, at most 28 days ahead and 84 "
            "after receipt. Until then the signal waits; the next attempt ends that.",
            "example": "2026-12-08",
        },
    )


class NoteSchema(Strict):
    """A worker's note; sealed before it is stored."""

    text = fields.String(required=True, validate=something(MAX_NOTE))


class ConcludeSchema(Strict):
    """Exactly one outcome."""

    outcome = Choice(Outcome, required=True)
    referred_to = Choice(
        ReferredTo,
        load_default=None,
        metadata={"description": "Required with `referred` (help) and `escalated` (crisis), else refused"},
    )
    newly_known = TrueOrFalse(load_default=None)
    reason = Choice(
        NotReachedReason,
        load_default=None,
        metadata={"description": "Why `not_reached` comes before the organisation's minimum of attempts"},
    )
    wmo_notified_on = StrictDate(
        load_default=None,
        allow_none=True,
        metadata={"description": "When a Wmo notification was made; null leaves what was recorded before"},
    )


class WmoSchema(Strict):
    """When a notification was made by article 2.3.2 Wmo 2015; null takes a mistake back."""

    wmo_notified_on = StrictDate(required=True, allow_none=True)


class ReopenSchema(Strict):
    """Why; may be left out."""

    reason = Choice(ReopenReason, load_default=None)


class NoticeSchema(Strict):
    """Exactly one: when the resident was told (art. 14 AVG), why not yet, or that this was a mistake."""

    notified_on = StrictDate(load_default=None)
    deferred_because = Choice(DeferralReason, load_default=None)
    taken_back = TrueOrFalse(
        load_default=False,
        metadata={"description": "What was recorded was a mistake; the month runs on"},
    )


class SearchSchema(Strict):
    """A reference, or an address; without addition every addition of the house is found."""

    reference = fields.String(load_default=None, validate=something(20))
    postcode = PostcodeField(load_default=None, metadata={"example": "1012AB"})
    house_number = HouseNumberField(load_default=None, metadata={"minimum": 1, "maximum": 99999})
    house_number_addition = AdditionField(load_default="", metadata={"maxLength": 6})

    @validates_schema
    def one_way(self, data: dict[str, Any], **_kwargs: Any) -> None:
        by_address = data.get("postcode") is not None or data.get("house_number") is not None
        if by_address == (data.get("reference") is not None):
            raise ValidationError("exactly_one", "reference")
        for name in ("postcode", "house_number") if by_address else ():
            if data.get(name) is None:
                raise ValidationError("required", name)


class RoundSchema(Strict):
    """The signals to walk by; those that the caller has claimed."""

    ids = fields.List(
        fields.UUID(),
        required=True,
        validate=validate.Length(min=1, max=MAX_ROUND, error="out_of_range"),
        metadata={"uniqueItems": True},
    )


# Answers


class OrganisationSchema(Schema):
    """The organisation of a staff member."""

    id = fields.UUID(required=True)
    name = fields.String(required=True)


class MeSchema(Schema):
    """Who is signed in; coordinators and administrators may belong to no organisation."""

    name = fields.String(required=True)
    role = fields.Enum(Role, by_value=True, required=True)
    organisation = fields.Nested(OrganisationSchema, required=True, allow_none=True)


class SessionSchema(MeSchema):
    """A new session: send the token as `Authorization: Bearer`."""

    token = fields.String(required=True)
    expires_at = Moment(required=True)


class QueueItemSchema(Schema):
    """A signal in a list: no address, no note."""

    id = fields.UUID(required=True)
    reference = fields.String(required=True)
    state = fields.Enum(SignalState, by_value=True, required=True)
    concern_types = fields.List(
        fields.Enum(ConcernType, by_value=True),
        required=True,
        metadata={"description": "Empty when none was chosen, or when the content was deleted"},
    )
    received_on = fields.Date(required=True)
    claim_by = fields.Date(required=True)
    contact_by = fields.Date(required=True)
    conclude_by = fields.Date(required=True)
    postponed_until = fields.Date(
        required=True,
        allow_none=True,
        metadata={"description": "The day agreed with the resident, while it is awaited: what comes next"},
    )
    overdue = fields.Boolean(required=True, metadata={"description": "The next deadline has passed"})
    claimed_by = fields.String(required=True, allow_none=True, metadata={"description": "Name"})
    repeat = fields.Boolean(required=True)
    restricted_on = fields.Date(
        required=True,
        allow_none=True,
        metadata={"description": "Since when nobody may work on it: the resident asked so (art. 18 AVG)"},
    )
    version = fields.Integer(required=True)


class QueueSchema(Schema):
    """One page of the queue."""

    items = fields.List(fields.Nested(QueueItemSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class FoundSchema(Schema):
    """What a search found; of a reference whose signal is gone, when it was deleted or referred."""

    items = fields.List(fields.Nested(QueueItemSchema), required=True)
    deleted_on = fields.Date(required=True, allow_none=True)
    referred_on = fields.Date(required=True, allow_none=True)
    deleted_received_on = fields.List(
        fields.Date(),
        required=True,
        metadata={
            "description": "Of an address: when those came in that were deleted since, the latest first. What"
            " is kept of them (12 months) does not know when that was; their reference does"
        },
    )
    more = fields.Boolean(required=True, metadata={"description": "There are older signals than these 50"})


class AddressSchema(Schema):
    """The address that the concern is about."""

    postcode = fields.String(required=True)
    house_number = fields.Integer(required=True)
    addition = fields.String(required=True)


class RecordedAttemptSchema(Schema):
    """A contact attempt, by whom and when it was recorded."""

    id = fields.UUID(required=True)
    kind = fields.Enum(AttemptKind, by_value=True, required=True)
    result = fields.Enum(AttemptResult, by_value=True, required=True)
    attempted_at = Moment(required=True)
    workers = fields.Integer(required=True)
    postponed_until = fields.Date(required=True, allow_none=True)
    recorded_by = fields.String(required=True)
    recorded_at = Moment(required=True)


class StatusChangeSchema(Schema):
    """One change of state; the arrival has no moment and nobody who did it."""

    action = fields.Enum(Action, by_value=True, required=True)
    before = fields.Enum(SignalState, by_value=True, required=True, allow_none=True)
    after = fields.Enum(SignalState, by_value=True, required=True)
    on = fields.Date(required=True)
    at = Moment(required=True, allow_none=True)
    by = fields.String(required=True, allow_none=True)
    reason = fields.String(required=True, allow_none=True)


class EarlierSchema(Schema):
    """Another signal of the same address or house; after a purge only the last three are left."""

    id = fields.UUID(required=True, allow_none=True)
    reference = fields.String(required=True, allow_none=True)
    state = fields.Enum(SignalState, by_value=True, required=True, allow_none=True)
    received_on = fields.Date(required=True)
    outcome_group = fields.String(required=True, allow_none=True)
    same_address = fields.Boolean(required=True)


class NoticeStateSchema(Schema):
    """Whether the resident was told (art. 14 AVG); neither is set while that is still to be done."""

    notified_on = fields.Date(required=True, allow_none=True)
    deferred_because = fields.Enum(DeferralReason, by_value=True, required=True, allow_none=True)


class WmoStateSchema(Schema):
    """Whether a Wmo notification was made."""

    wmo_notified_on = fields.Date(required=True, allow_none=True)


class WrittenNoteSchema(Schema):
    """That a note was written; its text is in the opened signal."""

    id = fields.UUID(required=True)
    written_by = fields.String(required=True)
    written_at = Moment(required=True)


class OpenedNoteSchema(WrittenNoteSchema):
    """A worker's note in the clear."""

    text = fields.String(required=True)


class SuggestionSchema(Schema):
    """What to try next, and the figures (percent reached) that say why."""

    kind = fields.Enum(AttemptKind, by_value=True, required=True)
    part_of_day = fields.Enum(PartOfDay, by_value=True, required=True, allow_none=True)
    reason_code = fields.String(required=True)
    figures = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)


class SignalSchema(QueueItemSchema):
    """A signal in the clear; reading it leaves an audit entry."""

    address = fields.Nested(AddressSchema, required=True)
    address_doubts = fields.List(
        fields.Enum(AddressDoubt, by_value=True),
        required=True,
        metadata={
            "description": "What to check of the address before somebody rings there; nothing is refused"
        },
    )
    seen = fields.Enum(Seen, by_value=True, required=True, allow_none=True)
    noticed_on = fields.Date(required=True, allow_none=True)
    note = fields.String(required=True, allow_none=True)
    contact_attempts = fields.List(fields.Nested(RecordedAttemptSchema), required=True)
    history = fields.List(fields.Nested(StatusChangeSchema), required=True)
    earlier = fields.List(fields.Nested(EarlierSchema), required=True)
    notice = fields.Nested(NoticeStateSchema, required=True)
    notes = fields.List(fields.Nested(OpenedNoteSchema), required=True)
    suggestion = fields.Nested(SuggestionSchema, required=True, allow_none=True)
    outcome = fields.Enum(Outcome, by_value=True, required=True, allow_none=True)
    referred_to = fields.Enum(ReferredTo, by_value=True, required=True, allow_none=True)
    newly_known = fields.Boolean(required=True, allow_none=True)
    wmo_notified_on = fields.Date(required=True, allow_none=True)
    first_contact_at = Moment(required=True, allow_none=True)
    concluded_at = Moment(required=True, allow_none=True)


class StopSchema(Schema):
    """One address of a round."""

    id = fields.UUID(required=True)
    reference = fields.String(required=True)
    address = fields.Nested(AddressSchema, required=True)


class RoundAnswerSchema(Schema):
    """The addresses in walking order."""

    items = fields.List(fields.Nested(StopSchema), required=True)
