"""Delivery over the API: health of each organisation and channel, dead letters, answered drills."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from marshmallow import Schema, fields, validate

from notifications.dead_letters import GONE, SAME, Wish
from notifications.figures import ChannelHealth
from notifications.models import PostedLetter
from signals.notices.going_live import ChannelProof
from signals.vocabulary import Role
from signals.web.admin import channels
from signals.web.admin.channels import LEAST, Delivery
from signals.web.http.fields import Choice, CodeList, Strict
from signals.web.http.openapi import API_BASE, StaffBlueprint, answers
from signals.web.staff_kit.auth import requires
from signals.web.staff_kit.schemas import Moment, OrganisationSchema

channel_api = StaffBlueprint(
    "delivery", __name__, url_prefix=API_BASE, description="How messages are delivered, and dead letters"
)

AUTHENTICATION = "bearer"


_STANDING: Final = CodeList(
    name="AddressStanding",
    text="`same`: it is still a confirmed address of its recipient; `gone`: it is not, so that this message "
    "cannot be sent again",
    codes=(SAME, GONE),
)


class StateSchema(Schema):
    """A channel in the worker that wrote last."""

    channel = fields.String(required=True)
    is_on = fields.Boolean(required=True)
    missing = fields.List(fields.String(), required=True)
    failures_in_a_row = fields.Integer(attribute="failures", required=True)
    last_problem = fields.String(attribute="problem", required=True, allow_none=True)
    paused_until = Moment(required=True, allow_none=True)
    seen_at = Moment(required=True)


class HealthSchema(Schema):
    """One organisation and one channel."""

    organisation = fields.Nested(OrganisationSchema, required=True, allow_none=True)
    channel = fields.String(required=True)
    works = fields.Boolean(required=True)
    last_delivered_at = Moment(required=True, allow_none=True)
    last_problem = fields.String(required=True, allow_none=True)
    waiting = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": f"Due and not sent; null for a number from 1 to {LEAST - 1}"},
    )
    waiting_since = Moment(required=True, allow_none=True)
    dead_letters = fields.Integer(attribute="dead", required=True)


class ProofSchema(Schema):
    """The last answered drill of a team."""

    organisation = fields.Nested(OrganisationSchema, required=True)
    proved_on = fields.Date(required=True, allow_none=True)
    drill_sent_on = fields.Date(attribute="sent_on", required=True, allow_none=True)
    waits = fields.Boolean(required=True)
    missed = fields.Integer(required=True)
    suspended = fields.Boolean(required=True)


class DeliverySchema(Schema):
    """The state of delivery."""

    channels = fields.List(fields.Nested(StateSchema), required=True)
    health = fields.List(fields.Nested(HealthSchema), required=True)
    proofs = fields.List(fields.Nested(ProofSchema), required=True)


class LetterSchema(Schema):
    """A message that was given up, without recipient and content."""

    id = fields.UUID(attribute="message_id", required=True)
    organisation = fields.Nested(OrganisationSchema, required=True, allow_none=True)
    event = fields.String(required=True)
    channel = fields.String(required=True)
    tries = fields.Integer(required=True)
    problem = fields.String(required=True, allow_none=True)
    given_up_at = Moment(required=True, allow_none=True)
    expires_at = Moment(required=True, allow_none=True)
    chosen = fields.String(attribute="wanted", required=True, allow_none=True)
    address = Choice(_STANDING, attribute="standing", required=True)


class LettersSchema(Schema):
    """Dead letters, the newest first."""

    items = fields.List(fields.Nested(LetterSchema), required=True)


class CauseSchema(Strict):
    """A class of failure, as in dead letters."""

    problem = fields.String(required=True, validate=validate.Length(max=40))


class CauseChosenSchema(Schema):
    """The number of messages that a worker sends again within a minute."""

    chosen = fields.String(required=True)
    number = fields.Integer(required=True)


class ChosenSchema(Schema):
    """The action that a worker takes within a minute."""

    id = fields.UUID(required=True)
    chosen = fields.String(required=True)


@channel_api.get("/delivery")
@requires(Role.ADMINISTRATOR)
@channel_api.response(200, DeliverySchema)
def delivery() -> Mapping[str, Any]:
    """Return channels, the health of each organisation and channel, and each team's last answered drill."""
    found = channels.delivery()
    return {
        "channels": [{**vars(state), "missing": state.missing.split()} for state in found.channels],
        "health": [_named(found, one, works=one.works, waiting=_shown(one.waiting)) for one in found.health],
        "proofs": [_named(found, proof) for proof in found.proofs],
    }


@channel_api.get("/delivery/dead-letters")
@requires(Role.ADMINISTRATOR)
@channel_api.response(200, LettersSchema)
def letters() -> Mapping[str, Any]:
    """List the messages that were given up, without recipient and content."""
    found = channels.delivery()
    return {"items": [_named(found, letter) for letter in found.letters]}


@channel_api.post("/delivery/dead-letters/<uuid:message_id>/again")
@requires(Role.ADMINISTRATOR)
@channel_api.response(202, ChosenSchema)
@answers(400, 404, 409)
def again(message_id: UUID) -> Mapping[str, Any]:
    """Send a dead letter again, as if it were new; too late it expires."""
    return _chosen(message_id, Wish.AGAIN)


@channel_api.post("/delivery/dead-letters/again")
@requires(Role.ADMINISTRATOR)
@channel_api.arguments(CauseSchema)
@channel_api.response(202, CauseChosenSchema)
@answers(413, 415)
def cause_again(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Send the dead letters of one cause again, if they can be sent and have no choice yet."""
    return {"chosen": Wish.AGAIN, "number": channels.choose_cause(values["problem"])}


@channel_api.post("/delivery/dead-letters/<uuid:message_id>/drop")
@requires(Role.ADMINISTRATOR)
@channel_api.response(202, ChosenSchema)
@answers(400, 404, 409)
def drop(message_id: UUID) -> Mapping[str, Any]:
    """Give a dead letter up for good."""
    return _chosen(message_id, Wish.DROP)


def _named(found: Delivery, row: ChannelHealth | ChannelProof | PostedLetter, **more: Any) -> dict[str, Any]:
    """Return the columns of a row, with its organisation."""
    own = row.organisation_id
    organisation = {"id": own, "name": found.names.get(own, "")} if own else None
    return {**vars(row), "organisation": organisation, **more}


def _shown(waiting: int) -> int | None:
    return waiting if waiting == 0 or waiting >= LEAST else None


def _chosen(message_id: UUID, wish: Wish) -> Mapping[str, Any]:
    channels.choose(message_id, wish)
    return {"id": message_id, "chosen": wish}
