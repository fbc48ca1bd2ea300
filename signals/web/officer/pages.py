"""The privacy officer's pages: the overview, the register of requests, the audit trail, and retention."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, Response, render_template, request
from marshmallow import ValidationError, fields, validate

from signals.audit.trail import AuditFilter
from signals.residents.requests import IdentityProof, ResidenceProof, Right
from signals.staff.approvals import waiting_approvals
from signals.vocabulary import AuditAction, RetentionRule, Role
from signals.web.http.fields import Choice
from signals.web.officer.api import csv_answer
from signals.web.officer.forgotten import forgotten, give_up, keep_period, set_period
from signals.web.officer.record_schemas import MOST_DAYS, DayOrMoment, LegalBasis, filter_in
from signals.web.officer.register import register_page
from signals.web.officer.trail import people, trail_csv, trail_page
from signals.web.staff_kit import account_shared, forms, page_kit, trail_words
from signals.web.staff_kit.auth import current, requires_page
from signals.web.staff_kit.context import desk, read
from signals.web.staff_kit.opened import organisation_id
from signals.web.staff_kit.page_kit import officer_sections

officer_pages = Blueprint("officer_pages", __name__, url_prefix="/desk/officer")
page_kit.share_with(officer_pages, officer_sections)

AUTHENTICATION = "cookie"

PAGE_SIZE: Final = 50


class PeriodForm(forms.Form):
    """A retention period."""

    rule = Choice(RetentionRule, required=True)
    days = fields.Integer(required=True, validate=validate.Range(min=1, max=MOST_DAYS))
    legal_basis = LegalBasis()


class KeptForm(forms.Form):
    """The rule whose period stays as it is."""

    rule = Choice(RetentionRule, required=True)


class AuditForm(forms.Form):
    """Filters of the audit trail, from the address of the page."""

    actor = fields.UUID(load_default=None)
    subject = fields.UUID(load_default=None)
    action = Choice(AuditAction, load_default=None)
    since = DayOrMoment(load_default=None)
    until = DayOrMoment(load_default=None, end=True)


_PERIOD: Final = PeriodForm()
_KEPT: Final = KeptForm()
_AUDIT: Final = AuditForm()


@officer_pages.get("")
@requires_page(Role.PRIVACY_OFFICER)
def overview() -> str:
    """Show where to begin, and what waits."""
    waiting = read(waiting_approvals, desk().clock, organisation_id=organisation_id())
    return render_template("desk/officer/overview.html", waiting=waiting)


@officer_pages.get("/register")
@requires_page(Role.PRIVACY_OFFICER)
def register() -> str:
    """Show the register of requests, page by page."""
    page = register_page(limit=PAGE_SIZE, cursor=request.args.get("cursor"))
    return render_template(
        "desk/officer/register.html", page=page, right=Right, identity=IdentityProof, residence=ResidenceProof
    )


@officer_pages.get("/audit")
@requires_page(Role.PRIVACY_OFFICER)
def audit() -> Any:
    """Show the audit trail with its filters."""
    try:
        wanted, errors = _filter(), {}
    except ValidationError as refused:
        wanted, errors = AuditFilter(), page_kit.errors_of(refused)
    page = trail_page(wanted, limit=PAGE_SIZE, cursor=request.args.get("cursor"))
    with desk().reading() as session:
        staff = [(str(member.id), member.name) for member in people(session)]
    chosen = {name: text for name, text in request.args.items() if name in _AUDIT.fields}
    text = render_template(
        "desk/officer/audit.html",
        page=page,
        people=staff,
        actions=page_kit.choices(AuditAction),
        action_words=trail_words.action_words,
        ground_words=trail_words.ground_words,
        outcome_words=trail_words.outcome_words,
        actor_words=trail_words.actor_words,
        chosen=chosen,
        errors=errors,
    )
    return text, 400 if errors else 200


@officer_pages.get("/audit.csv")
@requires_page(Role.PRIVACY_OFFICER)
def audit_csv() -> Response:
    """Give the audit trail as a CSV file."""
    return csv_answer(trail_csv(_filter()))


@officer_pages.get("/retention")
@requires_page(Role.PRIVACY_OFFICER, Role.LEAD)
def retention() -> str:
    """Show what was deleted when, and the periods; a lead may keep a period that gets shorter."""
    return _retention_page(done=request.args.get("done", ""))


@officer_pages.post("/retention")
@requires_page(Role.PRIVACY_OFFICER)
def change_period() -> Any:
    """Set a period with its legal basis."""
    try:
        set_period(**forms.load(_PERIOD))
    except page_kit.REFUSED as refused:
        return _retention_page(errors=page_kit.errors_of(refused), typed=forms.typed_text()), 400
    return account_shared.see_other(".retention", done="changed")


@officer_pages.post("/retention/keep")
@requires_page(Role.PRIVACY_OFFICER, Role.LEAD)
def keep_longer() -> Response:
    """Withdraw a shorter period before it holds."""
    keep_period(**forms.load(_KEPT))
    return account_shared.see_other(".retention", done="kept")


@officer_pages.post("/retention/unreadable/<uuid:signal_id>")
@requires_page(Role.PRIVACY_OFFICER)
def give_up_unreadable(signal_id: UUID) -> Response:
    """Order the deletion of a signal that nobody can read."""
    give_up(signal_id)
    return account_shared.see_other(".retention", done="given_up")


def _retention_page(
    *, errors: Mapping[str, str] | None = None, typed: Mapping[str, str] | None = None, done: str = ""
) -> str:
    return render_template(
        "desk/officer/retention.html",
        found=forgotten(limit=PAGE_SIZE, cursor=request.args.get("cursor")),
        errors=errors or {},
        typed=typed or {},
        done=done,
        changes=current().actor.role == Role.PRIVACY_OFFICER,
    )


def _filter() -> AuditFilter:
    return filter_in(_AUDIT.load({name: text for name, text in request.args.items() if text.strip()}))
