"""Sign in with password and code, and sign out; `link_pages` has the other ways to sign in."""

from typing import Any

from flask import Blueprint, Response, request
from marshmallow import ValidationError

from signals.errors import SignInFailed, TooManyGuesses
from signals.web.account.provider_pages import leave
from signals.web.staff_kit import account_shared, auth, forms, signing_in
from signals.web.staff_kit.auth import open_to_all, requires_page

sign_in_pages = Blueprint("sign_in", __name__, url_prefix="/desk")
account_shared.share_with(sign_in_pages)

AUTHENTICATION = "cookie"
"""For signing out; signing in checks password and code."""


@sign_in_pages.get("/sign-in")
@open_to_all
def sign_in() -> str:
    return signing_in.form_page(next_path=auth.local_path(request.args.get("next")))


@sign_in_pages.post("/sign-in")
@open_to_all
def sign_in_now() -> Any:
    """Sign in and go to the wanted page; a form from before the session ended is kept."""
    auth.refuse_other_sites()  # a page of another site must not sign anybody in
    next_path = auth.local_path(request.form.get("next"))
    try:
        opened = auth.sign_in(**forms.load(forms.SIGN_IN), kind="page")
    except ValidationError as refused:
        return signing_in.form_page(next_path=next_path, errors=forms.messages(refused)), 400
    except (SignInFailed, TooManyGuesses) as refused:
        return signing_in.refused_page(refused)
    return signing_in.go_on(opened, next_path)


@sign_in_pages.post("/sign-out")
@requires_page(*auth.EVERYONE)
def sign_out() -> Response:
    """End the session in the browser and on the server, and at the provider that it came from."""
    auth.sign_out()
    caller = auth.current()
    page = leave(caller.member.organisation_id) if caller.session.checked_at else ""
    answer = Response(page) if page else account_shared.see_other(".sign_in", done="sign-out")
    return auth.forget(answer)
