"""Pages of the own account: password, authenticator, passkeys and open sessions."""

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, Response, render_template, request
from marshmallow import ValidationError

from signals.errors import Forbidden, Invalid, NotFound, SignInFailed, TooManyGuesses
from signals.models import StaffSession
from signals.operation import Operation
from signals.staff import own_account, passkeys, printed_codes
from signals.staff.challenges import ChallengeRefused
from signals.staff.providers import provider_of
from signals.staff.relying_party import PasskeyRefused, RelyingParty
from signals.staff.sign_in import SignedIn
from signals.vocabulary import Role
from signals.web.account.link_pages import json_answer, open_with_passkey
from signals.web.staff_kit import account_shared as shared
from signals.web.staff_kit import auth, forms
from signals.web.staff_kit.auth import EVERYONE, current, requires_page
from signals.web.staff_kit.context import desk, look, operation

account_pages = Blueprint("account", __name__, url_prefix="/desk/account")
shared.share_with(account_pages)

AUTHENTICATION = "cookie"

_DONE: Final = frozenset(
    ("set-up", "password", "authenticator", "language", "passkey", "renamed", "removed", "ended", "confirmed")
)


@account_pages.get("")
@requires_page(*EVERYONE)
def overview() -> str:
    done = request.args.get("done", "")
    return _page(done=done if done in _DONE else "")


@account_pages.get("/confirm")
@requires_page(*EVERYONE)
def confirm() -> str:
    """Ask once more for password and code, before a change that outlives the session."""
    return _confirm_page()


@account_pages.post("/confirm")
@requires_page(*EVERYONE)
def confirm_now() -> Any:
    """Open a new session in place of this one, by password and code of the same person."""
    try:
        values = forms.load(_CONFIRM)
        opened = auth.sign_in(email=current().member.email, kind="page", **values)
    except ValidationError as refused:
        return _confirm_page(errors=shared.errors_of(refused)), 400
    except (SignInFailed, TooManyGuesses) as refused:
        return _confirm_page(trouble=forms.trouble(refused.code)), refused.status
    return _confirmed(opened)


@account_pages.get("/confirm/options")
@requires_page(*EVERYONE)
def confirm_options() -> Response:
    """Return what a browser asks this person's passkeys."""
    context, member_id = desk(), current().member.id
    text = passkeys.sign_in_options(
        context.clock, keystore=context.keystore, party=_party(), member_id=member_id
    )
    return json_answer(text)


@account_pages.post("/confirm/passkey")
@requires_page(*EVERYONE)
def confirm_with_passkey() -> Any:
    """Open a new session in place of this one, by a passkey of the same person."""
    try:
        opened = open_with_passkey(_party(), member_id=current().member.id)
    except SignInFailed as refused:
        return _confirm_page(trouble=forms.trouble(refused.code)), refused.status
    return _confirmed(opened)


@account_pages.post("/password")
@requires_page(*EVERYONE)
def change_password() -> Any:
    """Set a new password; every other session ends."""

    def change(operation: Operation, own: StaffSession) -> None:
        own_account.change_password(
            operation, staff_session=own, hasher=shared.hasher(), **forms.load(_PASSWORD)
        )

    return _change("password", change)


@account_pages.post("/authenticator")
@requires_page(*EVERYONE)
def change_authenticator() -> Any:

    def change(operation: Operation, own: StaffSession) -> None:
        own_account.change_totp(operation, staff_session=own, **forms.load(_CODE))

    return _change("authenticator", change)


@account_pages.post("/language")
@requires_page(*EVERYONE)
def change_language() -> Any:
    """Set the language of the person's pages and messages."""

    def change(operation: Operation, own: StaffSession) -> None:
        own_account.change_language(operation, staff_session=own, **forms.load(_LANGUAGE))

    return _change("language", change, recent=False)


@account_pages.get("/passkeys/options")
@requires_page(*EVERYONE)
def passkey_options() -> Response:
    """Return what a browser needs to make a passkey."""
    if not _is_recent():
        raise Forbidden
    text = look(passkeys.registration_options, party=_party(), member=current().member)
    return json_answer(text)


@account_pages.post("/passkeys")
@requires_page(*EVERYONE)
def add_passkey() -> Any:

    def change(operation: Operation, own: StaffSession) -> None:
        answer, values = request.form.get("answer", ""), forms.load(_LABEL)
        passkeys.register(operation, party=_party(), staff_session=own, answer=answer, **values)

    return _change("passkey", change)


@account_pages.post("/printed-code")
@requires_page(Role.LEAD, recent="/desk/account")
def print_code() -> str:
    """Show a new printed code in two halves, this once."""
    with operation() as printing:
        own = printing.session.get_one(StaffSession, current().session.id)
        halves = printed_codes.print_code(printing, staff_session=own)
    return render_template("desk/account/printed_halves.html", halves=halves)


