"""Serve the list with which a lead begins: five tasks, each with one field."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, Response, render_template, request, url_for
from marshmallow import ValidationError

from signals.errors import FieldProblem, Invalid, NotFound
from signals.staff import own_account, team
from signals.staff.invitations import Person
from signals.vocabulary import Role
from signals.web.staff_kit import account_shared as shared
from signals.web.staff_kit import forms
from signals.web.staff_kit.auth import current, requires_page
from signals.web.staff_kit.context import desk, operation
from signals.web.staff_kit.first_tasks import first_values
from signals.web.staff_kit.opened import organisation_id
from signals.web.team import office

first_pages = Blueprint("first_tasks", __name__, url_prefix="/desk/first")
shared.share_with(first_pages)

AUTHENTICATION = "cookie"

_DRILL: Final = re.compile(
    r"/desk/channel/drill/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/([\w-]{1,64})\s*$"
)
_LONGEST: Final = 500


@first_pages.get("")
@requires_page(Role.LEAD)
def overview() -> Any:
    """Show the list by itself, at the first visit and after a wrong answer."""
    values = first_values()
    return _page(values) if values["tasks"] else shared.see_other("desk.queue")


@first_pages.post("/<task>")
@requires_page(Role.LEAD)
def do(task: str) -> Any:
    """Do one task with its one field, and show the list again."""
    if task not in _TASKS:
        raise NotFound
    typed = request.form.get(task, "").strip()[:_LONGEST]
    try:
        forms.require_plain({task: typed})
        if not typed:
            raise Invalid(FieldProblem(field=task, code="required"))
        return _TASKS[task](typed) or shared.see_other("desk.queue")
    except (ValidationError, Invalid) as refused:
        wrong = next(iter(shared.errors_of(refused).values()))
        return _page(first_values(), wrong={task: wrong}, typed=forms.typed_text()), 400


def _drill(text: str) -> Response:
    """Go to the page of the test message: its button proves that the message was read."""
    found = _DRILL.search(text)
    if found is None:
        raise Invalid(FieldProblem(field="drill", code="not_the_link"))
    return shared.go_to(url_for("channel.drill", drill_id=UUID(found[1]), code=found[2]))


def _colleague(email: str) -> Response | None:
    """Invite a worker, named after the address until somebody changes it."""
    if not own_account.signed_in_recently(desk().clock, staff_session=current().session):
        return shared.see_other("account.confirm", next=url_for(".overview"))
    name = " ".join(re.split(r"[._-]+", email.partition("@")[0])).title() or email
    with operation() as inviting:
        person = Person(organisation_id=organisation_id(), role=Role.WORKER, name=name, email=email)
        team.grant(inviting, settings=shared.account_settings(), person=person)
    return None


def _deputy(email: str) -> None:
    office.change_settings(organisation_id(), {"deputy_email": email}, None)


def _contact(text: str) -> None:
    field = "contact_email" if "@" in text else "contact_phone"
    office.change_settings(organisation_id(), {field: text}, None)


_TASKS: Final[Mapping[str, Callable[[str], Response | None]]] = {
    "drill": _drill,
    "colleague": _colleague,
    "deputy": _deputy,
    "contact": _contact,
}
"""The fifth task, a passkey, is a form of the account's page."""


def _page(values: Mapping[str, object], **said: Mapping[str, str]) -> str:
    return render_template("desk/first.html", **values, **said)
