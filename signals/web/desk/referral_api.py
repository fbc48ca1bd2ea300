"""Serve the referral of a signal to programs."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from marshmallow import Schema, fields, validate

from signals.casework.access import FOLLOW_UP_ROLES
from signals.vocabulary import ReferralReason
from signals.web.http.fields import Strict
from signals.web.http.openapi import API_BASE, StaffBlueprint, answers
from signals.web.http.preconditions import IF_MATCH, if_match
from signals.web.staff_kit.auth import requires
from signals.web.staff_kit.referring import MAX_REASON, Handover, hand_over, split_reason
from signals.web.staff_kit.schemas import OrganisationSchema, something

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

    id = fields.UUID(attribute="signal_id", required=True)
    reference = fields.String(required=True)
    state = fields.String(required=True, validate=validate.Equal("referred"))
    referred_on = fields.Date(required=True)
    organisation = fields.Nested(OrganisationSchema, attribute="receiver", required=True)


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
        signal_id,
        receiver_id=wanted["organisation_id"],
        reason=reason,
        text=text,
        expected_version=version,
    )
