"""The administrator's pages: organisations, coverage, staff and approvals; never an address or a signal."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from flask import Blueprint, render_template, request
from flask_babel import gettext
from marshmallow import ValidationError, fields, validate

from signals import administration, reference
from signals.clock import today
from signals.errors import NotFound, SignalsError
from signals.models import Organisation
from signals.organisations import Area, receives
from signals.routing_table import CoverageLevel
from signals.staff.recovery import INVITED_BY_LEADS
from signals.vocabulary import STAFF_LANGUAGES, OrganisationKind, Role
from signals.web.admin import office
from signals.web.admin.schemas import MAX_BASIS
from signals.web.desk import account_shared, forms, officer_labels, page_kit
from signals.web.desk.auth import requires_page
from signals.web.desk.context import desk
from signals.web.desk.schemas import Choice
from signals.web.front.schemas import StrictDate

admin_pages = Blueprint("admin_pages", __name__, url_prefix="/admin", template_folder="templates")

AUTHENTICATION = "cookie"
"""What every view here asks for."""

PLACES_FOR_RECIPIENTS = 3


class OrganisationForm(forms.Form):
    """A new organisation."""

    name = fields.String(required=True, validate=validate.Length(max=120, error="too_long"))
    kind = Choice(OrganisationKind, required=True)


class OnboardForm(forms.Form):
    """What an organisation needs before it receives; an empty field is emptied."""

    name = fields.String(required=True, validate=validate.Length(max=120, error="too_long"))
    agreement_on = StrictDate(load_default=None)
    legal_basis = fields.String(load_default="", validate=validate.Length(max=MAX_BASIS, error="too_long"))
    retention_basis = fields.String(
        load_default="", validate=validate.Length(max=MAX_BASIS, error="too_long")
    )
    suspended_from = StrictDate(load_default=None)
    contact_phone = fields.String(load_default="", validate=validate.Length(max=40, error="too_long"))
    contact_email = fields.String(load_default="", validate=validate.Length(max=254, error="too_long"))


class AreaForm(forms.Form):
    """An area to cover."""

    level = Choice(CoverageLevel, required=True)
    area = fields.String(required=True, validate=validate.Length(max=6, error="too_long"))
    number_from = fields.Integer(load_default=None)
    number_to = fields.Integer(load_default=None)
    valid_from = StrictDate(required=True)
    valid_until = StrictDate(load_default=None)


class StaffForm(forms.Form):
    """Somebody to let in."""

    name = fields.String(required=True, validate=validate.Length(max=120, error="too_long"))
    email = fields.String(required=True, validate=validate.Length(max=254, error="too_long"))
    role = Choice(Role, required=True)
    language = fields.String(
        load_default="nl", validate=validate.OneOf(STAFF_LANGUAGES, error="not_a_choice")
    )


class CheckForm(forms.Form):
    """A day, from the address of the page."""

    on = StrictDate(load_default=None)


def sections() -> list[tuple[str, str]]:
    """What the administrator's pages lead to."""
    return [
        ("admin_pages.organisations", gettext("Organisations")),
        ("admin_pages.coverage", gettext("Coverage")),
        ("admin_pages.approvals", gettext("Approvals")),
        ("channel_admin.overview", gettext("Messages")),
        ("channel_admin.sheets", gettext("Sheets to print")),
        ("figures.overview", gettext("Figures")),
    ]


page_kit.share_with(admin_pages, sections)


@admin_pages.get("")
@requires_page(Role.ADMINISTRATOR)
def organisations() -> str:
    """All organisations with what each lacks."""
    return _organisations_page()


@admin_pages.post("/organisations")
@requires_page(Role.ADMINISTRATOR)
def add_organisation() -> Any:
    """Add one."""
    try:
        added = office.add_organisation(**forms.load(_ORGANISATION))
    except page_kit.REFUSED as refused:
        return _organisations_page(refused), _status(refused)
    return account_shared.see_other(".organisation", organisation_id=added.id)


@admin_pages.get("/organisations/<uuid:organisation_id>")
@requires_page(Role.ADMINISTRATOR)
def organisation(organisation_id: UUID) -> str:
    """One organisation: onboarding, coverage and staff."""
    return _organisation_page(organisation_id)


@admin_pages.post("/organisations/<uuid:organisation_id>")
@requires_page(Role.ADMINISTRATOR)
def change_organisation(organisation_id: UUID) -> Any:
    """Change or onboard it."""

    def work() -> None:
        changes = forms.load(_ONBOARD) | {"recipients": _typed_recipients()}
        office.change_organisation(organisation_id, changes)

    return _take(organisation_id, "onboard", work)


@admin_pages.post("/organisations/<uuid:organisation_id>/coverage")
@requires_page(Role.ADMINISTRATOR)
def add_area(organisation_id: UUID) -> Any:
    """Let it cover an area."""

    def work() -> None:
        values = forms.load(_AREA)
        values["area"] = "".join(values["area"].split()).upper()
        office.add_area(organisation_id, Area(**values))

    return _take(organisation_id, "area", work)


