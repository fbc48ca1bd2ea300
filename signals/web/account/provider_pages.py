"""Sign in at the provider of an organisation, and let that provider end sessions; all without a session.

A provider sends people back from another site, and browsers then hold the session's cookie back. So the page
of the return leads on by itself, and a cookie of its own remembers the beginning for ten minutes.
"""

import secrets
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, Response, render_template, request, url_for
from marshmallow import ValidationError

from signals.clock import today
from signals.errors import Invalid, NotFound, SignalsError, SignInFailed, TooManyGuesses
from signals.models import IdentityProvider
from signals.staff.challenges import ChallengeRefused, new_challenge, use_challenge
from signals.staff.openid import Client, Identity, ProviderRefused, ProviderUnavailable, client_of
from signals.staff.provider_checks import end_sessions
from signals.staff.provider_sign_in import SecondFactorWanted, sign_in_at_provider
from signals.staff.providers import provider_for, provider_of
from signals.staff.sign_in import SignedIn
from signals.web.staff_kit import account_shared as shared
from signals.web.staff_kit import auth, forms, signing_in
from signals.web.staff_kit.auth import open_to_all
from signals.web.staff_kit.context import desk, read, unknown_operation
from signals.web.staff_kit.news import with_news

provider_pages = Blueprint("provider", __name__, url_prefix="/desk/provider")
shared.share_with(provider_pages)

AUTHENTICATION = "none"
"""Each view checks its own proof: what a provider signed, and the cookie of the beginning."""

LASTS: Final = timedelta(minutes=10)
_BEGUN: Final = "provider-begun"
_PROVED: Final = "provider-proved"
_CODE = shared.CodeForm()


@provider_pages.post("/start")
@open_to_all
def start() -> Any:
    """Lead to the provider of an address. The address itself goes nowhere: it would stand in a URL."""
    auth.refuse_other_sites()
    provider = read(provider_for, request.form.get("email", ""))
    if provider is None:
        return signing_in.form_page(next_path=_next(), trouble=forms.trouble("no_provider")), 404
    begun = {name: secrets.token_urlsafe(32) for name in ("nonce", "verifier")}
    begun |= {"next": _next(), "organisation": str(provider.organisation_id)}
    state = new_challenge(desk().clock, keystore=desk().keystore, purpose="provider", lasts=LASTS).decode()
    again = bool(request.form.get("again"))
    try:
        url = _client(provider).authorization_url(
            state=state, nonce=begun["nonce"], verifier=begun["verifier"], again=again
        )
    except SignalsError as refused:
        return _refused(refused)
    sealed = desk().browser_state.seal(_BEGUN, begun | {"state": state}, whose="", lasts=LASTS)
    answer = Response(_onward(url))
    auth.set_cookie(answer, auth.cookie_name(auth.BEGUN_COOKIE), sealed, max_age=LASTS, same_site="Lax")
    return answer


@provider_pages.get("/<uuid:organisation_id>/callback")
@open_to_all
def callback(organisation_id: UUID) -> Any:
    """Take somebody back from the provider: the same browser, the same provider, once."""
    try:
        provider, begun = _begun(organisation_id)
        identity = _client(provider).identify(
            code=request.args.get("code", ""), verifier=begun["verifier"], nonce=begun["nonce"]
        )
    except SignalsError as refused:
        return _refused(refused)
    try:
        return _sign_in(provider, identity, begun["next"])
    except SecondFactorWanted:
        return _code_page(_proved(provider, identity), begun["next"])
    except SignalsError as refused:
        return _refused(refused)


@provider_pages.post("/code")
@open_to_all
def code() -> Any:
    """Take the second factor of this service, where the provider stated none."""
    auth.refuse_other_sites()
    proved = request.form.get("proved", "")
    found = desk().browser_state.open(_PROVED, proved, whose="")
    if found is None:
        return _refused(ChallengeRefused())
    provider = read(provider_of, UUID(found.pop("organisation")))
    if provider is None:
        raise NotFound
    identity = Identity(**found | {"methods": frozenset(), "proved_at": None})
    try:
        desk().throttle.admit(identity.subject, cookie="")
        answer = _sign_in(provider, identity, _next(), **forms.load(_CODE))
        desk().throttle.succeeded(identity.subject, cookie="")
        return answer
    except (ValidationError, Invalid) as refused:
        return _code_page(proved, _next(), errors=shared.errors_of(refused))
    except (SignInFailed, TooManyGuesses) as refused:
        return _code_page(proved, _next(), trouble=forms.trouble(refused.code))


