"""The day's limit of reports over the API: days that are nearly full, and a raise for the day."""

from typing import Any
from uuid import UUID

from marshmallow import Schema, fields, pre_dump, validate

from signals.models.area_day import MOST_RAISES
from signals.notices.limit_notices import FullDay
from signals.vocabulary import Role
from signals.web.http.openapi import API_BASE, StaffBlueprint, answers
from signals.web.http.preconditions import IF_MATCH, if_match
from signals.web.staff_kit import limits
from signals.web.staff_kit.auth import requires
from signals.web.staff_kit.schemas import OrganisationSchema

limit_api = StaffBlueprint(
    "limits", __name__, url_prefix=API_BASE, description="The day's limit of reports for an organisation"
)

AUTHENTICATION = "bearer"


class FullDaySchema(Schema):
    """A day on which the limit came near."""

    id = fields.UUID(required=True)
    organisation = fields.Nested(OrganisationSchema, required=True)
    day = fields.Date(required=True)
    notified_percent = fields.Integer(
        required=True,
        data_key="told_percent",
        metadata={
            "minimum": 0,
            "maximum": 100,
            "description": "How full it was when people were notified; 0 after a raise",
        },
    )
    limit = fields.Integer(required=True, metadata={"description": "Reports that are taken in on that day"})
    next_limit = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "What a raise would make of it; null when it cannot be raised any more"},
    )
    version = fields.Integer(
        required=True,
        validate=validate.Range(min=0, max=MOST_RAISES),
        metadata={"description": "How often it was raised; to be sent as If-Match"},
    )

    @pre_dump
    def of_day(self, day: FullDay, **_kwargs: Any) -> dict[str, Any]:
        organisation = {"id": day.organisation_id, "name": day.organisation}
        return {**vars(day), "organisation": organisation, "version": day.raises}


class FullDaysSchema(Schema):
    """The days of today that came near their limit."""

    items = fields.List(fields.Nested(FullDaySchema), required=True)


@limit_api.get("/limits")
@requires(Role.LEAD, Role.ADMINISTRATOR)
@limit_api.response(200, FullDaysSchema)
def full_days() -> dict[str, Any]:
    """List organisations near their limit of today: the own one, for an administrator all."""
    return {"items": limits.todays()}


@limit_api.post("/limits/<uuid:area_day_id>/raise")
@limit_api.doc(parameters=[IF_MATCH])
@requires(Role.LEAD, Role.ADMINISTRATOR)
@limit_api.response(200, FullDaySchema)
@answers(400, 404, 409, 412)
def raise_limit(area_day_id: UUID) -> FullDay:
    """Raise the limit by the setting, for today only; 409 for another day and after four raises."""
    return limits.lift(area_day_id, version=if_match())
