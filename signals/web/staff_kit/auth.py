"""Recognise the caller by a token (programs) or a cookie (pages), and check the role.

Each view of the staff side is marked by `requires`, `requires_page` or `open_to_all`. A test reads the marks
from the URL map.
"""

import re
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import wraps
from typing import Any, Final, TypeVar

from flask import Response, g, redirect, request, url_for
from flask_babel import refresh

from privacy.passwords import PasswordHasherSettings
from signals.audit.log import Actor, require_role
from signals.errors import NotSignedIn, SignalsError
from signals.models import StaffMember, StaffSession
from signals.staff import sessions
from signals.staff.guesses import KNOWN_FOR
from signals.staff.new_passwords import password_turn
from signals.staff.own_account import ADMINISTERING, signed_in_recently
from signals.staff.sessions import TOUCH_EVERY, SessionKind
from signals.staff.sign_in import SignedIn, check_password, sign_in_with_password
from signals.vocabulary import Role
from signals.web.http.authentication import Authentication
from signals.web.http.i18n import staff_language
from signals.web.http.openapi import answers
from signals.web.staff_kit.browser_state import MARK_LENGTH
from signals.web.staff_kit.context import desk, operation, unknown_operation

PROGRAMS: Final[frozenset[SessionKind]] = frozenset({"api", "token"})
PAGES: Final[frozenset[SessionKind]] = frozenset({"page"})
COOKIE: Final = "signals-desk"
KNOWN_COOKIE: Final = "signals-known"
"""It recognises a browser at the next sign-in."""
BEGUN_COOKIE: Final = "signals-begun"
"""It remembers a sign-in at a provider until people come back."""
CSRF_FIELD: Final = "csrf_token"
EVERYONE: Final = tuple(Role)

_CSRF_LENGTH: Final = 64
_MARKED: Final = re.compile(rf"[0-9a-f]{{{_CSRF_LENGTH}}}([0-9a-f]{{{MARK_LENGTH}}})")
_LOCAL_PATH: Final = re.compile(r"/(?:desk|admin|figures)(?:[/?][A-Za-z0-9/_.?&=%-]*)?")

_HOMES: Final[Mapping[Role, str]] = {
    Role.PRIVACY_OFFICER: "/desk/officer",
    Role.ADMINISTRATOR: "/admin",
    Role.COORDINATOR: "/figures",
}

View = TypeVar("View", bound=Callable[..., Any])


class CsrfFailed(SignalsError):
    """The form does not come from a page of this session."""

    code = "csrf_failed"
    status = 403


@dataclass(frozen=True, kw_only=True)
class Caller:
    """The signed-in person and session; only the forms' CSRF field needs the token."""

    session: StaffSession
    member: StaffMember
    actor: Actor
    token: str = field(repr=False)


def requires(*roles: Role) -> Callable[[View], View]:
    """Guard a view for programs: 401 without a valid token, 403 for another role. Document both."""

    def decorate(view: View) -> View:
        return _guarded(
            answers(401, 403, 503)(view), _bearer, PROGRAMS, Authentication(means="bearer", roles=roles)
        )

    return decorate


def requires_page(*roles: Role, active: bool = True, recent: str = "") -> Callable[[View], View]:
    """Guard a view for people: `NotSignedIn` without a session, `Forbidden` for another role.

    Every request but a GET must carry the session's CSRF field, or `CsrfFailed` is raised.
    Pass `active=False` for requests that the page makes by itself: they keep no idle session alive. `recent`:
    the page to come back to; a change then needs a sign-in of the last 15 minutes.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def unforged(*args: Any, **kwargs: Any) -> Any:
            if request.method not in ("GET", "HEAD"):
                _refuse_forgery()
                if recent and not administers():
                    return redirect(url_for("account.confirm", next=recent.format(**kwargs)), 303)
            return view(*args, **kwargs)

        asked = Authentication(means="cookie", roles=roles)
        return _guarded(unforged, _cookie, PAGES, asked, active=active)  # type: ignore[return-value]

    return decorate


def administers() -> bool:
    """Tell whether the caller signed in so recently that an administrator's change is taken."""
    session = current().session
    return signed_in_recently(desk().clock, staff_session=session, within=ADMINISTERING)


