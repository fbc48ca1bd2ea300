"""The administrator's pages: organisations, coverage, staff and approvals; no address and no signal."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, render_template, request
from flask_babel import gettext
from marshmallow import ValidationError, fields, validate

from signals.clock import today
from signals.errors import NotFound, SignalsError
from signals.models import Organisation
from signals.notices import going_live
from signals.organisations import administration, covering
from signals.organisations.onboarding import receives
from signals.organisations.recipients import MOST_RECIPIENTS
from signals.organisations.team_settings import StaleSettings
from signals.routing.areas import Area
from signals.routing.receivers import missing_before_receiving
from signals.routing.rows import CoverageLevel
from signals.staff import standing
from signals.staff.invitations import INVITED_BY_LEADS
from signals.vocabulary import OrganisationKind, Role
from signals.web.admin import approval_pages, office
from signals.web.admin.schemas import MAX_BASIS
from signals.web.http.fields import Choice, StrictDate
from signals.web.labels import label
from signals.web.staff_kit import account_shared, forms, page_kit
from signals.web.staff_kit.area_words import area_name, area_names, named_area
from signals.web.staff_kit.auth import requires_page
from signals.web.staff_kit.context import act, desk, read
from signals.web.staff_kit.schemas import STAFF_LANGUAGE

admin_pages = Blueprint("admin_pages", __name__, url_prefix="/admin")

AUTHENTICATION = "cookie"

PLACES_FOR_RECIPIENTS: Final = 3
"""The least number of places; one is empty while a team may have more recipients."""
_REFUSED: Final = (*page_kit.REFUSED, StaleSettings)


_PAGE: Final = "/admin/organisations/{organisation_id}"


class OrganisationForm(forms.Form):
    """A new organisation."""

    name = fields.String(required=True, validate=validate.Length(max=120))
    kind = Choice(OrganisationKind, required=True)


class OnboardForm(forms.Form):
    """The fields that an organisation needs before it receives; an empty field empties the value."""

    name = fields.String(required=True, validate=validate.Length(max=120))
    agreement_on = StrictDate(load_default=None)
    legal_basis = fields.String(load_default="", validate=validate.Length(max=MAX_BASIS))
    retention_basis = fields.String(load_default="", validate=validate.Length(max=MAX_BASIS))
    suspended_from = StrictDate(load_default=None)
    contact_phone = fields.String(load_default="", validate=validate.Length(max=40))
    contact_email = fields.String(load_default="", validate=validate.Length(max=254))


class AreaForm(forms.Form):
    """An area to cover."""

    area = fields.String(required=True, validate=validate.Length(max=80))
    number_from = fields.Integer(load_default=None)
    number_to = fields.Integer(load_default=None)
    valid_from = StrictDate(load_default=None)
    valid_until = StrictDate(load_default=None)


class StaffForm(forms.Form):
    """Somebody to let in."""

    name = fields.String(required=True, validate=validate.Length(max=120))
    email = fields.String(required=True, validate=validate.Length(max=254))
    role = Choice(Role, required=True)
    language = Choice(STAFF_LANGUAGE, load_default="nl")


class CheckForm(forms.Form):
    """A day, from the address of the page."""

    on = StrictDate(load_default=None)


def sections() -> list[tuple[str, str]]:
    """Return the sections of the administrator's pages."""
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
    """Show all organisations and what each lacks."""
    return _organisations_page()


@admin_pages.post("/organisations")
@requires_page(Role.ADMINISTRATOR, recent="/admin")
def add_organisation() -> Any:
    """Add an organisation."""
    try:
        added = act(administration.add_organisation, **forms.load(_ORGANISATION))
    except page_kit.REFUSED as refused:
        return _organisations_page(refused), _status(refused)
    return account_shared.see_other(".organisation", organisation_id=added.id)


@admin_pages.get("/organisations/<uuid:organisation_id>")
@requires_page(Role.ADMINISTRATOR)
def organisation(organisation_id: UUID) -> str:
    """Show one organisation: onboarding, coverage and staff."""
    return _organisation_page(organisation_id)


@admin_pages.post("/organisations/<uuid:organisation_id>")
@requires_page(Role.ADMINISTRATOR, recent=_PAGE)
def change_organisation(organisation_id: UUID) -> Any:
    """Change or onboard an organisation."""

    def work() -> None:
        changes = forms.load(_ONBOARD) | {"recipients": _typed_recipients()}
        office.change_organisation(organisation_id, changes, forms.version())

    return _take(organisation_id, "onboard", work)


@admin_pages.post("/organisations/<uuid:organisation_id>/coverage")
@requires_page(Role.ADMINISTRATOR, recent=_PAGE)
def add_area(organisation_id: UUID) -> Any:
    """Let an organisation cover an area."""

    def work() -> None:
        values = forms.load(_AREA)
        level, values["area"] = named_area(values["area"], numbered=values["number_from"] is not None)
        values["valid_from"] = values["valid_from"] or today(desk().clock)
        office.add_area(organisation_id, Area(level=level, **values))

    return _take(organisation_id, "area", work)


@admin_pages.post("/organisations/<uuid:organisation_id>/live")
@requires_page(Role.ADMINISTRATOR, recent=_PAGE)
def go_live(organisation_id: UUID) -> Any:
    """Send the test message whose answer makes the team live."""
    return _take(organisation_id, "live", lambda: office.send_test_message(organisation_id))


