"""Write the answers of the desk's API. Their names are fixed: other programs rely on them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from marshmallow import Schema, fields, missing, post_dump

from signals.casework.suggestions import PartOfDay
from signals.intake.content import Summary
from signals.lifecycle.transitions import is_overdue
from signals.routing.postcodes import AddressDoubt
from signals.vocabulary import (
    Action,
    AttemptKind,
    AttemptResult,
    ConcernType,
    DeferralReason,
    Outcome,
    Profession,
    ReferredTo,
    Role,
    Seen,
    SignalState,
    Source,
)
from signals.web.http.fields import Choice
from signals.web.staff_kit import display
from signals.web.staff_kit.schemas import AddressSchema, Cursor, Moment, OrganisationSchema


@dataclass(frozen=True, kw_only=True)
class Listed:
    """Hold one signal of a list: a row of the queue or a `Signal`, and what the list says beside it."""

    signal: Any
    summary: Summary
    claimed_by: str | None
    overdue: bool


def listed(
    signals: Iterable[Any], summaries: Mapping[UUID, Summary], claimants: Mapping[UUID, str], on: date
) -> list[Listed]:
    """Return the items of a list; `on` is today in Amsterdam."""
    nothing = Summary()
    return [
        Listed(
            signal=signal,
            summary=summaries.get(signal.id, nothing),
            claimed_by=claimants.get(signal.claimed_by_id),
            overdue=is_overdue(signal, on),
        )
        for signal in signals
    ]


class OfSignal(Schema):
    """Serialise an object together with its signal; the object's own attributes come first."""

    def get_attribute(self, obj: Any, attr: str, default: Any) -> Any:
        found = super().get_attribute(obj, attr, missing)
        return super().get_attribute(obj.signal, attr, default) if found is missing else found


class _OfEntry(Schema):
    """Take everything but `by`, the name of the person, from the entry of a `Signed`."""

    def get_attribute(self, obj: Any, attr: str, default: Any) -> Any:
        return obj.by if attr == "by" else super().get_attribute(obj.entry, attr, default)


class MeSchema(Schema):
    """Show the person who is signed in; coordinators and administrators may have no organisation."""

    name = fields.String(required=True)
    role = Choice(Role, required=True)
    organisation = fields.Nested(OrganisationSchema, required=True, allow_none=True)


class SessionSchema(MeSchema):
    """Show a new session; the program sends the token as `Authorization: Bearer`."""

    token = fields.String(required=True)
    expires_at = Moment(required=True)


class QueueItemSchema(OfSignal):
    """Show a signal in a list, without address and note."""

    id = fields.UUID(required=True)
    reference = fields.String(required=True)
    state = Choice(SignalState, required=True)
    concern_types = fields.List(
        Choice(ConcernType),
        attribute="summary.concern_types",
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
        metadata={
            "description": "The day of the next contact, agreed or planned, while the signal is in follow-up"
        },
    )
    overdue = fields.Boolean(required=True, metadata={"description": "The next deadline has passed"})
    claimed_by = fields.String(required=True, allow_none=True)
    repeat = fields.Boolean(required=True)
    source = Choice(
        Source,
        attribute="summary.source",
        required=True,
        metadata={"description": "`carrier` where a token proved a profession that comes to doors"},
    )
    restricted_on = fields.Date(
        required=True,
        allow_none=True,
        metadata={"description": "Since when nobody may work on it: the resident asked so (art. 18 AVG)"},
    )
    version = fields.Integer(required=True)


class QueueSchema(Schema):
    """Show one page of the queue."""

    items = fields.List(fields.Nested(QueueItemSchema), required=True)
    next_cursor = Cursor(required=True, allow_none=True)


class FoundSchema(Schema):
    """Show what a search found, or when the signal of a reference was deleted or referred."""

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


class RecordedAttemptSchema(_OfEntry):
    """Show a contact attempt, and the person and moment of its record."""

    id = fields.UUID(required=True)
    kind = Choice(AttemptKind, required=True)
    result = Choice(AttemptResult, required=True)
    attempted_at = Moment(required=True)
    workers = fields.Integer(required=True)
    postponed_until = fields.Date(required=True, allow_none=True)
    recorded_by = fields.String(attribute="by", required=True)
    recorded_at = Moment(required=True)


class StatusChangeSchema(_OfEntry):
    """Show one change of state; the arrival has no moment and no person."""

    action = Choice(Action, required=True)
    before = Choice(SignalState, required=True, allow_none=True)
    after = Choice(SignalState, required=True)
    on = fields.Date(required=True)
    at = Moment(required=True, allow_none=True)
    by = fields.String(required=True, allow_none=True)
    reason = fields.String(required=True, allow_none=True)
    day = fields.Date(
        required=True,
        allow_none=True,
        metadata={"description": "With `notify`: when the resident was told; null with a reason to wait"},
    )


