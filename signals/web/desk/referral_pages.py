"""Serve the page on which a team hands a signal over to another organisation."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Blueprint, render_template
from marshmallow import ValidationError, fields, validate

from signals.casework.access import FOLLOW_UP_ROLES
from signals.casework.taking_back import handover_of, is_own
from signals.errors import Conflict, FieldProblem, Invalid, StaleVersion
from signals.vocabulary import ReferralReason
from signals.web.http.fields import Choice
from signals.web.staff_kit import account_shared, forms, page_kit
from signals.web.staff_kit.area_words import places
from signals.web.staff_kit.auth import requires_page
from signals.web.staff_kit.context import operation
from signals.web.staff_kit.opened import open_signal
from signals.web.staff_kit.referring import (
    MAX_REASON,
    MOST_FOUND,
    hand_over,
    receivers_of,
    take_signal_back,
    wanted_of,
)

referral_pages = Blueprint("referral_pages", __name__, url_prefix="/desk/signals")
page_kit.share_with(referral_pages, lambda: ())

AUTHENTICATION = "cookie"


class ReferForm(forms.Form):
    """Name the receiver and the reason; `text` is sealed for the receiver. `sure`: the name was confirmed."""

    organisation_id = fields.UUID(required=True)
    reason = Choice(ReferralReason, required=True)
    text = fields.String(load_default="", validate=validate.Length(max=MAX_REASON))
    sure = fields.String(load_default="")


@referral_pages.get("/<uuid:signal_id>/refer")
@requires_page(*FOLLOW_UP_ROLES)
def refer(signal_id: UUID) -> str:
    """Show who belongs to the address."""
    return _page(signal_id)


@referral_pages.post("/<uuid:signal_id>/refer")
@requires_page(*FOLLOW_UP_ROLES)
def refer_now(signal_id: UUID) -> Any:
    """Ask whether name and place are right; then hand the signal over.

    `again` shows the form once more: `search` finds others there, by a part of their name or place.
    """
    typed = forms.typed_text()
    if "again" in typed:
        return _page(signal_id, typed=typed)
    try:
        values = forms.load(_FORM)
        if not values["sure"]:
            return _page(signal_id, chosen=values["organisation_id"], typed=typed)
        hand_over(
            signal_id,
            receiver_id=values["organisation_id"],
            reason=values["reason"],
            text=values["text"],
            expected_version=forms.version(),
        )
    except (*page_kit.REFUSED, StaleVersion) as refused:
        status = 400 if isinstance(refused, ValidationError) else refused.status
        errors, trouble = page_kit.errors_of(refused), page_kit.trouble_of(refused)
        return _page(signal_id, errors=errors, trouble=trouble, typed=typed), status
    return account_shared.see_other(".handed_over", signal_id=signal_id)


@referral_pages.get("/<uuid:signal_id>/handed-over")
@requires_page(*FOLLOW_UP_ROLES)
def handed_over(signal_id: UUID) -> Any:
    """Show what the sender may still see, and until when it can take the signal back."""
    return _handed_over(signal_id)


@referral_pages.post("/<uuid:signal_id>/take-back")
@requires_page(*FOLLOW_UP_ROLES)
def take_back(signal_id: UUID) -> Any:
    """Take the signal back and show it; say so when it is too late."""
    try:
        take_signal_back(signal_id)
    except Conflict as refused:
        return _handed_over(signal_id, trouble=page_kit.trouble_of(refused)), refused.status
    return account_shared.see_other("desk.signal", signal_id=signal_id)


def _handed_over(signal_id: UUID, *, trouble: str = "") -> Any:
    """Show the page, or go to the signal when this organisation has it."""
    with operation(signal_id) as begun:
        if is_own(begun, signal_id):
            return account_shared.see_other("desk.signal", signal_id=signal_id)
        done = handover_of(begun, signal_id)
        return render_template("desk/officer/referred.html", done=done, trouble=trouble)


def _page(
    signal_id: UUID,
    *,
    chosen: UUID | None = None,
    errors: Mapping[str, str] | None = None,
    trouble: str = "",
    typed: Mapping[str, str] | None = None,
) -> str:
    typed = typed or {}
    search = typed.get("search", "")[:80]
    opened = open_signal(signal_id)
    route, found = receivers_of(opened)
    receiver = next((one for one in found if one.organisation.id == chosen), None)
    if chosen is not None and receiver is None:
        raise Invalid(FieldProblem(field="organisation_id", code="cannot_receive"))
    return render_template(
        "desk/officer/refer.html",
        opened=opened,
        signal=opened.signal,
        search=search,
        place=route.municipality_name if route else None,
        chosen=receiver,
        belonging=wanted_of(found, ""),
        others=[one for one in wanted_of(found, search) if not one.belongs] if search else [],
        places=places,
        most=MOST_FOUND,
        reasons=page_kit.choices(ReferralReason),
        errors=errors or {},
        trouble=trouble,
        typed=typed,
    )


_FORM = ReferForm()