@admin_pages.post("/organisations/<uuid:organisation_id>/staff")
@requires_page(Role.ADMINISTRATOR, recent=_PAGE)
def add_staff(organisation_id: UUID) -> Any:
    """Invite the first lead, or ask the team."""

    def work() -> None:
        office.let_in(**forms.load(_STAFF), organisation=organisation_id)

    return _take(organisation_id, "staff", work)


@admin_pages.post("/organisations/<uuid:organisation_id>/staff/<uuid:member_id>/disable")
@requires_page(Role.ADMINISTRATOR, recent=_PAGE)
def disable(organisation_id: UUID, member_id: UUID) -> Any:
    """Shut somebody out."""
    return _take(organisation_id, "", lambda: office.disable(member_id))


@admin_pages.post("/organisations/<uuid:organisation_id>/staff/<uuid:member_id>/reset")
@requires_page(Role.ADMINISTRATOR, recent=_PAGE)
def reset(organisation_id: UUID, member_id: UUID) -> Any:
    """Ask the team for a reset."""
    return _take(organisation_id, "", lambda: office.reset(member_id))


@admin_pages.get("/coverage")
@requires_page(Role.ADMINISTRATOR)
def coverage() -> Any:
    """Show gaps and overlaps on a day, and the next boundary change."""
    try:
        on, errors = _CHECK.load({n: t for n, t in request.args.items() if t.strip()})["on"], {}
    except ValidationError as refused:
        on, errors = None, page_kit.errors_of(refused)
    page = render_template("admin/coverage.html", check=office.check_coverage(on), errors=errors)
    return page, 400 if errors else 200


@admin_pages.get("/approvals")
@requires_page(Role.ADMINISTRATOR)
def approvals() -> str:
    """Show the requests to teams and to other administrators, and their decisions."""
    return render_template(
        "admin/approvals.html", approvals=office.approvals(), trouble="", decide="admin_pages.decide"
    )


@admin_pages.post("/approvals/<uuid:approval_id>/approve", defaults={"answer": "approve"})
@admin_pages.post("/approvals/<uuid:approval_id>/decline", defaults={"answer": "decline"})
@requires_page(Role.ADMINISTRATOR, recent="/admin/approvals")
def decide(approval_id: UUID, answer: str) -> Any:
    """Approve or decline what another administrator asked."""
    return approval_pages.decided(".approvals", "admin_pages.decide", approval_id, answer)


def _take(organisation_id: UUID, form: str, work: Callable[[], object]) -> Any:
    try:
        work()
    except _REFUSED as refused:
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
    if isinstance(refused, StaleSettings):
        form = ""  # show the current values: the typed ones would undo the other change
    return render_template(
        "admin/organisation.html",
        found=found,
        receives=receives(found, today(desk().clock)),
        missing=_missing(found),
        areas=read(covering.covered_areas, organisation_id=organisation_id),
        waiting=office.areas_waiting(organisation_id),
        level=CoverageLevel,
        name_of=area_name,
        area_names=area_names(),
        today=today(desk().clock),
        steps=office.steps_to_live(found),
        tested_on=read(going_live.unanswered_since, organisation_id),
        staff=office.staff_of(organisation_id),
        has_team=read(standing.is_live, organisation_id),
        roles=[(role.value, label(role, page_kit.language())) for role in _ROLES],
        recipients=_typed_rows() if form == "onboard" else _recipients(found),
        form=form,
        done=request.args.get("done", ""),
        **_refusal(refused),
    )


def _refusal(refused: SignalsError | ValidationError | None) -> Mapping[str, Any]:
    if refused is None:
        return {"errors": {}, "trouble": "", "typed": {}}
    return {
        "errors": {_on_page(name): words for name, words in page_kit.errors_of(refused).items()},
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
        "drill": gettext("an answered test message"),
    }
    return [words[name] for name in missing_before_receiving(found)]


def _on_page(name: str) -> str:
    """Return the page's name of a field: `recipients.1.address` of filled places can be `recipient-2`."""
    kind, *rest = name.split(".")
    return f"recipient-{_filled_places()[int(rest[0])]}" if kind == "recipients" and rest else name


def _recipients(found: Organisation) -> list[tuple[str, date | None]]:
    """Return (address, day of verification) of every recipient, and empty places for more."""
    known = [(one.address, one.verified_on) for one in found.recipients]
    places = min(max(PLACES_FOR_RECIPIENTS, len(known) + 1), MOST_RECIPIENTS)
    return known + [("", None)] * (places - len(known))


def _typed_rows() -> list[tuple[str, date | None]]:
    """Return the typed recipients, each at its own place."""
    typed = [place for place in range(MOST_RECIPIENTS) if f"recipient-{place}" in request.form]
    return [(_typed_address(place), None) for place in range(max([PLACES_FOR_RECIPIENTS - 1, *typed]) + 1)]


def _typed_address(place: int) -> str:
    return request.form.get(f"recipient-{place}", "").strip()


def _filled_places() -> list[int]:
    return [place for place in range(MOST_RECIPIENTS) if _typed_address(place)]


def _typed_recipients() -> list[dict[str, Any]]:
    return [{"address": _typed_address(place)} for place in _filled_places()]


def _search() -> str:
    return request.args.get("search", "")[:80]


_ROLES = tuple(role for role in Role if role in INVITED_BY_LEADS)
_ORGANISATION = OrganisationForm()
_ONBOARD = OnboardForm()
_AREA = AreaForm()
_STAFF = StaffForm()
_CHECK = CheckForm()
