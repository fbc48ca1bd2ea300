"""The page behind the alarm of the day's limit: one button raises the limit for today."""

from typing import Any
from uuid import UUID

from flask import Blueprint, render_template, request

from signals.errors import Conflict, StaleVersion
from signals.vocabulary import Role
from signals.web.staff_kit import account_shared as shared
from signals.web.staff_kit import forms, limits
from signals.web.staff_kit.auth import requires_page

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


def _page(area_day_id: UUID, *, trouble: str = "") -> str:
    found = limits.one(area_day_id)
    raised = request.args.get("done") == "raised" and found.raises > 0
    return render_template("desk/channel/limit.html", found=found, trouble=trouble, raised=raised)