@provider_pages.post("/<uuid:organisation_id>/logout")
@open_to_all
def logout(organisation_id: UUID) -> tuple[str, int]:
    """End the sessions that a provider names in a signed token (Back-Channel Logout 1.0)."""
    provider = read(provider_of, organisation_id)
    if provider is None:
        raise NotFound
    try:
        claims = _client(provider).read_logout(request.form.get("logout_token", ""))
        with unknown_operation() as ending:
            end_sessions(ending, provider, claims)
    except (ProviderRefused, ProviderUnavailable):
        return "", 400
    return "", 200


def leave(organisation_id: UUID | None) -> str:
    """Return the page that leads to the sign-out of a provider; empty where there is none to reach."""
    provider = read(provider_of, organisation_id)
    url = ""
    if provider is not None:
        with suppress(ProviderRefused, ProviderUnavailable):  # signed out here in any case
            back = url_for("sign_in.sign_in", done="sign-out")
            url = _client(provider).end_session_url(desk().settings.server.public_url.rstrip("/") + back)
    return _onward(url) if url else ""


def _begun(organisation_id: UUID) -> tuple[IdentityProvider, dict[str, str]]:
    """Return the provider and the beginning of this sign-in. Raises `ProviderRefused` for any mix-up.

    The address of the return names the organisation, and a provider may state itself (RFC 9207): so what one
    provider answers never counts as the answer of another.
    """
    sealed = request.cookies.get(auth.cookie_name(auth.BEGUN_COOKIE), "")
    begun = desk().browser_state.open(_BEGUN, sealed, whose="")
    if begun is None or begun["organisation"] != str(organisation_id):
        raise ProviderRefused
    if request.args.get("state") != begun["state"]:
        raise ProviderRefused
    with unknown_operation() as operation:
        use_challenge(operation, begun["state"].encode(), "provider")
        provider = provider_of(operation.session, organisation_id)
    if provider is None:
        raise NotFound
    wants = desk().directory.states_issuer(provider.issuer)
    stated = request.args.get("iss", "" if wants else provider.issuer)
    if stated != provider.issuer or "error" in request.args:
        raise ProviderRefused
    return provider, begun


def _sign_in(provider: IdentityProvider, identity: Identity, next_path: str, **code: str) -> Response:
    with unknown_operation() as operation:
        opened = sign_in_at_provider(
            operation,
            provider=provider,
            identity=identity,
            absolute_hours=desk().settings.sessions.absolute_hours,
            **code,
        )
    return _welcome(opened, next_path)


def _welcome(opened: SignedIn, next_path: str) -> Response:
    auth.use_page_session(opened)
    path = auth.home(opened.member.role) if next_path == "/desk" else next_path
    answer = Response(_onward(with_news(path, opened.last_on, today(desk().clock))))
    answer.delete_cookie(auth.cookie_name(auth.BEGUN_COOKIE), path="/")
    return auth.remember(answer, opened.token)


def _proved(provider: IdentityProvider, identity: Identity) -> str:
    """Seal what the provider proved, for the form with the second factor."""
    kept = {
        "organisation": str(provider.organisation_id),
        "subject": identity.subject,
        "sid": identity.sid,
        "email": identity.email,
        "unverified": identity.unverified,
        "refresh_token": identity.refresh_token,
    }
    return desk().browser_state.seal(_PROVED, kept, whose="", lasts=LASTS)


def _code_page(proved: str, next_path: str, **wrong: Any) -> Any:
    page = render_template("desk/account/provider_code.html", proved=proved, next_path=next_path, **wrong)
    return page, 400 if wrong else 200


def _refused(refused: SignalsError) -> Any:
    """Show the sign-in page again with the reason: it names the local sign-in, too."""
    code = "challenge_refused" if isinstance(refused, ChallengeRefused) else refused.code
    return signing_in.form_page(next_path=_next(), trouble=forms.trouble(code)), refused.status


def _onward(url: str) -> str:
    return render_template("desk/account/onward.html", url=url)


def _client(provider: IdentityProvider) -> Client:
    settings = desk().settings
    return client_of(
        provider,
        desk().directory,
        folder=settings.sessions.provider_secrets_folder,
        site=settings.server.public_url,
    )


def _next() -> str:
    return auth.local_path(request.form.get("next"))
