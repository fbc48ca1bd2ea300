"""Administration over the API: organisations, coverage, staff and approvals; never an address or a signal."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Response, make_response

from signals.casework.access import FOLLOW_UP_ROLES
from signals.clock import today
from signals.errors import Forbidden
from signals.models import CoverageArea, Organisation, StaffMember
from signals.organisations import administration, covering
from signals.organisations.onboarding import receives
from signals.routing.areas import Area
from signals.routing.coverage import CoverageCheck
from signals.staff.standing import APPROVERS
from signals.vocabulary import Role
from signals.web.admin import office, schemas, staff_schemas
from signals.web.admin.office import ApprovalView, LetIn
from signals.web.http.openapi import API_BASE, StaffBlueprint, answers
from signals.web.staff_kit.auth import current, requires
from signals.web.staff_kit.context import act, desk, read
from signals.web.staff_kit.referring import candidates

admin_api = StaffBlueprint(
    "administration",
    __name__,
    url_prefix=API_BASE,
    description="Organisations, coverage, staff and approvals",
)

AUTHENTICATION = "bearer"


@admin_api.get("/organisations")
@requires(*FOLLOW_UP_ROLES, Role.ADMINISTRATOR)
@admin_api.arguments(schemas.OrganisationsQuery, location="query", unknown="raise")
@admin_api.response(200, schemas.OrganisationsSchema)
def organisations(wanted: Mapping[str, Any]) -> Mapping[str, Any]:
    """List organisations by name; a team lists those it can refer to (`receiving=true`): id, name, kind."""
    if current().actor.role in FOLLOW_UP_ROLES:
        if not wanted["receiving"]:
            raise Forbidden
        found = candidates(wanted["search"])
        return {"items": [{"id": one.id, "name": one.name, "kind": one.kind} for one in found]}
    on = today(desk().clock)
    every = office.organisations(wanted["search"])
    return {"items": [one for one in every if receives(one, on) or not wanted["receiving"]]}


@admin_api.post("/organisations")
@requires(Role.ADMINISTRATOR)
@admin_api.arguments(schemas.NewOrganisationSchema)
@admin_api.response(201, schemas.ListedOrganisationSchema)
@answers(413, 415)
def add_organisation(values: Mapping[str, Any]) -> Organisation:
    """Add an organisation; it receives once it is onboarded."""
    return act(administration.add_organisation, **values)


@admin_api.route("/organisations/<uuid:organisation_id>", methods=["PATCH"])
@requires(Role.ADMINISTRATOR)
@admin_api.arguments(schemas.ChangeOrganisationSchema)
@admin_api.response(200, schemas.ListedOrganisationSchema)
@answers(404, 413, 415)
def change_organisation(values: Mapping[str, Any], organisation_id: UUID) -> Organisation:
    """Change or onboard an organisation: agreement, grounds, recipients and when these were verified."""
    return office.change_organisation(organisation_id, values)


@admin_api.get("/coverage")
@requires(Role.ADMINISTRATOR)
@admin_api.arguments(schemas.CoverageQuery, location="query", unknown="raise")
@admin_api.response(200, schemas.CoverageSchema)
def coverage(wanted: Mapping[str, Any]) -> Mapping[str, Any]:
    """List the covered areas, with organisation and dates."""
    return {"items": read(covering.covered_areas, organisation_id=wanted["organisation"])}


@admin_api.post("/coverage")
@requires(Role.ADMINISTRATOR)
@admin_api.arguments(schemas.AreaSchema)
@admin_api.response(201, schemas.AreaAnswerSchema)
@admin_api.alt_response(202, schema=staff_schemas.ApprovalSchema)
@answers(404, 409, 413, 415)
def add_area(values: Mapping[str, Any]) -> CoverageArea | Response:
    """Let an organisation cover an area (201), or ask for it (202); 409 when it is covered on these dates.

    A live team that loses addresses must agree. Where none does, another administrator must; a single one
    waits for three working days.
    """
    area = Area(**{name: value for name, value in values.items() if name != "organisation_id"})
    done = office.add_area(values["organisation_id"], area)
    if isinstance(done, CoverageArea):
        return done
    return make_response(staff_schemas.ApprovalSchema().dump(done), 202)


@admin_api.route("/coverage/<uuid:area_id>", methods=["PATCH"])
@requires(Role.ADMINISTRATOR)
@admin_api.arguments(schemas.EndAreaSchema)
@admin_api.response(200, schemas.AreaAnswerSchema)
@answers(404, 413, 415)
def end_area(values: Mapping[str, Any], area_id: UUID) -> CoverageArea:
    """Let a coverage end, today at the earliest."""
    return office.end_area(area_id, values["valid_until"])


@admin_api.get("/coverage/check")
@requires(Role.ADMINISTRATOR)
@admin_api.arguments(schemas.CheckQuery, location="query", unknown="raise")
@admin_api.response(200, schemas.CheckSchema)
def check(wanted: Mapping[str, Any]) -> CoverageCheck:
    """Return gaps and overlaps on a day, and the next boundary change."""
    return office.check_coverage(wanted["on"])


@admin_api.get("/staff")
@requires(Role.LEAD, Role.PRIVACY_OFFICER, Role.ADMINISTRATOR)
@admin_api.arguments(staff_schemas.StaffQuery, location="query", unknown="raise")
@admin_api.response(200, staff_schemas.StaffSchema)
def staff(wanted: Mapping[str, Any]) -> Mapping[str, Any]:
    """List the own team; an administrator lists any team, or the staff without an organisation."""
    return {"items": office.staff_of(wanted["organisation"])}


@admin_api.post("/staff")
@requires(Role.LEAD, Role.ADMINISTRATOR)
@admin_api.arguments(staff_schemas.NewStaffSchema)
@admin_api.response(201, staff_schemas.LetInSchema)
@admin_api.alt_response(202, schema=staff_schemas.LetInSchema)
@answers(409, 413, 415)
def add_staff(values: Mapping[str, Any]) -> tuple[LetIn, int]:
    """Invite somebody by mail (201), or ask for approval (202).

    Once an account of the team is activated, an administrator only asks. A lead asks the privacy officer for
    another privacy officer. The same request twice is one request.
    """
    named = {name: value for name, value in values.items() if name != "organisation_id"}
    done = office.let_in(**named, organisation=values["organisation_id"])
    return done, 202 if done.approval else 201


@admin_api.post("/staff/<uuid:member_id>/disable")
@requires(Role.LEAD, Role.ADMINISTRATOR)
@admin_api.response(200, staff_schemas.StaffMemberSchema)
@admin_api.alt_response(202, schema=staff_schemas.LetInSchema)
@answers(400, 404)
def disable(member_id: UUID) -> StaffMember | Response:
    """Shut somebody else out: sessions and tokens end now.

    A lead only asks to shut out a privacy officer (202); the officer decides.
    """
    return _changed(office.disable(member_id))


@admin_api.post("/staff/<uuid:member_id>/role")
@requires(Role.LEAD)
@admin_api.arguments(staff_schemas.ChangeRoleSchema)
@admin_api.response(200, staff_schemas.StaffMemberSchema)
@admin_api.alt_response(202, schema=staff_schemas.LetInSchema)
@answers(404, 413, 415)
def change_role(wanted: Mapping[str, Any], member_id: UUID) -> StaffMember | Response:
    """Give somebody else of the own team another role; sessions and tokens end, and the team is notified.

    With a privacy officer, a change into that role or out of it is only asked (202).
    """
    return _changed(office.change_role(member_id, wanted["role"]))


@admin_api.post("/staff/<uuid:member_id>/reset")
@requires(Role.LEAD, Role.ADMINISTRATOR)
@admin_api.response(200, staff_schemas.LetInSchema)
@admin_api.alt_response(202, schema=staff_schemas.LetInSchema)
@answers(400, 404, 409)
def reset(member_id: UUID) -> tuple[LetIn, int]:
    """Mail somebody a link to set up the account again; an administrator only asks the team (202).

    Without any activated account in the organisation, an administrator mails the link (200).
    """
    done = office.reset(member_id)
    return done, 202 if done.approval else 200


@admin_api.get("/approvals")
@requires(*APPROVERS, Role.ADMINISTRATOR)
@admin_api.response(200, staff_schemas.ApprovalsSchema)
def approvals() -> Mapping[str, Any]:
    """List the requests to the own organisation; an administrator lists the own requests."""
    return {"items": office.approvals()}


@admin_api.post("/approvals/<uuid:approval_id>/approve")
@requires(*APPROVERS, Role.ADMINISTRATOR)
@admin_api.response(200, staff_schemas.ApprovalSchema)
@answers(400, 404, 409)
def approve(approval_id: UUID) -> ApprovalView:
    """Approve a request: its subject gets the link.

    Nobody approves a request about oneself, except a privacy officer who agrees to leave. Only a privacy
    officer approves a lead's request. Another administrator decides who becomes an administrator, and about
    an area that no other team covers.
    """
    return office.decide(approval_id, approve=True)


@admin_api.post("/approvals/<uuid:approval_id>/decline")
@requires(*APPROVERS, Role.ADMINISTRATOR)
@admin_api.response(200, staff_schemas.ApprovalSchema)
@answers(400, 404, 409)
def decline(approval_id: UUID) -> ApprovalView:
    """Decline a request."""
    return office.decide(approval_id, approve=False)


def _changed(done: LetIn) -> StaffMember | Response:
    """Return the account as it is now, or answer 202 with the request that waits."""
    if done.member is not None:
        return done.member
    return make_response(staff_schemas.LetInSchema().dump(done), 202)
