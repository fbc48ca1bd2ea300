"""A team's settings and absences over the API; never a signal."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from flask import Response

from signals.models import Organisation
from signals.organisations import team_settings
from signals.staff import absence
from signals.staff.absence import HOLDERS, Away
from signals.vocabulary import Role
from signals.web.http.openapi import API_BASE, StaffBlueprint, answers
from signals.web.http.preconditions import IF_MATCH, if_match
from signals.web.staff_kit.auth import requires
from signals.web.staff_kit.context import act
from signals.web.team import office, schemas

team_api = StaffBlueprint(
    "team_settings", __name__, url_prefix=API_BASE, description="A team's settings and who is away"
)

AUTHENTICATION = "bearer"

_ETAG: Final = {"ETag": {"description": "The settings' version", "schema": {"type": "string"}}}

Versioned = tuple[Organisation, dict[str, str]]


@team_api.get("/organisations/<uuid:organisation_id>/settings")
@requires(Role.LEAD, Role.ADMINISTRATOR)
@team_api.response(200, schemas.SettingsSchema, headers=_ETAG)
@answers(404)
def settings(organisation_id: UUID) -> Versioned:
    """Show a team's settings to its lead or to an administrator."""
    return _versioned(office.settings_of(organisation_id))


@team_api.route("/organisations/<uuid:organisation_id>/settings", methods=["PATCH"])
@team_api.doc(parameters=[IF_MATCH])
@requires(Role.LEAD, Role.ADMINISTRATOR)
@team_api.arguments(schemas.ChangeSettingsSchema)
@team_api.response(200, schemas.SettingsSchema, headers=_ETAG)
@answers(404, 412, 413, 415)
def change_settings(changes: Mapping[str, Any], organisation_id: UUID) -> Versioned:
    """Change settings of the own team, with an audit entry; existing signals keep their dates."""
    return _versioned(office.change_settings(organisation_id, changes, if_match()))


@team_api.post("/organisations/<uuid:organisation_id>/settings/ask-again")
@requires(Role.LEAD, Role.ADMINISTRATOR)
@team_api.arguments(schemas.AskAgainSchema)
@team_api.response(202, schemas.SettingsSchema, headers=_ETAG)
@answers(404, 413, 415)
def ask_again(wanted: Mapping[str, str], organisation_id: UUID) -> Versioned:
    """Send an unconfirmed recipient or deputy a new link within a minute; earlier links end."""
    act(team_settings.ask_again, organisation_id=organisation_id, address=wanted["address"])
    return _versioned(office.settings_of(organisation_id))


@team_api.get("/team/colleagues")
@requires(*HOLDERS)
@team_api.response(200, schemas.ColleaguesSchema)
def colleagues() -> dict[str, Any]:
    """List who of the own team may have signals and can stand in."""
    return {"items": [{"id": who, "name": name} for who, name in office.colleagues()]}


@team_api.get("/team/absences")
@requires(*HOLDERS)
@team_api.response(200, schemas.AbsencesSchema)
def absences() -> dict[str, list[Away]]:
    """List the absences of the own team, today or later, and who stands in."""
    return {"items": office.absences()}


@team_api.post("/team/absences")
@requires(*HOLDERS)
@team_api.arguments(schemas.NewAbsenceSchema)
@team_api.response(201, schemas.AbsenceSchema)
@answers(404, 413, 415)
def add_absence(values: Mapping[str, Any]) -> Away:
    """Add an own absence, or as lead one of anybody of the team. The deputy may then do the same."""
    return office.add_absence(**values)


@team_api.delete("/team/absences/<uuid:absence_id>")
@requires(*HOLDERS)
@team_api.response(204)
@answers(404)
def remove_absence(absence_id: UUID) -> Response:
    """Remove an own absence, or as lead any of the team."""
    act(absence.remove_absence, absence_id)
    return Response(status=204)


def _versioned(found: Organisation) -> Versioned:
    return found, {"ETag": f'"{found.settings_version}"'}
