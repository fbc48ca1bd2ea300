"""The page behind the alarm of a flood: raise the limit for today, or set its unread reports aside."""

from typing import Any
from uuid import UUID

from flask import Blueprint, render_template, request

from signals.clock import today
from signals.errors import Conflict, StaleVersion
from signals.notices.limit_notices import set_flood_aside
from signals.vocabulary import Role
from signals.web.staff_kit import account_shared as shared
from signals.web.staff_kit import forms, limits
from signals.web.staff_kit.auth import current, requires_page
from signals.web.staff_kit.context import act, desk

limit_pages = Blueprint("limit_pages", __name__, url_prefix="/desk/limits")
shared.share_with(limit_pages)

AUTHENTICATION = "cookie"


@limit_pages.get("/<uuid:area_day_id>")
@requires_page(Role.LEAD, Role.ADMINISTRATOR)
def limit(area_day_id: UUID) -> str:
    """Show the limit of that day, with the button while it is today."""
    return _page(area_day_id)


@limit_pages.post("/<uuid:area_day_id>")
@requires_page(Role.LEAD, Role.ADMINISTRATOR)
def raise_limit(area_day_id: UUID) -> Any:
    """Raise the limit once, also when the button is pressed twice."""
    try:
        limits.lift(area_day_id, version=forms.version())
    except StaleVersion:
        return shared.see_other(".limit", area_day_id=area_day_id, done="raised")
    except Conflict as refused:
        words = forms.trouble(refused.code)
        return _page(area_day_id, trouble=words), refused.status
    return shared.see_other(".limit", area_day_id=area_day_id, done="raised")


@limit_pages.post("/<uuid:area_day_id>/set-aside")
@requires_page(Role.LEAD)
def set_aside(area_day_id: UUID) -> Any:
    """Set aside all reports of that day that nobody opened."""
    act(set_flood_aside, area_day_id=area_day_id)
    return shared.see_other(".limit", area_day_id=area_day_id, done="set-aside")


@limit_pages.post("/<uuid:area_day_id>/bring-back")
@requires_page(Role.LEAD)
def bring_back(area_day_id: UUID) -> Any:
    """Bring back what was set aside of that day."""
    limits.bring_back(area_day_id)
    return shared.see_other(".limit", area_day_id=area_day_id, done="bring-back")


def _page(area_day_id: UUID, *, trouble: str = "") -> str:
    found = limits.one(area_day_id)
    flood = limits.flood(area_day_id) if current().actor.role == Role.LEAD else None
    done = request.args.get("done", "")
    if done == "raised" and not found.raises:
        done = ""
    return render_template(
        "desk/channel/limit.html",
        found=found,
        flood=flood,
        trouble=trouble,
        done=done,
        today=today(desk().clock),
    )