def open_to_all(view: View) -> View:
    """Mark a view that needs no session, such as signing in."""
    view.authentication = Authentication(means="none")  # type: ignore[attr-defined]
    return view


def admit(means: str, roles: Collection[Role]) -> None:
    """Admit a caller with one of the roles, for views that are not always behind a sign-in.

    `means` is "cookie" or "bearer". Raises `NotSignedIn` and `Forbidden`.
    """
    token, kinds = (_bearer(), PROGRAMS) if means == "bearer" else (_cookie(), PAGES)
    g.caller = _authenticated(token, kinds)
    _speak_their_language(means)
    require_role(current().actor, *roles)


def recognise() -> None:
    """Recognise a signed-in person on a page that needs no session."""
    with suppress(NotSignedIn):
        g.caller = _authenticated(_cookie(), PAGES)
        g.language = current().member.language


def current() -> Caller:
    """Return the caller; only within a view that `requires` one."""
    caller: Caller = g.caller
    return caller


def caller_or_none() -> Caller | None:
    """Return the caller, or None before sign-in, for what every page shows."""
    caller: Caller | None = g.get("caller")
    return caller


def sign_in(*, email: str, password: str, totp: str, kind: SessionKind) -> SignedIn:
    """Open a session. Raises `SignInFailed`, with its audit entry committed, and `TooManyGuesses`."""
    with password_turn():
        return _sign_in(email=email, password=password, totp=totp, kind=kind)


def _sign_in(*, email: str, password: str, totp: str, kind: SessionKind) -> SignedIn:
    context = desk()
    cookie = request.cookies.get(cookie_name(KNOWN_COOKIE), "") if kind == "page" else ""
    context.throttle.admit(email, cookie=cookie)
    hasher = PasswordHasherSettings(memory_kib=context.settings.sessions.password_memory_kib)
    with context.reading() as reader:
        checked = check_password(reader, email=email, password=password, hasher=hasher)
    with unknown_operation() as signing_in:
        opened = sign_in_with_password(
            signing_in,
            email=email,
            password=password,
            totp=totp,
            kind=kind,
            absolute_hours=context.settings.sessions.absolute_hours,
            hasher=hasher,
            checked=checked,
        )
    context.throttle.succeeded(email, cookie=cookie)
    return opened


def sign_out() -> None:
    """End the caller's session at once, in every process."""
    with operation() as ending:
        # Read afresh: an older copy of the account must not overwrite later changes.
        sessions.sign_out(ending, ending.session.get_one(StaffSession, current().session.id))


def remember(response: Response, token: str) -> Response:
    """Set the cookie of a page session, without an expiry, and the cookie that recognises this browser."""
    set_cookie(response, cookie_name(), token)
    caller = caller_or_none()
    if caller is not None:
        devices, known = desk().throttle.devices, request.cookies.get(cookie_name(KNOWN_COOKIE), "")
        entry = devices.remember(caller.member.email, known)
        set_cookie(response, cookie_name(KNOWN_COOKIE), entry, max_age=KNOWN_FOR)
    return response


def forget(response: Response) -> Response:
    response.delete_cookie(cookie_name(), httponly=True, samesite="Strict", secure=_https(), path="/")
    return response


def cookie_name(name: str = COOKIE) -> str:
    """Return the name of a cookie; browsers tie `__Host-` to this host and to https."""
    return f"__Host-{name}" if _https() else name


def refuse_other_sites() -> None:
    """Raise `CsrfFailed` for a form of another site, for forms that are sent before sign-in.

    `Origin` tells nothing: under our Referrer-Policy browsers send `null` with every form (Fetch, 3.2).
    """
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise CsrfFailed


