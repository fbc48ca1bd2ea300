"""Serve the referral of a signal to programs."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from marshmallow import Schema, fields, validate

from signals.casework.access import FOLLOW_UP_ROLES
from signals.casework.taking_back import Handover
from signals.models import Signal
from signals.vocabulary import ReferralReason, SignalState
from signals.web.http.fields import Choice, Strict
from signals.web.http.openapi import API_BASE, StaffBlueprint, answers
from signals.web.http.preconditions import IF_MATCH, if_match
from signals.web.staff_kit.auth import requires
from signals.web.staff_kit.opened import open_signal
from signals.web.staff_kit.referring import (
    MAX_REASON,
    hand_over,
    receivers_of,
    split_reason,
    take_signal_back,
    wanted_of,
)
from signals.web.staff_kit.schemas import Moment, OrganisationSchema, something

referral_api = StaffBlueprint(
    "referral", __name__, url_prefix=API_BASE, description="Handing a signal over to another organisation"
)

AUTHENTICATION = "bearer"

_CODES: Final = ", ".join(f"`{code.value}`" for code in ReferralReason)


class ReferSchema(Strict):
    """Name the receiver and the reason."""

    organisation_id = fields.UUID(required=True)
    reason = fields.String(
        required=True,
        validate=something(MAX_REASON),
        metadata={
            "description": f"{_CODES}, or in words: sealed as a note for the receiver, with `other` kept",
            "example": ReferralReason.OUTSIDE_AREA.value,
        },
    )


class ReferredSchema(Schema):
    """Show everything that the sender may still see."""

    id = fields.UUID(attribute="referral.signal_id", required=True)
    reference = fields.String(attribute="referral.reference", required=True)
    state = fields.Constant("referred", required=True)
    referred_on = fields.Date(attribute="referral.referred_on", required=True)
    organisation = fields.Nested(OrganisationSchema, attribute="receiver", required=True)
    take_back_until = Moment(
        attribute="until",
        required=True,
        allow_none=True,
        metadata={"description": "Until then, and until the receiver opens it, `/take-back` returns it"},
    )


class TakenBackSchema(Schema):
    """Show a signal that its sender has again."""

    id = fields.UUID(required=True)
    state = Choice(SignalState, required=True)
    version = fields.Integer(required=True)


class HandoverReceiversQuery(Strict):
    """Narrow the receivers by a part of a name or of a place; empty gives those that belong."""

    search = fields.String(load_default="", validate=validate.Length(max=80))


class HandoverReceiverSchema(OrganisationSchema):
    """Show an organisation to which the signal can go."""

    id = fields.UUID(attribute="organisation.id", required=True)
    name = fields.String(attribute="organisation.name", required=True)
    areas = fields.List(fields.String(), required=True, metadata={"description": "Codes of what it covers"})
    belongs = fields.Boolean(
        required=True, metadata={"description": "Routing gives it the address, or it is the region's GGD"}
    )
    outside_region = fields.Boolean(
        attribute="outside", required=True, metadata={"description": "It covers nothing in the GGD region"}
    )


class HandoverReceiversSchema(Schema):
    """List receivers."""

    items = fields.List(fields.Nested(HandoverReceiverSchema), required=True)


@referral_api.get("/signals/<uuid:signal_id>/receivers")
@requires(*FOLLOW_UP_ROLES)
@referral_api.arguments(HandoverReceiversQuery, location="query", unknown="raise")
@referral_api.response(200, HandoverReceiversSchema)
@answers(404, 410)
def receivers(wanted: Mapping[str, Any], signal_id: UUID) -> Mapping[str, Any]:
    """List the organisations to which a signal can go; this opens the signal for its address."""
    _, found = receivers_of(open_signal(signal_id))
    return {"items": wanted_of(found, wanted["search"])}


@referral_api.post("/signals/<uuid:signal_id>/refer")
@referral_api.doc(parameters=[IF_MATCH])
@requires(*FOLLOW_UP_ROLES)
@referral_api.arguments(ReferSchema)
@referral_api.response(200, ReferredSchema)
@answers(404, 409, 410, 412, 413, 415)
def refer(wanted: Mapping[str, Any], signal_id: UUID) -> Handover:
    """Hand a signal over: it is sealed anew for the receiver, and the sender loses it."""
    version = if_match()
    reason, text = split_reason(wanted["reason"])
    return hand_over(
        signal_id, receiver_id=wanted["organisation_id"], reason=reason, text=text, expected_version=version
    )


@referral_api.post("/signals/<uuid:signal_id>/take-back")
@requires(*FOLLOW_UP_ROLES)
@referral_api.response(200, TakenBackSchema)
@answers(400, 404, 409, 410)
def take_back(signal_id: UUID) -> Signal:
    """Take a handover back within the hour, if nobody of the receiver opened the signal."""
    return take_signal_back(signal_id)
