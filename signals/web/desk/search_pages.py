"""Finding a signal again when a resident calls back: by reference or by address, always by POST.

What was found is a page of its own, so that one can go back to it from a signal. Its address holds neither
what was sought nor anything to read: the ids of the signals, sealed for the session that searched.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, render_template, request
from marshmallow import ValidationError, fields, validate

from signals.vocabulary import Role
from signals.web.staff_kit import account_shared, forms
from signals.web.staff_kit.address_form import AddressForm
from signals.web.staff_kit.auth import current, requires_page
from signals.web.staff_kit.context import desk
from signals.web.staff_kit.search import Found, found_before, search

search_pages = Blueprint("search_pages", __name__, url_prefix="/desk")
account_shared.share_with(search_pages)

AUTHENTICATION = "cookie"
"""What every view here asks for."""

SHOWN_FOR: Final = timedelta(minutes=30)
"""How long one can go back to what a search found."""
_USE: Final = "search"
_FOLLOW_UP: Final = (Role.WORKER, Role.LEAD)


class ReferenceForm(forms.Form):
    """A reference, as it stands on a letter."""

    reference = fields.String(required=True, validate=validate.Length(max=20, error="too_long"))


@search_pages.get("/search")
@requires_page(*_FOLLOW_UP)
def form() -> Any:
    """What is sought, a reference or an address; with `found` what a search of this session found."""
    if "found" not in request.args:
        return _page()
    found = _found_in(request.args["found"])
    return (_page(over=True), 410) if found is None else _page(found=found, again=True)


@search_pages.post("/search")
@requires_page(*_FOLLOW_UP)
def find() -> Any:
    """To what was found in the own organisation; the audit entry is committed first."""
    by = "address" if request.form.get("by") == "address" else "reference"
    try:
        wanted = forms.load(_FORMS[by])
    except ValidationError as refused:
        return _page(by=by, errors=forms.messages(refused)), 400
    found = search(**_ARGUMENTS[by](wanted))
    if not found.items:
        return _page(by=by, found=found)  # with what was typed, to be looked over: there is nothing to go to
    return account_shared.see_other(".form", found=_sealed(found))


def _sealed(found: Found) -> str:
    content = {
        "ids": [signal.id.hex for signal in found.items],
        "deleted": [day.isoformat() for day in found.deleted_received_on],
        "more": found.more,
    }
    return desk().browser_state.seal(_USE, content, whose=str(current().session.id), lasts=SHOWN_FOR)


def _found_in(text: str) -> Found | None:
    """What `_sealed` wrote in this session, as it is now; None for anything else, and when it is too old."""
    content = desk().browser_state.open(_USE, text, whose=str(current().session.id))
    if content is None:
        return None
    found = found_before([UUID(hex=one) for one in content["ids"]])
    deleted = [date.fromisoformat(day) for day in content.get("deleted", ())]
    return replace(found, deleted_received_on=deleted, more=content.get("more", False))


def _page(
    *,
    by: str = "",
    found: Found | None = None,
    errors: Mapping[str, str] | None = None,
    again: bool = False,
    over: bool = False,
) -> str:
    """`again`: found by an earlier request; `over`: by another session, or too long ago to be shown."""
    return render_template(
        "desk/search.html",
        by=by,
        found=found,
        errors=errors or {},
        typed=forms.typed_text(),
        again=again,
        over=over,
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
