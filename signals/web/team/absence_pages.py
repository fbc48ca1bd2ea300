"""Pages about absences: who of the team is away, who stands in, and the signals of absent colleagues."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, Response, render_template, request
from marshmallow import ValidationError, fields

from signals.casework.queue import queue_page
from signals.clock import today
from signals.errors import Invalid
from signals.lifecycle.transitions import is_overdue
from signals.models import Signal
from signals.staff import absence
from signals.staff.absence import HOLDERS, Away
from signals.vocabulary import Role
from signals.web.http.fields import StrictDate
from signals.web.staff_kit import account_shared as shared
from signals.web.staff_kit import forms
from signals.web.staff_kit.auth import current, requires_page
from signals.web.staff_kit.context import act, desk, read
from signals.web.staff_kit.opened import organisation_id
from signals.web.team import office as team_office

absence_pages = Blueprint("absence", __name__, url_prefix="/desk/absence")
shared.share_with(absence_pages)

AUTHENTICATION = "cookie"

MOST_SHOWN: Final = 100
_DONE: Final = frozenset(("added", "alone", "removed"))


class AbsenceForm(forms.Form):
    staff_id = fields.UUID(load_default=None)
    away_from = StrictDate(required=True)
    away_until = StrictDate(required=True)
    cover_id = fields.UUID(load_default=None)


@absence_pages.get("")
@requires_page(*HOLDERS)
def overview() -> str:
    done = request.args.get("done", "")
    return _page(done=done if done in _DONE else "")


@absence_pages.post("")
@requires_page(*HOLDERS)
def add() -> Any:
    try:
        wanted = forms.load(_FORM)
    except ValidationError as refused:
        return _page(errors=forms.messages(refused)), 400
    try:
        team_office.add_absence(**wanted)
    except Invalid as refused:
        if not team_office.is_away_so(**wanted):
            return _page(errors=forms.messages(refused)), 400
    return shared.see_other(".overview", done="added" if wanted.get("cover_id") else "alone")


@absence_pages.post("/<uuid:absence_id>/remove")
@requires_page(*HOLDERS)
def remove(absence_id: UUID) -> Response:
    act(absence.remove_absence, absence_id)
    return shared.see_other(".overview", done="removed")


def _page(*, done: str = "", errors: Mapping[str, str] | None = None) -> str:
    actor, on = current().actor, today(desk().clock)
    away = team_office.absences()
    colleagues = [(str(who), name) for who, name in team_office.colleagues()]
    return render_template(
        "desk/absence.html",
        away=away,
        may_remove=lambda one: actor.role == Role.LEAD or one.staff_id == actor.id,
        leads=actor.role == Role.LEAD,
        own_id=str(actor.id),
        everybody=colleagues,
        others=[(who, name) for who, name in colleagues if actor.role == Role.LEAD or who != str(actor.id)],
        covered=[(one, _signals_of(one)) for one in away if one.cover_id == actor.id and one.away_from <= on],
        done=done,
        errors=errors or {},
        typed=forms.typed_text() if errors else {},
        today=on,
        is_overdue=is_overdue,
    )


def _signals_of(away: Away) -> list[Signal]:
    """Return a colleague's open signals, the most urgent first: no content, so no audit entry."""
    page = read(queue_page, organisation_id=organisation_id(), claimed_by_id=away.staff_id, limit=MOST_SHOWN)
    return page.items


_FORM = AbsenceForm()