class EarlierSchema(Schema):
    """Show another signal of the same address or house; a purge leaves only the last three fields."""

    id = fields.UUID(attribute="signal_id", required=True, allow_none=True)
    reference = fields.String(required=True, allow_none=True)
    state = Choice(SignalState, required=True, allow_none=True)
    received_on = fields.Date(required=True)
    outcome_group = fields.String(required=True, allow_none=True)
    same_address = fields.Boolean(required=True)


class NoticeStateSchema(Schema):
    """Show whether the resident was notified (art. 14 AVG); neither field is set while nobody did."""

    notified_on = fields.Date(required=True, allow_none=True)
    deferred_because = Choice(DeferralReason, required=True, allow_none=True)


class WmoStateSchema(Schema):
    """Show whether somebody made a Wmo notification."""

    wmo_notified_on = fields.Date(required=True, allow_none=True)


class WrittenNoteSchema(_OfEntry):
    """Show a note without its text, which is in the opened signal."""

    id = fields.UUID(required=True)
    written_by = fields.String(attribute="by", required=True)
    written_at = Moment(required=True)


class OpenedNoteSchema(WrittenNoteSchema):
    """Show a worker's note in the clear."""

    text = fields.String(required=True)


class SuggestionSchema(Schema):
    """Show what to try next, and the figures (percent reached) that say why."""

    kind = Choice(AttemptKind, required=True)
    part_of_day = Choice(PartOfDay, required=True, allow_none=True)
    reason_code = fields.String(required=True)
    figures = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    source = fields.String(
        required=True,
        metadata={
            "description": "`divosa_2023`: about signals of debts. A period: this scheme's released figures, "
            "with the share (`value`, `low`, `high`) of attempts at this place (`attempt`) with contact"
        },
    )
    figures_of = Choice(
        AttemptKind,
        required=True,
        allow_none=True,
        metadata={"description": "The kind that own figures are about; null: all kinds"},
    )


class PlaceSchema(Schema):
    """Name the place of an address; a name that no imported file has is absent."""

    street = fields.String()
    town = fields.String()
    neighbourhood = fields.String()
    municipality = fields.Function(
        lambda place: display.municipality(place.municipality_code), metadata={"type": "string"}
    )

    @post_dump
    def leave_out(self, data: dict[str, str], **_kwargs: Any) -> dict[str, str]:
        return {name: value for name, value in data.items() if value}


class SignalSchema(QueueItemSchema):
    """Show a signal in the clear; reading it leaves an audit entry."""

    place = fields.Nested(PlaceSchema, required=True)
    address = fields.Nested(AddressSchema, attribute="report.address", required=True)
    address_doubts = fields.List(
        Choice(AddressDoubt),
        attribute="doubts",
        required=True,
        metadata={
            "description": "What to check of the address before somebody rings there; nothing is refused"
        },
    )
    profession = Choice(
        Profession,
        attribute="summary.profession",
        required=True,
        allow_none=True,
        metadata={"description": "As the issuer of the token stated it; null without proof"},
    )
    seen = Choice(Seen, attribute="summary.seen", required=True, allow_none=True)
    noticed_on = fields.Date(attribute="report.noticed_on", required=True, allow_none=True)
    note = fields.String(attribute="report.note", required=True, allow_none=True)
    contact_attempts = fields.List(fields.Nested(RecordedAttemptSchema), attribute="attempts", required=True)
    history = fields.List(fields.Nested(StatusChangeSchema), required=True)
    earlier = fields.List(fields.Nested(EarlierSchema), required=True)
    notice = fields.Nested(NoticeStateSchema, attribute="signal", required=True)
    notes = fields.List(fields.Nested(OpenedNoteSchema), required=True)
    suggestion = fields.Nested(SuggestionSchema, required=True, allow_none=True)
    outcome = Choice(Outcome, required=True, allow_none=True)
    referred_to = Choice(ReferredTo, required=True, allow_none=True)
    newly_known = fields.Boolean(required=True, allow_none=True)
    wmo_notified_on = fields.Date(required=True, allow_none=True)
    first_contact_at = Moment(required=True, allow_none=True)
    concluded_at = Moment(required=True, allow_none=True)


class StopSchema(OfSignal):
    """Show one address of a round."""

    id = fields.UUID(required=True)
    reference = fields.String(required=True)
    address = fields.Nested(AddressSchema, required=True)


class RoundAnswerSchema(Schema):
    """Show the addresses by postcode."""

    items = fields.List(fields.Nested(StopSchema), required=True)
