"""Sign in with a passkey, and set an account up by a mailed link; both without a session."""

from typing import Any

from flask import Blueprint, Response, render_template, request
from marshmallow import ValidationError

from signals.errors import Invalid, NotFound, SignInFailed
from signals.staff import recovery
from signals.staff.passkeys import sign_in_options, sign_in_with_passkey
from signals.staff.recovery import LinkRefused
from signals.staff.relying_party import RelyingParty
from signals.staff.sign_in import SignedIn
from signals.vocabulary import Role
from signals.web.staff_kit import account_shared as shared
from signals.web.staff_kit import auth, forms, signing_in
from signals.web.staff_kit.auth import open_to_all
from signals.web.staff_kit.context import desk, unknown_operation

link_pages = Blueprint("door", __name__, url_prefix="/desk")
shared.share_with(link_pages)

AUTHENTICATION = "none"
"""Each view checks its own proof: a signature, or a secret of 128 bits."""


@link_pages.get("/passkey/options")
@open_to_all
def options() -> Response:
    """Return what a browser asks its passkeys; it is the same for everybody, and nothing is stored."""
    context = desk()
    return json_answer(sign_in_options(context.clock, keystore=context.keystore, party=_party()))


@link_pages.post("/passkey/sign-in")
@open_to_all
def sign_in() -> Any:
    auth.refuse_other_sites()
    next_path = auth.local_path(request.form.get("next"))
    try:
        opened = open_with_passkey(_party())
    except SignInFailed as refused:
        return signing_in.refused_page(refused)
    return signing_in.go_on(opened, next_path)


@link_pages.get("/account/link")
@open_to_all
def link() -> str:
    """Show the page of a mailed link; the secret in its fragment reaches no server."""
    return render_template("desk/account/link.html", refused=False)


@link_pages.post("/account/link")
@open_to_all
def show_link() -> Any:
    """Show the purpose of the link, and the form to set the account up."""
    auth.refuse_other_sites()
    return _activation_page(request.form.get("token", ""))


@link_pages.post("/account/link/use")
@open_to_all
def use_link() -> Any:
    """Set password and authenticator, and continue signed in."""
    auth.refuse_other_sites()
    token = request.form.get("token", "")
    try:
        opened = _activate(token, **forms.load(_ACTIVATION))
    except (ValidationError, Invalid) as refused:
        return _activation_page(token, shared.errors_of(refused))
    except LinkRefused as refused:
        return _link_refused(refused)
    auth.use_page_session(opened)
    page = "first_tasks.overview" if opened.member.role is Role.LEAD else "account.overview"
    return auth.remember(shared.see_other(page, done="set-up"), opened.token)


def open_with_passkey(party: RelyingParty, **of: Any) -> SignedIn:
    """Open a session by the form's field `answer`; with `member_id` the passkey must be that person's.

    Raises `SignInFailed` after the commit of its audit entry.
    """
    with unknown_operation() as operation:
        return sign_in_with_passkey(
            operation,
            party=party,
            answer=request.form.get("answer", ""),
            absolute_hours=desk().settings.sessions.absolute_hours,
            **of,
        )


def json_answer(text: str) -> Response:
    return Response(text, content_type="application/json")


def _activate(token: str, password: str, totp: str) -> SignedIn:
    with unknown_operation() as operation:
        return recovery.activate(
            operation,
            token=token,
            offer=request.form.get("offer", ""),
            password=password,
            totp=totp,
            absolute_hours=desk().settings.sessions.absolute_hours,
            hasher=shared.hasher(),
        )


def _activation_page(token: str, errors: dict[str, str] | None = None) -> Any:
    """Show a new authenticator; after a typing error show that of the sent form again."""
    try:
        with unknown_operation() as operation:
            if errors is None:
                offer = recovery.look(operation, token=token)
            else:
                offer = recovery.offered(operation, token=token, sealed=request.form.get("offer", ""))
    except LinkRefused as refused:
        return _link_refused(refused)
    member = offer.link.staff_member
    page = render_template(
        "desk/account/take_up.html",
        token=token,
        offer=offer.sealed,
        member=member,
        purpose=offer.link.purpose,
        qr=shared.qr_image(offer.secret, member.email),
        secret=shared.in_groups(offer.secret),
        errors=errors or {},
    )
    return page, 400 if errors else 200


def _link_refused(refused: LinkRefused) -> tuple[str, int]:
    return render_template("desk/account/link.html", refused=True), refused.status


def _party() -> RelyingParty:
    party = shared.party_here()
    if party is None:
        raise NotFound
    return party


_ACTIVATION = shared.ConfirmForm()
