"""The privacy officer's pages about residents' rights: search, give access, correct, restrict, erase."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from flask import Blueprint, Response, jsonify, render_template, request
from marshmallow import ValidationError

from signals.errors import FieldProblem, Invalid, SignalsError, StaleVersion
from signals.residents.rectifying import Correction
from signals.residents.requests import IdentityProof, ResidenceProof, Right
from signals.routing.postcodes import Address
from signals.vocabulary import ConcernType, Role
from signals.web.officer import rights
from signals.web.officer.api import pdf_answer
from signals.web.officer.export_schemas import ExportedSchema
from signals.web.officer.rights_forms import (
    EraseForm,
    ExportForm,
    RectifyForm,
    RestrictForm,
    ids_in,
    notes_in_form,
)
from signals.web.officer.rights_schemas import address_in, correction_in, proof_in
from signals.web.staff_kit import forms, page_kit
from signals.web.staff_kit.auth import requires_page
from signals.web.staff_kit.forms import AddressForm
from signals.web.staff_kit.page_kit import officer_sections

rights_pages = Blueprint("rights_pages", __name__, url_prefix="/desk/officer/residents")
page_kit.share_with(rights_pages, officer_sections)

AUTHENTICATION = "cookie"

_SEARCHED: Final = "searched_"
"""The names of the fields with the address of the page begin so; the others hold the right address."""
_ADDRESS: Final = AddressForm()
_EXPORT: Final = ExportForm()
_ERASE: Final = EraseForm()
_RECTIFY: Final = RectifyForm()
_RESTRICT: Final = RestrictForm()
_EXPORTED: Final = ExportedSchema()


@rights_pages.get("")
@requires_page(Role.PRIVACY_OFFICER)
def residents() -> str:
    """Explain the rights in plain words, and ask for an address."""
    return _search_page()


@rights_pages.post("")
@requires_page(Role.PRIVACY_OFFICER)
def find() -> Any:
    """Show what there is on an address, with the possible steps."""
    return _take(lambda: _found_page(address_in(forms.load(_ADDRESS))))


@rights_pages.post("/export")
@requires_page(Role.PRIVACY_OFFICER)
def export() -> Any:
    """Give access (art. 15 AVG) as PDF or JSON; register and audit come first."""

    def work() -> Response:
        values = forms.load(_EXPORT)
        document = rights.export(address_in(values), proof_in(values))
        is_json = values["format"] == "json"
        answer = jsonify(_EXPORTED.dump(document)) if is_json else pdf_answer(document)
        answer.headers["Content-Disposition"] = f'attachment; filename="inzage.{values["format"]}"'
        return answer

    return _take(work, again="export")


@rights_pages.post("/erase")
@requires_page(Role.PRIVACY_OFFICER)
def erase() -> Any:
    """Erase (art. 17 AVG), or grant an objection (art. 21)."""

    def work() -> str:
        values = forms.load(_ERASE)
        seen = ids_in(values["seen"])
        done = rights.erase(address_in(values), proof_in(values), Right(values["right"]), seen=seen)
        return render_template("desk/officer/done.html", erased=done)

    return _take(work, again="erase")


@rights_pages.post("/rectify")
@requires_page(Role.PRIVACY_OFFICER)
def rectify() -> Any:
    """Correct a signal (art. 16 AVG): its address, its content, and the resident's own words with it."""

    def work() -> str:
        values = forms.load(_RECTIFY)
        correction = correction_in(values | {"notes": notes_in_form()})
        searched = _named_in_form(_SEARCHED)
        if searched is not None and correction == Correction(address=searched):
            raise Invalid(FieldProblem(field="withdrawn", code="nothing_to_correct"))
        signal = rights.rectify(
            values["signal_id"], correction, proof_in(values), expected_version=forms.version()
        )
        return render_template("desk/officer/done.html", rectified=signal)

    return _take(work, again=_of_signal("rectify"))


@rights_pages.post("/restrict")
@requires_page(Role.PRIVACY_OFFICER)
def restrict() -> Any:
    """Restrict a signal (art. 18 AVG), or lift the restriction."""

    def work() -> str:
        values = forms.load(_RESTRICT)
        lift, version = values["lift"], forms.version()
        signal = rights.restrict(values["signal_id"], proof_in(values), lift=lift, expected_version=version)
        return render_template("desk/officer/done.html", restricted=signal)

    return _take(work, again=_of_signal("restrict"))


def _take(work: Callable[[], Any], *, again: str = "") -> Any:
    """Do the work, or show the form again with the typed text; no part of an address gets into a URL."""
    try:
        return work()
    except (*page_kit.REFUSED, StaleVersion) as refused:
        status = 400 if isinstance(refused, ValidationError) else refused.status
        return _once_more(refused, again), status


def _once_more(refused: SignalsError | ValidationError, again: str) -> str:
    errors, trouble = page_kit.errors_of(refused), page_kit.trouble_of(refused)
    place = _named_in_form(_SEARCHED) or _named_in_form("")
    if again and place is not None:
        return _found_page(place, form=again, errors=errors, trouble=trouble)
    return _search_page(errors=errors, trouble=trouble, typed=forms.typed_text())


def _named_in_form(before: str) -> Address | None:
    """Return the address in the fields whose names begin so; None without one."""
    typed = {name: request.form.get(f"{before}{name}", "") for name in _ADDRESS.fields}
    try:
        return address_in(_ADDRESS.load(typed))
    except ValidationError:
        return None


def _of_signal(form: str) -> str:
    """Return the name of a signal's own form: the page has one for each signal."""
    return f"{form}-{request.form.get('signal_id', '')}"


def _search_page(
    *, errors: Mapping[str, str] | None = None, trouble: str = "", typed: Mapping[str, str] | None = None
) -> str:
    return render_template(
        "desk/officer/residents.html", errors=errors or {}, trouble=trouble, typed=typed or {}
    )


def _found_page(
    place: Address, *, form: str = "", errors: Mapping[str, str] | None = None, trouble: str = ""
) -> str:
    return render_template(
        "desk/officer/found.html",
        place=place,
        held=rights.find(place),
        identity=page_kit.choices(IdentityProof),
        residence=page_kit.choices(ResidenceProof),
        concerns=page_kit.choices(ConcernType),
        withdrawn=request.form.getlist("withdrawn"),
        form=form,
        errors=errors or {},
        trouble=trouble,
        typed=forms.typed_text(),
    )
