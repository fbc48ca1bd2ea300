"""Delivery over the API: health of each organisation and channel, dead letters without content, proofs."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from flask import Response
from marshmallow import Schema, fields, validate

from notifications.dead_letters import GONE, SAME, Wish
from notifications.figures import ChannelHealth
from notifications.models import ChannelState, PostedLetter
from signals.notices.drills import ChannelProof
from signals.vocabulary import Role
from signals.web.admin import channels
from signals.web.admin.channels import LEAST, Delivery
from signals.web.http.fields import Strict
from signals.web.http.openapi import API_BASE, StaffBlueprint, answers
from signals.web.staff_kit.answer import json_answer, moment
from signals.web.staff_kit.auth import requires
from signals.web.staff_kit.schemas import OrganisationSchema

channel_api = StaffBlueprint(
    "delivery", __name__, url_prefix=API_BASE, description="How messages are delivered, and dead letters"
)

AUTHENTICATION = "bearer"
"""What every view here asks for."""

_TOKEN: Final[list[dict[str, list[str]]]] = [{"token": []}]


class StateSchema(Schema):
    """A channel in the worker that wrote last."""

    channel = fields.String(required=True)
    is_on = fields.Boolean(required=True)
    missing = fields.List(fields.String(), required=True)
    failures_in_a_row = fields.Integer(required=True)
    last_problem = fields.String(required=True, allow_none=True)
    paused_until = fields.DateTime(required=True, allow_none=True)
    seen_at = fields.DateTime(required=True)


class HealthSchema(Schema):
    """One organisation and one channel."""

    organisation = fields.Nested(OrganisationSchema, required=True, allow_none=True)
    channel = fields.String(required=True)
    works = fields.Boolean(required=True)
    last_delivered_at = fields.DateTime(required=True, allow_none=True)
    last_problem = fields.String(required=True, allow_none=True)
    waiting = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": f"Due and not sent; null for a number from 1 to {LEAST - 1}"},
    )
    waiting_since = fields.DateTime(required=True, allow_none=True)
    dead_letters = fields.Integer(required=True)


class ProofSchema(Schema):
    """When a team last showed that it reads what it is sent."""

    organisation = fields.Nested(OrganisationSchema, required=True)
    proved_on = fields.Date(required=True, allow_none=True)
    drill_sent_on = fields.Date(required=True, allow_none=True)
    waits = fields.Boolean(required=True)
    missed = fields.Integer(required=True)
    suspended = fields.Boolean(required=True)


class DeliverySchema(Schema):
    """How delivery goes."""

    channels = fields.List(fields.Nested(StateSchema), required=True)
    health = fields.List(fields.Nested(HealthSchema), required=True)
    proofs = fields.List(fields.Nested(ProofSchema), required=True)


class LetterSchema(Schema):
    """A message that was given up, without recipient and content."""

    id = fields.UUID(required=True)
    organisation = fields.Nested(OrganisationSchema, required=True, allow_none=True)
    event = fields.String(required=True)
    channel = fields.String(required=True)
    tries = fields.Integer(required=True)
    problem = fields.String(required=True, allow_none=True)
    given_up_at = fields.DateTime(required=True, allow_none=True)
    expires_at = fields.DateTime(required=True, allow_none=True)
    chosen = fields.String(required=True, allow_none=True)
    address = fields.String(
        required=True,
        validate=validate.OneOf([SAME, GONE]),
        metadata={
            "description": "`same`: it is still a confirmed address of its recipient; `gone`: it is not, so"
            " that this message cannot be sent again"
        },
    )


class LettersSchema(Schema):
    """The newest first."""

    items = fields.List(fields.Nested(LetterSchema), required=True)


class CauseSchema(Strict):
    """A class of failure, as dead letters tell it."""

    problem = fields.String(required=True, validate=validate.Length(max=40))


class CauseChosenSchema(Schema):
    """How many a worker will send again within a minute; of each only what was put up by then."""

    chosen = fields.String(required=True)
    number = fields.Integer(required=True)


class ChosenSchema(Schema):
    """What a worker will do within a minute."""

    id = fields.UUID(required=True)
    chosen = fields.String(required=True)


@channel_api.get("/delivery")
@channel_api.doc(security=_TOKEN)
@requires(Role.ADMINISTRATOR)
@channel_api.response(200, DeliverySchema)
def delivery() -> Response:
    """Channels, the health of each organisation and channel, and when each team proved that it reads."""
    found = channels.delivery()
    return json_answer(
        {
            "channels": [_state(state) for state in found.channels],
            "health": [_health(health, found) for health in found.health],
            "proofs": [_proof(proof) for proof in found.proofs],
        }
    )


@channel_api.get("/delivery/dead-letters")
@channel_api.doc(security=_TOKEN)
@requires(Role.ADMINISTRATOR)
@channel_api.response(200, LettersSchema)
def letters() -> Response:
    """Messages that were given up, without recipient and content."""
    found = channels.delivery()
    return json_answer({"items": [_letter(letter, found) for letter in found.letters]})


@channel_api.post("/delivery/dead-letters/<uuid:message_id>/again")
@channel_api.doc(security=_TOKEN)
@requires(Role.ADMINISTRATOR)
@channel_api.response(202, ChosenSchema)
@answers(400, 404, 409)
def again(message_id: UUID) -> Response:
    """Let it be sent again, as if it were new; too late it expires."""
    return _settled(message_id, Wish.AGAIN)


@channel_api.post("/delivery/dead-letters/again")
@channel_api.doc(security=_TOKEN)
@requires(Role.ADMINISTRATOR)
@channel_api.arguments(CauseSchema)
@channel_api.response(202, CauseChosenSchema)
@answers(413, 415)
def cause_again(values: Mapping[str, Any]) -> Response:
    """Let all that one cause stopped be sent again, as far as it can be and nobody chose otherwise."""
    number = channels.settle_cause(values["problem"])
    return json_answer({"chosen": Wish.AGAIN.value, "number": number}, 202)


@channel_api.post("/delivery/dead-letters/<uuid:message_id>/drop")
@channel_api.doc(security=_TOKEN)
@requires(Role.ADMINISTRATOR)
@channel_api.response(202, ChosenSchema)
@answers(400, 404, 409)
def drop(message_id: UUID) -> Response:
    """Give it up for good."""
    return _settled(message_id, Wish.DROP)


def _settled(message_id: UUID, wish: Wish) -> Response:
    channels.settle(message_id, wish)
    return json_answer({"id": str(message_id), "chosen": wish.value}, 202)


def _state(state: ChannelState) -> dict[str, Any]:
    return {
        "channel": state.channel,
        "is_on": state.is_on,
        "missing": state.missing.split(),
        "failures_in_a_row": state.failures,
        "last_problem": state.problem,
        "paused_until": _at(state.paused_until),
        "seen_at": _at(state.seen_at),
    }


def _health(health: ChannelHealth, found: Delivery) -> dict[str, Any]:
    return {
        "organisation": _organisation(health.organisation_id, found),
        "channel": health.channel,
        "works": health.works,
        "last_delivered_at": _at(health.last_delivered_at),
        "last_problem": health.last_problem,
        "waiting": health.waiting if health.waiting == 0 or health.waiting >= LEAST else None,
        "waiting_since": _at(health.waiting_since),
        "dead_letters": health.dead,
    }


def _proof(proof: ChannelProof) -> dict[str, Any]:
    return {
        "organisation": {"id": str(proof.organisation_id), "name": proof.name},
        "proved_on": proof.proved_on.isoformat() if proof.proved_on else None,
        "drill_sent_on": proof.sent_on.isoformat() if proof.sent_on else None,
        "waits": proof.waits,
        "missed": proof.missed,
        "suspended": proof.suspended,
    }


def _letter(letter: PostedLetter, found: Delivery) -> dict[str, Any]:
    return {
        "id": str(letter.message_id),
        "organisation": _organisation(letter.organisation_id, found),
        "event": letter.event,
        "channel": letter.channel,
        "tries": letter.tries,
        "problem": letter.problem,
        "given_up_at": _at(letter.given_up_at),
        "expires_at": _at(letter.expires_at),
        "chosen": letter.wanted,
        "address": letter.standing,
    }


def _organisation(organisation_id: UUID | None, found: Delivery) -> dict[str, str] | None:
    if organisation_id is None:
        return None
    return {"id": str(organisation_id), "name": found.names.get(organisation_id, "")}


def _at(at: datetime | None) -> str | None:
    return moment(at) if at is not None else None
