"""Find a signal again when a resident calls back, by reference or by address, always by POST.

The result is a page of its own, so that a person can return to it from a signal. Its address holds nothing
to read: only the ids of the signals, sealed for the session that searched.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, render_template, request
from marshmallow import ValidationError, fields, validate

from signals.casework.access import FOLLOW_UP_ROLES
from signals.casework.search import Found
from signals.web.desk import finding
from signals.web.staff_kit import account_shared, forms
from signals.web.staff_kit.auth import current, requires_page
from signals.web.staff_kit.context import desk
from signals.web.staff_kit.forms import AddressForm

search_pages = Blueprint("search_pages", __name__, url_prefix="/desk")
account_shared.share_with(search_pages)

AUTHENTICATION = "cookie"

SHOWN_FOR: Final = timedelta(minutes=30)
"""A person can return to the result of a search for this long."""
_USE: Final = "search"


class ReferenceForm(forms.Form):
    """Search by the reference on a letter."""

    reference = fields.String(required=True, validate=validate.Length(max=20))


@search_pages.get("/search")
@requires_page(*FOLLOW_UP_ROLES)
def form() -> Any:
    """Ask for a reference or an address; with `found` show what this session found."""
    if "found" not in request.args:
        return _page()
    found = _found_in(request.args["found"])
    return (_page(over=True), 410) if found is None else _page(found=found, again=True)


@search_pages.post("/search")
@requires_page(*FOLLOW_UP_ROLES)
def find() -> Any:
    """Search the own organisation and redirect to the result; the audit entry is committed first."""
    by = "address" if request.form.get("by") == "address" else "reference"
    try:
        wanted = forms.load(_FORMS[by])
    except ValidationError as refused:
        return _page(by=by, errors=forms.messages(refused)), 400
    found = finding.find(wanted)
    if not found.items:
        return _page(by=by, found=found)  # beside what the person typed, to check it
    return account_shared.see_other(".form", found=_sealed(found))


def _sealed(found: Found) -> str:
    content = {
        "ids": [signal.id.hex for signal in found.items],
        "deleted": [day.isoformat() for day in found.deleted_received_on],
        "more": found.more,
    }
    return desk().browser_state.seal(_USE, content, whose=str(current().session.id), lasts=SHOWN_FOR)


def _found_in(text: str) -> Found | None:
    """Read what `_sealed` wrote in this session; None for anything else, and when it is too old."""
    content = desk().browser_state.open(_USE, text, whose=str(current().session.id))
    if content is None:
        return None
    found = finding.found_again([UUID(hex=one) for one in content["ids"]])
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
    """Show the page. `again`: an earlier request found it. `over`: another session did, or too long ago."""
    return render_template(
        "desk/search.html",
        by=by,
        found=found,
        errors=errors or {},
        typed=forms.typed_text(),
        again=again,
        over=over,
    )


_FORMS: Final = {"reference": ReferenceForm(), "address": AddressForm()}
