"""Administration over the API: organisations, coverage, staff and approvals; never an address or a signal."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final
from uuid import UUID

from flask import Response

from signals.clock import AMSTERDAM, today
from signals.errors import Forbidden
from signals.models import CoverageArea, Organisation, StaffMember
from signals.organisations.onboarding import missing_before_receiving, receives
from signals.routing.areas import Area
from signals.routing.boundary_changes import Handover
from signals.routing.coverage_problems import Problem, UpcomingChange
from signals.vocabulary import Role
from signals.web.admin import office, schemas
from signals.web.admin.office import ApprovalView, LetIn
from signals.web.http.openapi import API_BASE, StaffBlueprint, answers
from signals.web.staff_kit.answer import json_answer, moment
from signals.web.staff_kit.auth import current, requires
from signals.web.staff_kit.context import desk
from signals.web.staff_kit.referring import candidates

admin_api = StaffBlueprint(
    "administration",
    __name__,
    url_prefix=API_BASE,
    description="Organisations, coverage, staff and approvals",
)

AUTHENTICATION = "bearer"
"""What every view here asks for."""

_TOKEN: Final[list[dict[str, list[str]]]] = [{"token": []}]
_FOLLOW_UP: Final = (Role.WORKER, Role.LEAD)


@admin_api.get("/organisations")
@admin_api.doc(security=_TOKEN)
@requires(*_FOLLOW_UP, Role.ADMINISTRATOR)
@admin_api.arguments(schemas.OrganisationsQuery, location="query", unknown="raise")
@admin_api.response(200, schemas.OrganisationsSchema)
def organisations(wanted: Mapping[str, Any]) -> Response:
    """Organisations by name. A team sees those that it can refer to (`receiving=true`): id, name, kind."""
    if current().actor.role in _FOLLOW_UP:
        if not wanted["receiving"]:
            raise Forbidden
        return json_answer({"items": [_named(found) for found in candidates(wanted["search"])]})
    on = today(desk().clock)
    found = office.organisations(wanted["search"])
    return json_answer(
        {"items": [_organisation(one, on) for one in found if receives(one, on) or not wanted["receiving"]]}
    )


@admin_api.post("/organisations")
@admin_api.doc(security=_TOKEN)
@requires(Role.ADMINISTRATOR)
@admin_api.arguments(schemas.NewOrganisationSchema)
@admin_api.response(201, schemas.ListedOrganisationSchema)
@answers(413, 415)
def add_organisation(values: Mapping[str, Any]) -> Response:
    """Add an organisation; it receives once it is onboarded."""
    added = office.add_organisation(**values)
    return json_answer(_organisation(added, today(desk().clock)), 201)


@admin_api.route("/organisations/<uuid:organisation_id>", methods=["PATCH"])
@admin_api.doc(security=_TOKEN)
@requires(Role.ADMINISTRATOR)
@admin_api.arguments(schemas.ChangeOrganisationSchema)
@admin_api.response(200, schemas.ListedOrganisationSchema)
@answers(404, 413, 415)
def change_organisation(values: Mapping[str, Any], organisation_id: UUID) -> Response:
    """Change or onboard an organisation: agreement, grounds, recipients and when these were verified."""
    changed = office.change_organisation(organisation_id, values)
    return json_answer(_organisation(changed, today(desk().clock)))


@admin_api.get("/coverage")
@admin_api.doc(security=_TOKEN)
@requires(Role.ADMINISTRATOR)
@admin_api.arguments(schemas.CoverageQuery, location="query", unknown="raise")
@admin_api.response(200, schemas.CoverageSchema)
def coverage(wanted: Mapping[str, Any]) -> Response:
    """Which areas are covered, by whom and when."""
    return json_answer({"items": [_area(area) for area in office.coverage(wanted["organisation"])]})


@admin_api.post("/coverage")
@admin_api.doc(security=_TOKEN)
@requires(Role.ADMINISTRATOR)
@admin_api.arguments(schemas.AreaSchema)
@admin_api.response(201, schemas.AreaAnswerSchema)
@answers(404, 409, 413, 415)
def add_area(values: Mapping[str, Any]) -> Response:
    """Let an organisation cover an area; 409 when that is covered on one of these dates."""
    area = Area(**{name: value for name, value in values.items() if name != "organisation_id"})
    return json_answer(_area(office.add_area(values["organisation_id"], area)), 201)


@admin_api.route("/coverage/<uuid:area_id>", methods=["PATCH"])
@admin_api.doc(security=_TOKEN)
@requires(Role.ADMINISTRATOR)
@admin_api.arguments(schemas.EndAreaSchema)
@admin_api.response(200, schemas.AreaAnswerSchema)
@answers(404, 413, 415)
def end_area(values: Mapping[str, Any], area_id: UUID) -> Response:
    """Let a coverage end, today at the earliest."""
    return json_answer(_area(office.end_area(area_id, values["valid_until"])))


@admin_api.get("/coverage/check")
@admin_api.doc(security=_TOKEN)
@requires(Role.ADMINISTRATOR)
@admin_api.arguments(schemas.CheckQuery, location="query", unknown="raise")
@admin_api.response(200, schemas.CheckSchema)
def check(wanted: Mapping[str, Any]) -> Response:
    """Gaps and overlaps on a day, and the next boundary change."""
    found = office.check_coverage(wanted["on"])
    return json_answer(
        {
            "on": found.on.isoformat(),
            "problems": [_problem(problem, found.names) for problem in found.problems],
            "next_change": _upcoming(found.next_change, found.names) if found.next_change else None,
        }
    )


@admin_api.get("/staff")
@admin_api.doc(security=_TOKEN)
@requires(Role.LEAD, Role.PRIVACY_OFFICER, Role.ADMINISTRATOR)
@admin_api.arguments(schemas.StaffQuery, location="query", unknown="raise")
@admin_api.response(200, schemas.StaffSchema)
def staff(wanted: Mapping[str, Any]) -> Response:
    """The own team; for an administrator that of an organisation, or who belongs to none."""
    return json_answer({"items": [_member(member) for member in office.staff_of(wanted["organisation"])]})


@admin_api.post("/staff")
@admin_api.doc(security=_TOKEN)
@requires(Role.LEAD, Role.ADMINISTRATOR)
@admin_api.arguments(schemas.NewStaffSchema)
@admin_api.response(201, schemas.LetInSchema)
@admin_api.alt_response(202, schema=schemas.LetInSchema)
@answers(409, 413, 415)
def add_staff(values: Mapping[str, Any]) -> Response:
    """Invite somebody by mail (201), or ask (202).

    Once somebody of the team took an account up an administrator only asks it, and a lead asks its privacy
    officer for another one. The same asked twice is one request.
    """
    named = {name: value for name, value in values.items() if name != "organisation_id"}
    return _let_in(office.let_in(**named, organisation=values["organisation_id"]), 201)


@admin_api.post("/staff/<uuid:member_id>/disable")
@admin_api.doc(security=_TOKEN)
@requires(Role.LEAD, Role.ADMINISTRATOR)
@admin_api.response(200, schemas.StaffMemberSchema)
@admin_api.alt_response(202, schema=schemas.LetInSchema)
@answers(400, 404)
def disable(member_id: UUID) -> Response:
    """Shut somebody out at once: sessions and tokens end now. Not oneself.

    A lead only asks to shut out a privacy officer (202); the officer answers.
    """
    return _changed(office.disable(member_id))


@admin_api.post("/staff/<uuid:member_id>/role")
@admin_api.doc(security=_TOKEN)
@requires(Role.LEAD)
@admin_api.arguments(schemas.RoleSchema)
@admin_api.response(200, schemas.StaffMemberSchema)
@admin_api.alt_response(202, schema=schemas.LetInSchema)
@answers(404, 413, 415)
def change_role(wanted: Mapping[str, Any], member_id: UUID) -> Response:
    """Give somebody of the own team another role; not oneself. Sessions and tokens end; the team is told.

    Where there is a privacy officer, a change into that role or out of it is only asked (202).
    """
    return _changed(office.change_role(member_id, wanted["role"]))


@admin_api.post("/staff/<uuid:member_id>/reset")
@admin_api.doc(security=_TOKEN)
@requires(Role.LEAD, Role.ADMINISTRATOR)
@admin_api.response(200, schemas.LetInSchema)
@admin_api.alt_response(202, schema=schemas.LetInSchema)
@answers(400, 404, 409)
def reset(member_id: UUID) -> Response:
    """Mail somebody a link to set the account up anew; an administrator only asks the team (202).

    Where nobody of the organisation ever took an account up, an administrator mails the link anew (200).
    """
    return _let_in(office.reset(member_id), 200)


@admin_api.get("/approvals")
@admin_api.doc(security=_TOKEN)
@requires(Role.LEAD, Role.PRIVACY_OFFICER, Role.ADMINISTRATOR)
@admin_api.response(200, schemas.ApprovalsSchema)
def approvals() -> Response:
    """What was asked of the own organisation, or what one asked oneself as an administrator."""
    return json_answer({"items": [_approval(found) for found in office.approvals()]})


@admin_api.post("/approvals/<uuid:approval_id>/approve")
@admin_api.doc(security=_TOKEN)
@requires(Role.LEAD, Role.PRIVACY_OFFICER)
@admin_api.response(200, schemas.ApprovalSchema)
@answers(400, 404, 409)
def approve(approval_id: UUID) -> Response:
    """Approve it: the link goes to whom it is about.

    Not about oneself, and what a lead asked as privacy officer only, who may agree to leave.
    """
    return json_answer(_approval(office.decide(approval_id, approve=True)))


@admin_api.post("/approvals/<uuid:approval_id>/decline")
@admin_api.doc(security=_TOKEN)
@requires(Role.LEAD, Role.PRIVACY_OFFICER)
@admin_api.response(200, schemas.ApprovalSchema)
@answers(400, 404, 409)
def decline(approval_id: UUID) -> Response:
    """Decline it."""
    return json_answer(_approval(office.decide(approval_id, approve=False)))


def _named(found: Organisation) -> dict[str, Any]:
    return {"id": str(found.id), "name": found.name, "kind": found.kind.value}


def _organisation(found: Organisation, on: date) -> dict[str, Any]:
    return {
        **_named(found),
        "receives": receives(found, on),
        "missing": missing_before_receiving(found),
        "is_example": found.is_example,
        "agreement_on": _day(found.agreement_on),
        "legal_basis": found.legal_basis,
        "retention_basis": found.retention_basis,
        "suspended_from": _day(found.suspended_from),
        "contact_phone": found.contact_phone,
        "contact_email": found.contact_email,
        "recipients": [
            {"address": recipient.address, "verified_on": _day(recipient.verified_on)}
            for recipient in found.recipients
        ],
    }


def _area(area: CoverageArea) -> dict[str, Any]:
    return {
        "id": str(area.id),
        "organisation": {"id": str(area.organisation.id), "name": area.organisation.name},
        "level": area.level,
        "area": area.area,
        "number_from": area.number_from,
        "number_to": area.number_to,
        "valid_from": area.valid_from.isoformat(),
        "valid_until": _day(area.valid_until),
    }


def _problem(problem: Problem, names: Mapping[UUID, str]) -> dict[str, Any]:
    return {
        "kind": problem.kind.value,
        "area": problem.area,
        "name": problem.name,
        "organisations": [
            {"id": str(found), "name": names.get(found, "")} for found in problem.organisation_ids
        ],
        "pc4_count": problem.pc4_count,
        "pc4_total": problem.pc4_total,
    }


def _upcoming(change: UpcomingChange, names: Mapping[UUID, str]) -> dict[str, Any]:
    return {
        "effective_date": change.effective_date.isoformat(),
        "moves": [
            {
                "old_code": move.old_code,
                "old_name": move.old_name,
                "new_code": move.new_code,
                "new_name": move.new_name,
                "pc4_runs": [list(run) for run in move.pc4_runs],
                "handovers": [_handover(found) for found in move.handovers],
            }
            for move in change.moves
        ],
        "outliving": [_problem(problem, names) for problem in change.outliving],
    }


def _handover(found: Handover) -> dict[str, Any]:
    return {
        "areas": list(found.areas),
        "before": {"id": str(found.before.organisation_id), "name": found.before.name},
        "after": {"id": str(found.after.organisation_id), "name": found.after.name},
    }


def _member(member: StaffMember) -> dict[str, Any]:
    shut_out = member.disabled_at
    return {
        "id": str(member.id),
        "name": member.name,
        "email": member.email,
        "role": member.role.value,
        "language": member.language,
        "organisation_id": str(member.organisation_id) if member.organisation_id else None,
        "disabled_on": shut_out.astimezone(AMSTERDAM).date().isoformat() if shut_out else None,
    }


def _approval(view: ApprovalView) -> dict[str, Any]:
    found = view.approval
    return {
        "id": str(found.id),
        "organisation": {"id": str(found.organisation_id), "name": view.organisation},
        "action": found.action.value,
        "role": found.role.value if found.role else None,
        "name": found.name,
        "email": found.email,
        "asked_by": view.asked_by,
        "asked_at": moment(found.asked_at),
        "decision": view.decision,
        "decided_by": view.decided_by,
        "decided_at": moment(found.decided_at) if found.decided_at else None,
    }


def _let_in(done: LetIn, status: int) -> Response:
    body = {
        "member": _member(done.member) if done.member else None,
        "approval": _approval(done.approval) if done.approval else None,
    }
    return json_answer(body, 202 if done.approval else status)


def _changed(done: LetIn) -> Response:
    """The account as it is now, or the request that waits."""
    return json_answer(_member(done.member)) if done.member else _let_in(done, 202)


def _day(value: date | None) -> str | None:
    return value.isoformat() if value else None
