"""Finding a signal again when a resident calls back: by reference or by address, always by POST."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from flask import Blueprint, render_template, request
from marshmallow import ValidationError, fields, validate

from signals.vocabulary import Role
from signals.web.desk import account_shared, forms
from signals.web.desk.auth import requires_page
from signals.web.desk.officer_pages import AddressForm
from signals.web.desk.search import Found, search

search_pages = Blueprint("search_pages", __name__, url_prefix="/desk", template_folder="templates")
account_shared.share_with(search_pages)

AUTHENTICATION = "cookie"
"""What every view here asks for."""

_FOLLOW_UP: Final = (Role.WORKER, Role.LEAD)


class ReferenceForm(forms.Form):
    """A reference, as it stands on a letter."""

    reference = fields.String(required=True, validate=validate.Length(max=20, error="too_long"))


@search_pages.get("/search")
@requires_page(*_FOLLOW_UP)
def form() -> str:
    """What is sought: a reference or an address."""
    return _page()


@search_pages.post("/search")
@requires_page(*_FOLLOW_UP)
def find() -> Any:
    """What was found in the own organisation; the audit entry is committed first."""
    by = "address" if request.form.get("by") == "address" else "reference"
    try:
        wanted = forms.load(_FORMS[by])
    except ValidationError as refused:
        return _page(by=by, errors=forms.messages(refused)), 400
    return _page(by=by, found=search(**_ARGUMENTS[by](wanted)))


def _page(*, by: str = "", found: Found | None = None, errors: Mapping[str, str] | None = None) -> str:
    return render_template(
        "desk/search.html", by=by, found=found, errors=errors or {}, typed=forms.typed_text()
    )


def _of_address(wanted: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "postcode": wanted["postcode"],
        "number": wanted["house_number"],
        "addition": wanted["house_number_addition"],
    }


_FORMS: Final = {"reference": ReferenceForm(), "address": AddressForm()}
_ARGUMENTS: Final[Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]]] = {
    "reference": dict,
    "address": _of_address,
}
