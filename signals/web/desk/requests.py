"""Check the bodies and the parameters of the desk's API. Schemas stop at this layer."""

from collections.abc import Mapping
from typing import Any, Final

from marshmallow import ValidationError, fields, post_load, pre_load, validate, validates_schema

from signals.casework.notes import MAX_NOTE
from signals.casework.outcomes import ReopenReason
from signals.casework.queue import MAX_PAGE
from signals.casework.rounds import MOST_STOPS
from signals.staff.identity import MAX_PASSWORD
from signals.vocabulary import (
    AttemptKind,
    AttemptResult,
    ContactBy,
    DeferralReason,
    NotifiedBy,
    NotReachedReason,
    Outcome,
    ReferredTo,
    SignalState,
)
from signals.web.http.fields import (
    AdditionField,
    Choice,
    CodeList,
    HouseNumberField,
    PostcodeField,
    Strict,
    StrictDate,
)
from signals.web.staff_kit.schemas import Cursor, Moment, TrueOrFalse, WholeNumber, something

_OPEN: Final = "open"
_STATE: Final = CodeList(
    name="QueueState",
    text="A state of signals, or `open`: every state before the conclusion",
    codes=(_OPEN, *SignalState),
)
_MAY_BE_EMPTY: Final = ("state", "sort", "cursor")
_ORDER: Final = CodeList(name="QueueOrder", text="The order of a list of signals", codes=("deadline",))


class SignInSchema(Strict):
    """Sign in with password and authenticator."""

    email = fields.String(required=True, validate=something(254))
    password = fields.String(
        required=True, load_only=True, validate=something(MAX_PASSWORD), metadata={"format": "password"}
    )
    totp = fields.String(
        required=True,
        validate=something(12),
        metadata={"description": "The six digits of the authenticator; each works once", "example": "123456"},
    )


class QueueQuery(Strict):
    """Choose the signals of the queue and the page."""

    state = Choice(_STATE, load_default=_OPEN)
    sort = Choice(_ORDER, load_default="deadline")
    limit = WholeNumber(
        load_default=25,
        validate=validate.Range(min=1, max=MAX_PAGE),
        metadata={"minimum": 1, "maximum": MAX_PAGE},
    )
    cursor = Cursor(load_default=None)

    @pre_load
    def leave_out_empty(self, data: Mapping[str, str], **_kwargs: Any) -> dict[str, str]:
        return {name: value for name, value in data.items() if value or name not in _MAY_BE_EMPTY}

    @post_load
    def make(self, data: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        state = data["state"]
        wanted = state if isinstance(state, SignalState) else None
        return {"state": wanted, "limit": data["limit"], "cursor": data["cursor"]}


class AttemptSchema(Strict):
    """Record one attempt to reach the resident."""

    kind = Choice(AttemptKind, required=True)
    result = Choice(AttemptResult, required=True)
    attempted_at = Moment(required=True, metadata={"example": "2026-11-24T10:30:00+01:00"})
    workers = fields.Integer(
        load_default=1,
        strict=True,
        validate=validate.Range(min=1, max=2),
        metadata={"description": "How many workers went: one or two"},
    )
    postponed_until = StrictDate(
        load_default=None,
        allow_none=True,
        metadata={
            "description": "The day of the next contact. With `postponed`: the day that was agreed, at most "
            "28 days ahead and 84 after receipt. With `no_answer`: another day than the proposed one, "
            "within the norm for concluding.",
            "example": "2026-12-08",
        },
    )


class NoteSchema(Strict):
    """Add a worker's note, which is sealed before it is stored."""

    text = fields.String(required=True, validate=something(MAX_NOTE))


class ConcludeSchema(Strict):
    """Conclude with exactly one outcome; an answer that is recorded already is refused."""

    outcome = Choice(Outcome, required=True)
    referred_to = Choice(
        ReferredTo,
        load_default=None,
        metadata={"description": "Required with `referred` (help) and `escalated` (crisis), else refused"},
    )
    contact_by = Choice(
        ContactBy,
        load_default=None,
        metadata={
            "description": "How somebody spoke with the resident; becomes an attempt with contact. Required "
            "with `talk_sufficed`, `help_accepted` and `help_declined` while no contact is recorded; "
            "elsewhere left out means `nobody`"
        },
    )
    newly_known = TrueOrFalse(
        load_default=None,
        metadata={"description": "Only where somebody met the resident: nobody knew them before"},
    )
    notified_by = Choice(
        NotifiedBy,
        load_default=None,
        metadata={
            "description": "How the resident was told (art. 14 AVG), instead of a call of `/notice` before "
            "or after. A letter becomes an attempt"
        },
    )
    deferred_because = Choice(
        DeferralReason, load_default=None, metadata={"description": "Why the resident was not told yet"}
    )
    reason = Choice(
        NotReachedReason,
        load_default=None,
        metadata={
            "description": "Why `not_reached` comes before an agreed day, or before the organisation's "
            "minimum of attempts; `tried_enough` needs that minimum"
        },
    )
    wmo_notified_on = StrictDate(
        load_default=None,
        allow_none=True,
        metadata={"description": "When a Wmo notification was made; null leaves what was recorded before"},
    )


class WmoSchema(Strict):
    """Record the day of a notification by article 2.3.2 Wmo 2015; null takes a mistake back."""

    wmo_notified_on = StrictDate(required=True, allow_none=True)


class ReopenSchema(Strict):
    """Give the reason to reopen, if there is one."""

    reason = Choice(ReopenReason, load_default=None)


class NoticeSchema(Strict):
    """Give exactly one: that the resident was told (art. 14 AVG), why not yet, or that it was a mistake."""

    notified_on = StrictDate(load_default=None)
    notified_by = Choice(
        NotifiedBy,
        load_default=None,
        metadata={
            "description": "How; without `notified_on` on the day of the last such attempt, else today. A "
            "delivered letter counts as an attempt"
        },
    )
    deferred_because = Choice(DeferralReason, load_default=None)
    taken_back = TrueOrFalse(
        load_default=False, metadata={"description": "What was recorded was a mistake; the month runs on"}
    )


class SearchSchema(Strict):
    """Search by a reference or by an address; without an addition the search finds the whole house."""

    reference = fields.String(load_default=None, validate=something(20))
    postcode = PostcodeField(load_default=None, metadata={"example": "1012AB"})
    house_number = HouseNumberField(load_default=None, metadata={"minimum": 1, "maximum": 99999})
    house_number_addition = AdditionField(load_default="", metadata={"maxLength": 6})

    @validates_schema
    def check_one_way(self, data: dict[str, Any], **_kwargs: Any) -> None:
        by_address = data.get("postcode") is not None or data.get("house_number") is not None
        if by_address == (data.get("reference") is not None):
            raise ValidationError("exactly_one", "reference")
        for name in ("postcode", "house_number") if by_address else ():
            if data.get(name) is None:
                raise ValidationError("required", name)


class RoundSchema(Strict):
    """Plan a round past signals that the caller has claimed."""

    ids = fields.List(
        fields.UUID(),
        required=True,
        validate=validate.Length(min=1, max=MOST_STOPS, error="out_of_range"),
        metadata={"uniqueItems": True},
    )