@admin_pages.post("/organisations/<uuid:organisation_id>/staff")
@requires_page(Role.ADMINISTRATOR)
def add_staff(organisation_id: UUID) -> Any:
    """Invite its first lead, or ask the team."""

    def work() -> None:
        office.let_in(**forms.load(_STAFF), organisation=organisation_id)

    return _take(organisation_id, "staff", work)


@admin_pages.post("/organisations/<uuid:organisation_id>/staff/<uuid:member_id>/disable")
@requires_page(Role.ADMINISTRATOR)
def disable(organisation_id: UUID, member_id: UUID) -> Any:
    """Shut somebody out at once."""
    return _take(organisation_id, "", lambda: office.disable(member_id))


@admin_pages.post("/organisations/<uuid:organisation_id>/staff/<uuid:member_id>/reset")
@requires_page(Role.ADMINISTRATOR)
def reset(organisation_id: UUID, member_id: UUID) -> Any:
    """Ask the team for a reset."""
    return _take(organisation_id, "", lambda: office.reset(member_id))


@admin_pages.get("/coverage")
@requires_page(Role.ADMINISTRATOR)
def coverage() -> Any:
    """Gaps and overlaps on a day in words, and the next boundary change."""
    try:
        on, errors = _CHECK.load({n: t for n, t in request.args.items() if t.strip()})["on"], {}
    except ValidationError as refused:
        on, errors = None, page_kit.errors_of(refused)
    page = render_template("admin/coverage.html", check=office.check_coverage(on), errors=errors)
    return page, 400 if errors else 200


@admin_pages.get("/approvals")
@requires_page(Role.ADMINISTRATOR)
def approvals() -> str:
    """What was asked of teams, and how they decided."""
    return render_template("admin/approvals.html", approvals=office.approvals(), trouble="", decides=False)


def _take(organisation_id: UUID, form: str, work: Callable[[], object]) -> Any:
    try:
        work()
    except page_kit.REFUSED as refused:
        return _organisation_page(organisation_id, form, refused), _status(refused)
    return account_shared.see_other(".organisation", organisation_id=organisation_id, done=form or "staff")


def _organisations_page(refused: SignalsError | ValidationError | None = None) -> str:
    on = today(desk().clock)
    found = [(one, receives(one, on)) for one in office.organisations(_search())]
    return render_template(
        "admin/organisations.html",
        organisations=found,
        missing=_missing,
        search=_search(),
        kinds=page_kit.choices(OrganisationKind),
        **_refusal(refused),
    )


def _organisation_page(
    organisation_id: UUID, form: str = "", refused: SignalsError | ValidationError | None = None
) -> str:
    found = next((one for one in office.organisations() if one.id == organisation_id), None)
    if found is None:
        raise NotFound
    return render_template(
        "admin/organisation.html",
        found=found,
        receives=receives(found, today(desk().clock)),
        missing=_missing(found),
        areas=office.coverage(organisation_id),
        level=CoverageLevel,
        name_of=name_of,
        levels=page_kit.choices(CoverageLevel),
        staff=office.staff_of(organisation_id),
        roles=[(role.value, officer_labels.label(role, page_kit.language())) for role in _ROLES],
        places=range(PLACES_FOR_RECIPIENTS),
        form=form,
        done=request.args.get("done", ""),
        **_refusal(refused),
    )


def name_of(area: str) -> str:
    """`Amsterdam (GM0363)`; a postcode, and what is on no map of ours, as it is."""
    known = reference.municipalities().get(area) or reference.ggd_regions().get(area)
    return f"{known.name} ({area})" if known else area


def _refusal(refused: SignalsError | ValidationError | None) -> Mapping[str, Any]:
    if refused is None:
        return {"errors": {}, "trouble": "", "typed": {}}
    return {
        "errors": page_kit.errors_of(refused),
        "trouble": page_kit.trouble_of(refused),
        "typed": forms.typed_text(),
    }


def _status(refused: SignalsError | ValidationError) -> int:
    return 400 if isinstance(refused, ValidationError) else refused.status


def _missing(found: Organisation) -> list[str]:
    words = {
        "agreement_on": gettext("the agreement"),
        "legal_basis": gettext("the legal ground"),
        "retention_basis": gettext("the ground of the retention periods"),
        "recipients": gettext("two verified recipients"),
    }
    return [words[name] for name in administration.missing_before_receiving(found)]


def _typed_recipients() -> list[dict[str, Any]]:
    entries = []
    for place in range(PLACES_FOR_RECIPIENTS):
        address = request.form.get(f"recipient-{place}", "").strip()
        if address:
            verified = request.form.get(f"verified-{place}", "").strip()
            on = StrictDate().deserialize(verified) if verified else None
            entries.append({"address": address, "verified_on": on})
    return entries


def _search() -> str:
    return request.args.get("search", "")[:80]


_ROLES = tuple(role for role in Role if role in INVITED_BY_LEADS)
_ORGANISATION = OrganisationForm()
_ONBOARD = OnboardForm()
_AREA = AreaForm()
_STAFF = StaffForm()
_CHECK = CheckForm()
