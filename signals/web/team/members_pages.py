"""Pages about a lead's own staff: invite, recover, shut out and let in again."""

from functools import partial
from typing import Any, Final, Protocol
from uuid import UUID

from flask import Blueprint, Response, render_template, request
from flask_babel import gettext
from marshmallow import ValidationError
from sqlalchemy import select

from signals.errors import Conflict, FieldProblem, Invalid
from signals.models import Approval, StaffMember
from signals.operation import Operation
from signals.staff import own_account, team
from signals.staff.change_messages import AccountSettings
from signals.staff.identity import normal_email
from signals.staff.invitations import INVITED_BY_LEADS, Person
from signals.vocabulary import Role
from signals.web.labels import label
from signals.web.staff_kit import account_shared as shared
from signals.web.staff_kit import display, forms
from signals.web.staff_kit.auth import current, requires_page
from signals.web.staff_kit.context import desk, operation, read

team_pages = Blueprint("team", __name__, url_prefix="/desk/team")
shared.share_with(team_pages)

AUTHENTICATION = "cookie"

_DONE: Final = frozenset(("confirmed", "invited", "recovered", "disabled", "reopened", "role", "asked"))
_ROLES: Final = tuple(role for role in Role if role in INVITED_BY_LEADS)


class _Change(Protocol):
    """A change of the team, at once or as a request."""

    def __call__(self, operation: Operation, /, *, settings: AccountSettings) -> StaffMember | Approval: ...


@team_pages.get("")
@requires_page(Role.LEAD)
def overview() -> str:
    done = request.args.get("done", "")
    return _page(done=done if done in _DONE else "")


@team_pages.post("/invite")
@requires_page(Role.LEAD)
def invite() -> Any:
    """Invite somebody by a mailed link."""

    def change(operation: Operation, *, settings: AccountSettings) -> StaffMember | Approval:
        values = forms.load(_INVITE)
        role = _role(values.pop("role"))
        person = Person(organisation_id=operation.actor.organisation_id, role=role, **values)
        return team.grant(operation, settings=settings, person=person)

    return _change("invited", change)


@team_pages.post("/<uuid:member_id>/recover")
@requires_page(Role.LEAD)
def recover(member_id: UUID) -> Any:
    """Shut an account and mail its owner a link to set it up again."""
    return _change("recovered", partial(team.reset, member_id=member_id))


@team_pages.post("/<uuid:member_id>/role")
@requires_page(Role.LEAD)
def change_role(member_id: UUID) -> Any:
    """Give somebody another role, or ask the privacy officer for it."""

    def change(operation: Operation, **_settings: AccountSettings) -> StaffMember | Approval:
        role = _role(request.form.get("role", ""))
        return team.change_role(operation, member_id=member_id, role=role)

    return _change("role", change)


@team_pages.post("/<uuid:member_id>/disable")
@requires_page(Role.LEAD)
def disable(member_id: UUID) -> Any:

    def change(operation: Operation, **_settings: AccountSettings) -> StaffMember | Approval:
        return team.disable(operation, member_id=member_id)

    return _change("disabled", change, recent=False)


@team_pages.post("/<uuid:member_id>/reopen")
@requires_page(Role.LEAD)
def reopen(member_id: UUID) -> Any:
    """Let somebody who was shut out in again, by a mailed link."""
    return _change("reopened", partial(team.reopen, member_id=member_id))


def _change(done: str, change: _Change, *, recent: bool = True) -> Response | tuple[str, int]:
    if recent and not own_account.signed_in_recently(desk().clock, staff_session=current().session):
        return shared.see_other("account.confirm", next="/desk/team?done=confirmed")
    try:
        with operation() as changing:
            asked = isinstance(change(changing, settings=shared.account_settings()), Approval)
    except (ValidationError, Invalid) as refused:
        return _page(errors=_errors_of(refused)), 400
    except Conflict as refused:
        return _page(trouble=forms.trouble(refused.code)), refused.status
    return shared.see_other(".overview", done="asked" if asked else done)


def _errors_of(refused: ValidationError | Invalid) -> dict[str, str]:
    """Return what is wrong, by field; for the address of a disabled member, say how to let them in."""
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


def _page(*, done: str = "", errors: dict[str, str] | None = None, trouble: str = "") -> str:
    people = read(team.members, organisation_id=current().actor.organisation_id)
    return render_template(
        "desk/account/team.html",
        people=people,
        roles=[(role.value, label(role, display.page_language())) for role in _ROLES],
        done=done,
        trouble=trouble,
        recent=own_account.signed_in_recently(desk().clock, staff_session=current().session),
        errors=errors or {},
        typed=forms.typed_text() if errors else {},
    )


def _role(text: str) -> Role:
    """Return a role that a lead may give; the page offers no other role."""
    if text not in {role.value for role in _ROLES}:
        raise Invalid(FieldProblem(field="role", code="not_a_choice"))
    return Role(text)


_INVITE = shared.InviteForm()
