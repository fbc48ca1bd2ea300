"""The bodies and answers for a team's settings and absences."""

from typing import Any, Final

from marshmallow import Schema, ValidationError, fields, post_dump, post_load, pre_dump, validate

from signals.organisations.addressing import EMAIL, SMS
from signals.organisations.recipients import MOST_RECIPIENTS
from signals.organisations.team_settings import BOUNDS, RecipientWish
from signals.staff.absence import Away
from signals.web.http.fields import Choice, CodeList, Strict, StrictDate
from signals.web.staff_kit.schemas import STAFF_LANGUAGE

_CHANNEL: Final = CodeList(
    name="RecipientChannel", text="The way in which a recipient is notified", codes=(EMAIL, SMS)
)
_SHORT: Final = validate.Length(max=254)


def _number(name: str, *, empty: bool = False) -> fields.Integer:
    """Return a field for a number within `BOUNDS`; the domain refuses other numbers."""
    least, most = BOUNDS[name]
    return fields.Integer(strict=True, allow_none=empty, metadata={"minimum": least, "maximum": most})


class RecipientWishSchema(Strict):
    """A recipient and the channel. A new address or phone counts once its owner has confirmed it."""

    address = fields.String(required=True, validate=_SHORT)
    channel = Choice(_CHANNEL, load_default=EMAIL)
    phone = fields.String(
        load_default=None,
        allow_none=True,
        validate=validate.Length(max=40),
        metadata={"example": "+31612345678"},
    )

    @post_load
    def make(self, data: dict[str, Any], **_kwargs: Any) -> RecipientWish:
        return RecipientWish(**data)


class ChangeSettingsSchema(Strict):
    """The settings to change; the others stay. Existing signals keep their dates."""

    claim_working_days = _number("claim_working_days")
    contact_working_days = _number("contact_working_days")
    conclude_calendar_days = _number("conclude_calendar_days")
    minimum_attempts = _number("minimum_attempts")
    retry_working_days = fields.String(metadata={"example": "2,4,7"})
    escalation_working_days = _number("escalation_working_days")
    opens_at = _number("opens_at")
    quiet_from = _number("quiet_from", empty=True)
    quiet_until = _number("quiet_until", empty=True)
    digest_at = _number("digest_at", empty=True)
    working_days = fields.List(
        fields.Integer(strict=True, validate=validate.Range(min=1, max=7, error="not_weekdays")),
        allow_none=True,
        validate=validate.Length(min=1, max=7, error="not_weekdays"),
    )
    deputy_email = fields.String(allow_none=True, validate=_SHORT)
    language = Choice(STAFF_LANGUAGE)
    contact_phone = fields.String(validate=validate.Length(max=40))
    contact_email = fields.String(validate=_SHORT)
    recipients = fields.List(
        fields.Nested(RecipientWishSchema), validate=validate.Length(max=MOST_RECIPIENTS, error="too_many")
    )

    @post_load
    def something(self, data: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        if not data:
            raise ValidationError("nothing_to_change")
        if data.get("working_days") is not None:
            data["working_days"] = "".join(map(str, data["working_days"]))
        return data


class AskAgainSchema(Strict):
    """The recipient or deputy that gets a new link."""

    address = fields.String(required=True, validate=_SHORT)


class NewAbsenceSchema(Strict):
    """An absence, both days included; without `staff_id` it is the caller's own."""

    away_from = StrictDate(required=True)
    away_until = StrictDate(required=True)
    cover_id = fields.UUID(
        load_default=None, allow_none=True, metadata={"description": "Who stands in; `GET /team/colleagues`"}
    )
    staff_id = fields.UUID(
        load_default=None, allow_none=True, metadata={"description": "Somebody else, for leads only"}
    )


# Answers


class RecipientSettingsSchema(Schema):
    """A recipient, and the days on which address and phone were confirmed."""

    address = fields.String(required=True)
    channel = Choice(_CHANNEL, required=True)
    phone = fields.String(required=True, allow_none=True)
    verified_on = fields.Date(required=True, allow_none=True)
    phone_verified_on = fields.Date(required=True, allow_none=True)

    @post_dump
    def with_channel(self, data: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        return {**data, "channel": data["channel"] or EMAIL}


class SettingsSchema(Schema):
    """The settings of a team."""

    version = fields.Integer(required=True, attribute="settings_version")
    claim_working_days = fields.Integer(required=True)
    contact_working_days = fields.Integer(required=True)
    conclude_calendar_days = fields.Integer(required=True)
    minimum_attempts = fields.Integer(required=True)
    retry_working_days = fields.String(required=True)
    escalation_working_days = fields.Integer(required=True)
    opens_at = fields.Integer(required=True)
    quiet_from = fields.Integer(required=True, allow_none=True)
    quiet_until = fields.Integer(required=True, allow_none=True)
    digest_at = fields.Integer(required=True, allow_none=True)
    working_days = fields.List(fields.Integer(), required=True, allow_none=True)
    deputy_email = fields.String(required=True, allow_none=True)
    deputy_verified_on = fields.Date(
        required=True,
        allow_none=True,
        metadata={
            "description": "Since when the deputy's address is confirmed; null: the deputy is passed over"
        },
    )
    language = Choice(STAFF_LANGUAGE, required=True)
    contact_phone = fields.String(required=True)
    contact_email = fields.String(required=True)
    recipients = fields.List(fields.Nested(RecipientSettingsSchema), required=True)

    @post_dump
    def every_day(self, data: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        return {**data, "working_days": data["working_days"] or None}


class ColleagueSchema(Schema):
    """A member of the own team who may have signals."""

    id = fields.UUID(required=True)
    name = fields.String(required=True)


class ColleaguesSchema(Schema):
    """The members of the own team, by name."""

    items = fields.List(fields.Nested(ColleagueSchema), required=True)


class AbsenceSchema(Schema):
    """An absence; `cover` is null without a deputy, or when the deputy is away or shut out."""

    id = fields.UUID(required=True)
    staff = fields.Nested(ColleagueSchema, required=True)
    away_from = fields.Date(required=True)
    away_until = fields.Date(required=True)
    cover = fields.Nested(ColleagueSchema, required=True, allow_none=True)

    @pre_dump
    def with_people(self, away: Away, **_kwargs: Any) -> dict[str, Any]:
        staff = {"id": away.staff_id, "name": away.name}
        cover = {"id": away.cover_id, "name": away.cover} if away.cover_id else None
        return {**vars(away), "staff": staff, "cover": cover}


class AbsencesSchema(Schema):
    """Absences of the own team, today or later."""

    items = fields.List(fields.Nested(AbsenceSchema), required=True)
