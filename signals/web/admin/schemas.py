"""The bodies and parameters of administration."""

import re
from typing import Any, Final

from marshmallow import Schema, ValidationError, fields, post_dump, post_load, pre_load, validate

from signals.clock import today
from signals.models import Organisation
from signals.organisations.onboarding import receives
from signals.organisations.recipients import MOST_RECIPIENTS
from signals.routing.coverage_problems import ProblemKind
from signals.routing.receivers import missing_before_receiving
from signals.routing.rows import CoverageLevel
from signals.vocabulary import OrganisationKind
from signals.web.http.fields import Choice, Strict, StrictDate
from signals.web.staff_kit.context import desk
from signals.web.staff_kit.schemas import OrganisationSchema, something

MAX_BASIS: Final = 2000
_HOUSE_NUMBER: Final = validate.Range(min=1, max=99999)


class YesNo(fields.String):
    """`true` or `false` in a query string, as a truth value."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if value not in ("true", "false"):
            raise ValidationError("not_a_choice")
        return value == "true"


class OrganisationsQuery(Strict):
    """The organisations to list."""

    receiving = YesNo(
        load_default=False,
        metadata={
            "description": "`true`: only those to which a signal can be referred now",
            "example": "true",
        },
    )
    search = fields.String(
        load_default="", validate=validate.Length(max=80), metadata={"description": "A part of the name"}
    )


class NewRecipientSchema(Strict):
    """A recipient of messages about signals; counts once its reader has pressed the link."""

    address = fields.String(required=True, validate=something(254))

    @pre_load
    def refuse_a_word(self, data: Any, **_kwargs: Any) -> Any:
        """Refuse a day of verification: the system writes it, when the link is pressed."""
        if isinstance(data, dict) and "verified_on" in data:
            raise ValidationError({"verified_on": ["proved_by_link"]})
        return data


class NewOrganisationSchema(Strict):
    """A new organisation; it receives nothing yet."""

    name = fields.String(required=True, validate=validate.Length(min=1, max=120, error="out_of_range"))
    kind = Choice(OrganisationKind, required=True)
    contact_phone = fields.String(load_default="", validate=validate.Length(max=40))
    contact_email = fields.String(load_default="", validate=validate.Length(max=254))


class ChangeOrganisationSchema(Strict):
    """The fields to change. Agreement, both bases and two recipients make an organisation receive."""

    name = fields.String(validate=validate.Length(min=1, max=120, error="out_of_range"))
    agreement_on = StrictDate(allow_none=True, metadata={"description": "Date of the art. 28 AVG agreement"})
    legal_basis = fields.String(
        allow_none=True,
        validate=validate.Length(max=MAX_BASIS),
        metadata={"description": "The ground of art. 6 AVG"},
    )
    retention_basis = fields.String(
        allow_none=True,
        validate=validate.Length(max=MAX_BASIS),
        metadata={"description": "The ground of the retention periods (Archiefwet, selection list)"},
    )
    suspended_from = StrictDate(allow_none=True)
    contact_phone = fields.String(validate=validate.Length(max=40))
    contact_email = fields.String(validate=validate.Length(max=254))
    recipients = fields.List(
        fields.Nested(NewRecipientSchema),
        validate=validate.Length(max=MOST_RECIPIENTS, error="too_many"),
        metadata={"description": "All of them, in order"},
    )

    @post_load
    def something(self, data: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        if not data:
            raise ValidationError("nothing_to_change")
        return data


class CoverageQuery(Strict):
    """The organisation; all organisations without it."""

    organisation = fields.UUID(load_default=None)


def _is_area_code(text: str) -> None:
    """Check the pattern of the description, whose `$` is no line end in Python."""
    if not re.fullmatch("[A-Z0-9]{2,6}", text):
        raise ValidationError("invalid_value")


class AreaSchema(Strict):
    """An area that an organisation covers from a date until a date, the latter excluded."""

    organisation_id = fields.UUID(required=True)
    level = Choice(CoverageLevel, required=True)
    area = fields.String(
        required=True,
        validate=_is_area_code,
        metadata={
            "pattern": "^[A-Z0-9]{2,6}$",
            "description": "`1012AB`, `1012`, `GM0363`, `GG3406` or `NL`, by level",
            "example": "GM0363",
        },
    )
    number_from = fields.Integer(load_default=None, strict=True, validate=_HOUSE_NUMBER)
    number_to = fields.Integer(load_default=None, strict=True, validate=_HOUSE_NUMBER)
    valid_from = StrictDate(required=True)
    valid_until = StrictDate(load_default=None, allow_none=True)


class EndAreaSchema(Strict):
    """The end of a coverage (excluded)."""

    valid_until = StrictDate(required=True)


class CheckQuery(Strict):
    """The day; today without it."""

    on = StrictDate(load_default=None)


# Answers


class RecipientSchema(Schema):
    """A recipient, and the day on which its reader pressed the link; null: it does not count yet."""

    address = fields.String(required=True)
    verified_on = fields.Date(required=True, allow_none=True)


class ListedOrganisationSchema(OrganisationSchema):
    """An organisation; all but id, name and kind for administrators only."""

    kind = Choice(OrganisationKind, required=True)
    receives = fields.Boolean(metadata={"description": "Onboarded and not suspended today"})
    missing = fields.List(
        fields.String(),
        metadata={"description": "What it lacks before it receives", "example": ["recipients"]},
    )
    is_example = fields.Boolean()
    agreement_on = fields.Date(allow_none=True)
    legal_basis = fields.String(allow_none=True)
    retention_basis = fields.String(allow_none=True)
    suspended_from = fields.Date(allow_none=True)
    contact_phone = fields.String()
    contact_email = fields.String()
    recipients = fields.List(fields.Nested(RecipientSchema))

    @post_dump(pass_original=True)
    def add_standing(self, data: dict[str, Any], found: Any, **_kwargs: Any) -> dict[str, Any]:
        """Add whether an organisation receives today, and what it lacks."""
        if isinstance(found, Organisation):
            data["receives"] = receives(found, today(desk().clock))
            data["missing"] = missing_before_receiving(found)
        return data


class OrganisationsSchema(Schema):
    """Organisations by name."""

    items = fields.List(fields.Nested(ListedOrganisationSchema), required=True)


class AskedAreaSchema(Schema):
    """An area that an organisation wants to cover."""

    level = Choice(CoverageLevel, required=True)
    area = fields.String(required=True)
    number_from = fields.Integer(required=True, allow_none=True)
    number_to = fields.Integer(required=True, allow_none=True)
    valid_from = fields.Date(required=True)
    valid_until = fields.Date(required=True, allow_none=True)


class AreaAnswerSchema(AskedAreaSchema):
    """An area that is covered."""

    id = fields.UUID(required=True)
    organisation = fields.Nested(OrganisationSchema, required=True)


class CoverageSchema(Schema):
    """Coverage by level, area and date."""

    items = fields.List(fields.Nested(AreaAnswerSchema), required=True)


class CoverageProblemSchema(Schema):
    """A problem of coverage: a gap, an overlap, an obsolete row, or a municipality routed elsewhere."""

    kind = Choice(ProblemKind, required=True)
    area = fields.String(required=True)
    name = fields.String(required=True)
    organisations = fields.List(fields.Nested(OrganisationSchema), required=True)
    pc4_count = fields.Integer(required=True)
    pc4_total = fields.Integer(required=True)


class ReceiversSchema(Schema):
    """The receivers of areas on the day before and on the day of the change."""

    areas = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "`1231-1244`, `1394`, `1231AB` or `1231AB 1-99`"},
    )
    before = fields.Nested(OrganisationSchema, required=True)
    after = fields.Nested(OrganisationSchema, required=True)


class MoveSchema(Schema):
    """A municipality that ends, its successor, and the four-digit postcodes that move."""

    old_code = fields.String(required=True)
    old_name = fields.String(required=True)
    new_code = fields.String(required=True)
    new_name = fields.String(required=True)
    pc4_runs = fields.List(fields.List(fields.Integer()), required=True)
    handovers = fields.List(fields.Nested(ReceiversSchema), required=True)


class UpcomingSchema(Schema):
    """The next boundary change; `outliving`: rows that continue after their municipality ends."""

    effective_date = fields.Date(required=True)
    moves = fields.List(fields.Nested(MoveSchema), required=True)
    outliving = fields.List(fields.Nested(CoverageProblemSchema), required=True)


class CheckSchema(Schema):
    """The problems of coverage on a day, and the next boundary change after it."""

    on = fields.Date(required=True)
    problems = fields.List(fields.Nested(CoverageProblemSchema), required=True)
    next_change = fields.Nested(UpcomingSchema, required=True, allow_none=True)
