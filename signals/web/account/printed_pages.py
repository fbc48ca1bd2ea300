"""Sign in with the two halves of a printed code; without a session."""

from typing import Any

from flask import Blueprint, render_template, request

from signals.errors import SignInFailed
from signals.staff.printed_codes import sign_in_with_halves
from signals.web.staff_kit import account_shared, auth, forms, signing_in
from signals.web.staff_kit.auth import open_to_all
from signals.web.staff_kit.context import desk, unknown_operation

printed_pages = Blueprint("printed", __name__, url_prefix="/desk/printed-code")
account_shared.share_with(printed_pages)

AUTHENTICATION = "none"
"""A code of 160 bits is its own proof."""


@printed_pages.get("")
@open_to_all
def form() -> str:
    """Ask for both halves."""
    return render_template("desk/account/printed_code.html")


@printed_pages.post("")
@open_to_all
def sign_in() -> Any:
    """Open a session, and tell the whole team."""
    auth.refuse_other_sites()
    halves = request.form.get("first", ""), request.form.get("second", "")
    try:
        with unknown_operation() as operation:
            hours = desk().settings.sessions.absolute_hours
            opened = sign_in_with_halves(operation, halves=halves, absolute_hours=hours)
    except SignInFailed as refused:
        page = render_template("desk/account/printed_code.html", trouble=forms.trouble(refused.code))
        return page, refused.status
    return signing_in.go_on(opened, "/desk")
