"""A team's own settings and absences, for programs; never a signal."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final
from uuid import UUID

from flask import Response

from signals.models import Organisation
from signals.organisations.addressing import EMAIL
from signals.staff.absence import Away
from signals.vocabulary import Role
from signals.web.http.openapi import API_BASE, StaffBlueprint, answers
from signals.web.http.preconditions import IF_MATCH, if_match
from signals.web.staff_kit.answer import json_answer
from signals.web.staff_kit.auth import requires
from signals.web.team import office, schemas

team_api = StaffBlueprint(
    "team_settings", __name__, url_prefix=API_BASE, description="A team's settings and who is away"
)

AUTHENTICATION = "bearer"

_TOKEN: Final[list[dict[str, list[str]]]] = [{"token": []}]
_FOLLOW_UP: Final = (Role.WORKER, Role.LEAD)
_ETAG: Final = {"ETag": {"description": "The settings' version", "schema": {"type": "string"}}}
_NUMBERS_AND_TEXTS: Final = (
    "claim_working_days", "contact_working_days", "conclude_calendar_days", "minimum_attempts",
    "escalation_working_days", "opens_at", "quiet_from", "quiet_until", "digest_at", "deputy_email",
    "language", "contact_phone", "contact_email",
)  # fmt: skip


@team_api.get("/organisations/<uuid:organisation_id>/settings")
@team_api.doc(security=_TOKEN)
@requires(Role.LEAD, Role.ADMINISTRATOR)
@team_api.response(200, schemas.SettingsSchema, headers=_ETAG)
@answers(404)
def settings(organisation_id: UUID) -> Response:
    """What a team arranges for itself: for its lead, and for administrators."""
    return _settings(office.settings_of(organisation_id))


@team_api.route("/organisations/<uuid:organisation_id>/settings", methods=["PATCH"])
@team_api.doc(security=_TOKEN, parameters=[IF_MATCH])
@requires(Role.LEAD, Role.ADMINISTRATOR)
@team_api.arguments(schemas.ChangeSettingsSchema)
@team_api.response(200, schemas.SettingsSchema, headers=_ETAG)
@answers(404, 412, 413, 415)
def change_settings(changes: Mapping[str, Any], organisation_id: UUID) -> Response:
    """Change them, for the own team; audited. Dates that signals got already stay."""
    return _settings(office.change_settings(organisation_id, changes, if_match()))


@team_api.post("/organisations/<uuid:organisation_id>/settings/ask-again")
@team_api.doc(security=_TOKEN)
@requires(Role.LEAD, Role.ADMINISTRATOR)
@team_api.arguments(schemas.AskAgainSchema)
@team_api.response(202, schemas.SettingsSchema, headers=_ETAG)
@answers(404, 413, 415)
def ask_again(wanted: Mapping[str, str], organisation_id: UUID) -> Response:
    """Send a recipient or deputy who has not confirmed a new link, within a minute; earlier ones end."""
    office.ask_again(organisation_id, wanted["address"])
    return _settings(office.settings_of(organisation_id), 202)


@team_api.get("/team/colleagues")
@team_api.doc(security=_TOKEN)
@requires(*_FOLLOW_UP)
@team_api.response(200, schemas.ColleaguesSchema)
def colleagues() -> Response:
    """Who of the own team may have signals, so can stand in."""
    return json_answer({"items": [_person(who, name) for who, name in office.colleagues()]})


@team_api.get("/team/absences")
@team_api.doc(security=_TOKEN)
@requires(*_FOLLOW_UP)
@team_api.response(200, schemas.AbsencesSchema)
def absences() -> Response:
    """Who of the own team is away, today or later, and who stands in."""
    return json_answer({"items": [_absence(away) for away in office.absences()]})


@team_api.post("/team/absences")
@team_api.doc(security=_TOKEN)
@requires(*_FOLLOW_UP)
@team_api.arguments(schemas.NewAbsenceSchema)
@team_api.response(201, schemas.AbsenceSchema)
@answers(404, 413, 415)
def add_absence(values: Mapping[str, Any]) -> Response:
    """Say that one is away; a lead says it of anybody of the team. Who stands in may do what one may."""
    return json_answer(_absence(office.add_absence(**values)), 201)


@team_api.delete("/team/absences/<uuid:absence_id>")
@team_api.doc(security=_TOKEN)
@requires(*_FOLLOW_UP)
@team_api.response(204)
@answers(404)
def remove_absence(absence_id: UUID) -> Response:
    """Back, or not going: one's own, or by a lead anybody's of the team."""
    office.remove_absence(absence_id)
    return Response(status=204)


def _settings(found: Organisation, status: int = 200) -> Response:
    body = {
        "version": found.settings_version,
        **{name: getattr(found, name) for name in _NUMBERS_AND_TEXTS},
        "deputy_verified_on": _date(found.deputy_verified_on),
        "working_days": [int(day) for day in found.working_days] if found.working_days else None,
        "recipients": [
            {
                "address": entry.address,
                "channel": entry.channel or EMAIL,
                "phone": entry.phone,
                "verified_on": _date(entry.verified_on),
                "phone_verified_on": _date(entry.phone_verified_on),
            }
            for entry in found.recipients
        ],
    }
    return json_answer(body, status, version=found.settings_version)


def _date(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _absence(away: Away) -> dict[str, Any]:
    return {
        "id": str(away.id),
        "staff": _person(away.staff_id, away.name),
        "away_from": away.away_from.isoformat(),
        "away_until": away.away_until.isoformat(),
        "cover": _person(away.cover_id, away.cover) if away.cover_id and away.cover else None,
    }


def _person(who: UUID, name: str) -> dict[str, str]:
    return {"id": str(who), "name": name}
