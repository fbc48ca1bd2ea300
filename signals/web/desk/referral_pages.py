"""Serve the page on which a team hands a signal over to another organisation."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Blueprint, render_template, request
from marshmallow import ValidationError, fields, validate

from signals.casework.access import FOLLOW_UP_ROLES
from signals.errors import StaleVersion
from signals.vocabulary import ReferralReason
from signals.web.staff_kit import forms, page_kit
from signals.web.staff_kit.auth import requires_page
from signals.web.staff_kit.opened import open_signal
from signals.web.staff_kit.referring import MAX_REASON, candidates, hand_over
from signals.web.staff_kit.schemas import Choice

referral_pages = Blueprint("referral_pages", __name__, url_prefix="/desk/signals")
page_kit.share_with(referral_pages, lambda: ())

AUTHENTICATION = "cookie"


class ReferForm(forms.Form):
    """Name the receiver and the reason; `text` is sealed for the receiver."""

    organisation_id = fields.UUID(required=True)
    reason = Choice(ReferralReason, required=True)
    text = fields.String(load_default="", validate=validate.Length(max=MAX_REASON, error="too_long"))


@referral_pages.get("/<uuid:signal_id>/refer")
@requires_page(*FOLLOW_UP_ROLES)
def refer(signal_id: UUID) -> str:
    """Show the form; `search` narrows the organisations by name."""
    return _page(signal_id)


@referral_pages.post("/<uuid:signal_id>/refer")
@requires_page(*FOLLOW_UP_ROLES)
def refer_now(signal_id: UUID) -> Any:
    """Hand the signal over, and say that it is gone here."""
    try:
        values = forms.load(_FORM)
        done = hand_over(
            signal_id,
            receiver_id=values["organisation_id"],
            reason=values["reason"],
            text=values["text"],
            expected_version=forms.version(),
        )
    except (*page_kit.REFUSED, StaleVersion) as refused:
        status = 400 if isinstance(refused, ValidationError) else refused.status
        errors, trouble = page_kit.errors_of(refused), page_kit.trouble_of(refused)
        return _page(signal_id, errors=errors, trouble=trouble, typed=forms.typed_text()), status
    return render_template("desk/officer/referred.html", done=done)


def _page(
    signal_id: UUID,
    *,
    errors: Mapping[str, str] | None = None,
    trouble: str = "",
    typed: Mapping[str, str] | None = None,
) -> str:
    search = request.args.get("search", "")[:80]
    opened = open_signal(signal_id)
    return render_template(
        "desk/officer/refer.html",
        signal=opened.signal,
        search=search,
        organisations=[(str(found.id), found.name) for found in candidates(search)],
        reasons=page_kit.choices(ReferralReason),
        errors=errors or {},
        trouble=trouble,
        typed=typed or {},
    )


_FORM = ReferForm()