@account_pages.post("/passkeys/<uuid:passkey_id>/rename")
@requires_page(*EVERYONE)
def rename_passkey(passkey_id: UUID) -> Any:

    def change(operation: Operation, _own: StaffSession) -> None:
        passkeys.rename(operation, passkey_id=passkey_id, **forms.load(_LABEL))

    return _change("renamed", change, recent=False)


@account_pages.post("/passkeys/<uuid:passkey_id>/remove")
@requires_page(*EVERYONE)
def remove_passkey(passkey_id: UUID) -> Any:
    """Remove a passkey at any time, so that nobody waits to remove a lost phone."""
    return _change(
        "removed", lambda operation, _own: passkeys.remove(operation, passkey_id=passkey_id), recent=False
    )


@account_pages.post("/sessions/<uuid:session_id>/end")
@requires_page(*EVERYONE)
def end_session(session_id: UUID) -> Any:
    return _change(
        "ended", lambda operation, _own: own_account.revoke_one(operation, session_id), recent=False
    )


@account_pages.errorhandler(PasskeyRefused)
@account_pages.errorhandler(ChallengeRefused)
def passkey_refused(_refused: PasskeyRefused | ChallengeRefused) -> tuple[str, int]:
    """Show the page again after a wrong answer, or one after more than five minutes."""
    return _page(form="passkey", passkey_refused=True), 400


def _change(
    form: str, change: Callable[[Operation, StaffSession], None], *, recent: bool = True
) -> Response | tuple[str, int]:
    """Make one change in one transaction and show the page again."""
    if recent and not _is_recent():
        return shared.see_other(".confirm")
    try:
        with operation() as changing:
            change(changing, changing.session.get_one(StaffSession, current().session.id))
    except (ValidationError, Invalid) as refused:
        return _page(form=form, errors=shared.errors_of(refused)), 400
    back = request.form.get("back")
    return shared.go_to(auth.local_path(back)) if back else shared.see_other(".overview", done=form)


def _page(
    *, done: str = "", form: str = "", errors: dict[str, str] | None = None, passkey_refused: bool = False
) -> str:
    context, caller = desk(), current()
    secret = own_account.offered_totp(context.keystore, caller.session)
    with context.reading() as session:
        provider = provider_of(session, caller.member.organisation_id)
        found = passkeys.passkeys_of(session, member_id=caller.member.id)
        signed_in = own_account.sessions_of(
            session,
            context.clock,
            member_id=caller.member.id,
            idle_minutes=context.settings.sessions.idle_minutes,
        )
    return render_template(
        "desk/account/overview.html",
        done=done,
        form=form,
        errors=errors or {},
        passkey_refused=passkey_refused,
        recent=_is_recent(),
        passkeys=found,
        prints=provider is not None and caller.actor.role == Role.LEAD,
        sessions=signed_in,
        own_session=caller.session.id,
        party=shared.party_here(),
        elsewhere=shared.passkeys_place(),
        qr=shared.qr_image(secret, caller.member.email),
        secret=shared.in_groups(secret),
    )


def _confirm_page(*, errors: dict[str, str] | None = None, trouble: str = "") -> str:
    return render_template(
        "desk/account/confirm.html",
        errors=errors or {},
        trouble=trouble,
        next_path=_next_path(),
        party=shared.party_here(),
        elsewhere=_email_elsewhere(),
    )


def _email_elsewhere() -> str:
    """Return an address that leads to the provider of somebody who signs in there; empty for all others."""
    with desk().reading() as session:
        caller = current()
        provider = provider_of(session, caller.member.organisation_id)
    return f"x@{provider.domains.split()[0]}" if provider and caller.session.checked_at else ""


def _confirmed(opened: SignedIn) -> Response:
    context, old = desk(), current().session
    with context.sessions.begin() as session:
        session.get_one(StaffSession, old.id).revoked_at = context.clock.now()
    auth.use_page_session(opened)
    response = shared.see_other(".overview", done="confirmed")
    response.headers["Location"] = _next_path()
    return auth.remember(response, opened.token)


def _next_path() -> str:
    path = auth.local_path(request.values.get("next"))
    return path if path != "/desk" else "/desk/account?done=confirmed"


def _is_recent() -> bool:
    return own_account.signed_in_recently(desk().clock, staff_session=current().session)


def _party() -> RelyingParty:
    party = shared.party_here()
    if party is None:
        raise NotFound
    return party


_CODE, _CONFIRM, _LABEL, _LANGUAGE, _PASSWORD = (
    shared.CodeForm(),
    shared.ConfirmForm(),
    shared.LabelForm(),
    shared.LanguageForm(),
    shared.PasswordForm(),
)