def csrf_field() -> str:
    """Return the forms' CSRF field of this session and the writer's mark; empty without a session."""
    caller = caller_or_none()
    return sessions.csrf_token(caller.token) + own_mark() if caller else ""


def own_mark() -> str:
    """Return the mark by which forms of the signed-in person are known in every session."""
    return desk().browser_state.mark(current().member.id)


def writer_in_form() -> str:
    """Return the mark of the person on whose page the sent form stood; empty without a mark."""
    found = _MARKED.fullmatch(request.form.get(CSRF_FIELD, ""))
    return found[1] if found else ""


def is_of_session(token: str) -> bool:
    """Tell whether the sent form stood on a page of the session with this token."""
    return sessions.csrf_matches(token, request.form.get(CSRF_FIELD, "")[:_CSRF_LENGTH])


def home(role: Role) -> str:
    """Return the first page of a role."""
    return _HOMES.get(role, "/desk")


def local_path(text: str | None) -> str:
    """Return where to go after signing in: always a path of the staff side."""
    return text if text and _LOCAL_PATH.fullmatch(text) and "//" not in text else "/desk"


def use_page_session(opened: SignedIn) -> None:
    """Let the rest of this request act in a session that was just opened."""
    g.caller = _caller(opened.session, opened.member, opened.token)
    g.language = opened.member.language
    refresh()


def _guarded(
    view: View,
    token: Callable[[], str | None],
    kinds: Collection[SessionKind],
    asked: Authentication,
    *,
    active: bool = True,
) -> View:
    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        g.caller = _authenticated(token(), kinds, active)
        _speak_their_language(asked.means)
        require_role(current().actor, *asked.roles)
        return view(*args, **kwargs)

    guarded.authentication = asked  # type: ignore[attr-defined]
    return guarded  # type: ignore[return-value]


def _speak_their_language(means: str) -> None:
    """Answer pages in the language of the account, and programs in the language that they ask for.

    Only languages of the desk count: some words exist in the carriers' languages too, and a half-translated
    answer helps nobody.
    """
    g.language = current().member.language if means == "cookie" else staff_language()


def _authenticated(token: str | None, kinds: Collection[SessionKind], active: bool = True) -> Caller:
    if not token:
        raise NotSignedIn
    context = desk()
    with context.reading() as session:
        found = _find(session, token, kinds, touch=False)
    if active and context.clock.now() - found.last_seen_at >= TOUCH_EVERY:
        with context.sessions.begin() as session:
            found = _find(session, token, kinds, touch=True)
    return _caller(found, found.staff_member, token)


def _find(session: Any, token: str, kinds: Collection[SessionKind], *, touch: bool) -> StaffSession:
    context = desk()
    return sessions.authenticate(
        session,
        context.clock,
        token=token,
        kinds=kinds,
        idle_minutes=context.settings.sessions.idle_minutes,
        touch=touch,
    )


def _caller(session: StaffSession, member: StaffMember, token: str) -> Caller:
    return Caller(session=session, member=member, actor=sessions.actor_of(session), token=token)


def _bearer() -> str | None:
    given = request.authorization
    return given.token if given is not None and given.type == "bearer" else None


def _cookie() -> str | None:
    return request.cookies.get(cookie_name())


def _refuse_forgery() -> None:
    if not is_of_session(current().token):
        raise CsrfFailed


def set_cookie(
    response: Response, name: str, value: str, *, max_age: timedelta | None = None, same_site: str = "Strict"
) -> None:
    """Set a cookie that no script reads; `same_site` "Lax" for what must survive a return from elsewhere."""
    response.set_cookie(
        name, value, max_age=max_age, httponly=True, samesite=same_site, secure=_https(), path="/"
    )


def _https() -> bool:
    return desk().settings.server.public_url.startswith("https://")
