"""A lead's own staff: who they are, inviting, recovering, shutting out and letting in again."""

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, Response, render_template, request
from flask_babel import gettext
from marshmallow import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from signals.errors import FieldProblem, Invalid, NotFound
from signals.models import Approval, StaffMember
from signals.staff import own_account, recovery, team
from signals.staff.identity import normal_email
from signals.staff.office import Person
from signals.staff.recovery import INVITED_BY_LEADS
from signals.vocabulary import Role
from signals.web.labels import label
from signals.web.staff_kit import account_shared as shared
from signals.web.staff_kit import display, forms
from signals.web.staff_kit.auth import current, requires_page
from signals.web.staff_kit.context import desk

team_pages = Blueprint("team", __name__, url_prefix="/desk/team")
shared.share_with(team_pages)

AUTHENTICATION = "cookie"

_DONE: Final = frozenset(("confirmed", "invited", "recovered", "disabled", "reopened", "role", "asked"))
_ROLES: Final = tuple(role for role in Role if role in INVITED_BY_LEADS)


@team_pages.get("")
@requires_page(Role.LEAD)
def overview() -> str:
    """Everybody of the lead's organisation."""
    done = request.args.get("done", "")
    return _page(done=done if done in _DONE else "")


@team_pages.post("/invite")
@requires_page(Role.LEAD)
def invite() -> Any:
    """Add somebody and mail them a link to set the account up."""

    def change(session: Session) -> StaffMember | Approval:
        values = forms.load(_INVITE)
        actor, role = current().actor, _role(values.pop("role"))
        person = Person(organisation_id=actor.organisation_id, role=role, **values)
        return team.grant(session, desk().clock, office=shared.office(), actor=actor, person=person)

    return _change("invited", change)


@team_pages.post("/<uuid:member_id>/recover")
@requires_page(Role.LEAD)
def recover(member_id: UUID) -> Any:
    """Shut somebody's ways in, and mail them a link to set the account up anew."""

    def change(session: Session) -> StaffMember:
        member = _colleague(session, member_id)
        recovery.recover(session, desk().clock, links=shared.links(), actor=current().actor, member=member)
        return member

    return _change("recovered", change)


@team_pages.post("/<uuid:member_id>/role")
@requires_page(Role.LEAD)
def change_role(member_id: UUID) -> Any:
    """Give somebody another role, at once; where somebody oversees the team, not that one's."""

    def change(session: Session) -> StaffMember | Approval:
        context = desk()
        return team.change_role(
            session,
            context.clock,
            office=shared.office(),
            actor=current().actor,
            member_id=member_id,
            role=_role(request.form.get("role", "")),
        )

    return _change("role", change)


@team_pages.post("/<uuid:member_id>/disable")
@requires_page(Role.LEAD)
def disable(member_id: UUID) -> Any:
    """Shut somebody out for good, at once."""

    def change(session: Session) -> StaffMember | Approval:
        return team.disable(
            session,
            desk().clock,
            office=shared.office(),
            actor=current().actor,
            member_id=member_id,
        )

    return _change("disabled", change, recent=False)


@team_pages.post("/<uuid:member_id>/reopen")
@requires_page(Role.LEAD)
def reopen(member_id: UUID) -> Any:
    """Let somebody in again who was shut out, by a mailed link."""

    def change(session: Session) -> StaffMember | Approval:
        return team.reopen(
            session,
            desk().clock,
            office=shared.office(),
            actor=current().actor,
            member_id=member_id,
        )

    return _change("reopened", change)


def _change(
    done: str, change: Callable[[Session], StaffMember | Approval], *, recent: bool = True
) -> Response | tuple[str, int]:
    context = desk()
    if recent and not own_account.signed_in_recently(context.clock, staff_session=current().session):
        return shared.see_other("account.confirm", next="/desk/team?done=confirmed")
    try:
        with context.sessions.begin() as session:
            asked = isinstance(change(session), Approval)
    except (ValidationError, Invalid) as refused:
        return _page(errors=_errors_of(refused)), 400
    return shared.see_other(".overview", done="asked" if asked else done)


def _errors_of(refused: ValidationError | Invalid) -> dict[str, str]:
    """What is wrong; of an address of the own team that was shut out, where the way back is."""
    errors = shared.errors_of(refused)
    taken = isinstance(refused, Invalid) and any(problem.code == "taken" for problem in refused.problems)
    name = _shut_out(request.form.get("email", "")) if taken else None
    if name is not None:
        errors["email"] = gettext(
            "%(name)s of your team has this address and was shut out. Let them in again above.", name=name
        )
    return errors


def _shut_out(email: str) -> str | None:
    query = select(StaffMember.name).where(
        StaffMember.organisation_id == current().actor.organisation_id,
        StaffMember.email == normal_email(email.strip()),
        StaffMember.disabled_at.is_not(None),
    )
    with desk().reading() as session:
        return session.scalar(query)


def _page(*, done: str = "", errors: dict[str, str] | None = None) -> str:
    with desk().reading() as session:
        query = select(StaffMember).where(StaffMember.organisation_id == current().actor.organisation_id)
        order = (StaffMember.disabled_at.is_not(None), StaffMember.name, StaffMember.id)
        people = session.scalars(query.order_by(*order)).all()
    return render_template(
        "desk/account/team.html",
        people=people,
        roles=[(role.value, label(role, display.page_language())) for role in _ROLES],
        done=done,
        recent=own_account.signed_in_recently(desk().clock, staff_session=current().session),
        errors=errors or {},
        typed=forms.typed_text() if errors else {},
    )


def _colleague(session: Session, member_id: UUID) -> StaffMember:
    member = session.get(StaffMember, member_id)
    if member is None or member.organisation_id != current().actor.organisation_id:
        raise NotFound
    return member


def _role(text: str) -> Role:
    """One of those that a lead may give; another one was never offered."""
    if text not in {role.value for role in _ROLES}:
        raise Invalid(FieldProblem(field="role", code="not_a_choice"))
    return Role(text)


_INVITE = shared.InviteForm()
