"""Register and stop a comparison as a coordinator, and take part as a lead."""

from collections.abc import Mapping
from typing import Any, Final

from flask import Blueprint, Response, render_template, request
from flask_babel import lazy_gettext as _
from marshmallow import ValidationError, fields, post_load

from signals.clock import today
from signals.comparisons.plan import Plan
from signals.comparisons.register import plan_for, register, stop, take_part
from signals.errors import Conflict, Invalid
from signals.vocabulary import ComparisonArm, Role
from signals.web import labels
from signals.web.http.fields import StrictDate
from signals.web.staff_kit import account_shared, display, forms
from signals.web.staff_kit.auth import requires_page
from signals.web.staff_kit.context import act, desk

registering_pages = Blueprint("registering", __name__)
account_shared.share_with(registering_pages)

AUTHENTICATION = "cookie"

_SAID_HERE: Final = {
    "too_few_arms": _("Choose two orders at least."),
    "not_within_years": _("Choose a day three months to five years from now."),
}


class RegisterForm(forms.Form):
    """A plan; the orders are boxes with the name `arm-CODE`."""

    question = fields.String(required=True)
    base_percent = fields.Integer(required=True)
    target_percent = fields.Integer(required=True)
    ends_on = StrictDate(required=True)
    ethics_reference = fields.String(required=True)

    @post_load
    def with_arms(self, data: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        return {**data, "arms": [arm for arm in ComparisonArm if f"arm-{arm}" in request.form]}


_FORM: Final = RegisterForm()


@registering_pages.get("/figures/comparisons/new")
@requires_page(Role.COORDINATOR)
def form() -> str:
    """Show the form of a new comparison."""
    return _page()


@registering_pages.post("/figures/comparisons/new")
@requires_page(Role.COORDINATOR)
def add() -> Any:
    """Say how many signals the plan needs; register it only after that."""
    try:
        plan = plan_for(today(desk().clock), **forms.load(_FORM))
        if request.form.get("do") != "register":
            return _page(plan=plan)
        made = act(register, plan)
        return account_shared.see_other("comparisons.one", code=made.code)
    except (ValidationError, Invalid) as refused:
        return _page(errors=forms.messages(refused, _SAID_HERE)), 400
    except Conflict as refused:
        return _page(trouble=forms.trouble(refused.code)), refused.status


@registering_pages.post("/figures/comparisons/<code>/stop")
@requires_page(Role.COORDINATOR)
def end(code: str) -> Response:
    """Draw no further signals; the page of the comparison stays as it is."""
    act(stop, code=code)
    return account_shared.see_other("comparisons.one", code=code)


@registering_pages.post("/desk/figures/comparisons/<code>")
@requires_page(Role.LEAD)
def participate(code: str) -> Response:
    """Let the team take part, or not any more."""
    act(take_part, code=code, takes_part=request.form.get("takes_part") == "yes")
    return account_shared.see_other("own_figures.page")


def _page(*, plan: Plan | None = None, errors: Mapping[str, str] | None = None, trouble: str = "") -> str:
    return render_template(
        "figures/comparison_new.html",
        orders=labels.choices(ComparisonArm, display.page_language()),
        typed=forms.typed_text() if request.form else {},
        errors=errors or {},
        trouble=trouble,
        plan=plan,
    )
