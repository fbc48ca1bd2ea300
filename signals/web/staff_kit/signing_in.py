"""Show the sign-in form, and lead from it to the wanted page or to what people typed before."""

from collections.abc import Mapping
from typing import Any, Final

from flask import Response, redirect, render_template, request

from signals.clock import today
from signals.errors import SignInFailed, TooManyGuesses
from signals.staff.providers import has_providers
from signals.staff.sign_in import SignedIn
from signals.web.staff_kit import auth, forms, typed
from signals.web.staff_kit.context import desk, read
from signals.web.staff_kit.demo_hint import demo_accounts
from signals.web.staff_kit.news import with_news
from signals.web.staff_kit.typed import Typed

CHALLENGE: Final = {"WWW-Authenticate": 'Bearer realm="signals"'}
_SIGNING_IN: Final = ("sign_in.sign_in_now", "door.sign_in")
_KEPT: Final = "kept"
"""The hidden field with the sealed form from before the session ended."""


def form_page(
    *,
    next_path: str,
    errors: Mapping[str, str] | None = None,
    trouble: str = "",
    kept: str = "",
    ended: bool = False,
) -> str:
    """Return the sign-in page. `kept` is a form sealed for its writer; `ended` says the session ended."""
    again = request.endpoint in _SIGNING_IN
    return render_template(
        "desk/sign_in.html",
        next_path=next_path,
        errors=errors or {},
        trouble=trouble,
        email=request.form.get("email", "") if again else "",
        kept=request.form.get(_KEPT, "") if again else kept,
        ended=ended,
        signed_out=request.args.get("done") == "sign-out",
        demo=demo_accounts(),
        providers=_has_providers(),
    )


def _has_providers() -> bool:
    return read(has_providers)


def refused_page(refused: SignInFailed | TooManyGuesses) -> Any:
    """Return the form again, with one answer for every cause."""
    headers = CHALLENGE
    if isinstance(refused, TooManyGuesses):
        headers = {"Retry-After": str(refused.retry_after)}
    return once_more_page(refused.code), refused.status, headers


def once_more_page(code: str) -> str:
    """Return the form again, with the kept form in it and the reason in words."""
    next_path = auth.local_path(request.form.get("next"))
    return form_page(next_path=next_path, trouble=forms.trouble(code))


def holds_kept() -> bool:
    """Tell whether the sign-in form holds a kept form, which must survive every failure."""
    return request.endpoint in _SIGNING_IN and bool(request.form.get(_KEPT))


def go_on(opened: SignedIn, next_path: str) -> Response:
    """Continue after signing in to the wanted page, or to what the person typed before."""
    auth.use_page_session(opened)
    kept = request.form.get(_KEPT, "")
    if kept:
        return auth.remember(Response(resume_page(typed.resumed(kept))), opened.token)
    path = auth.home(opened.member.role) if next_path == "/desk" else next_path
    path = with_news(path, opened.last_on, today(desk().clock))
    response: Response = redirect(path, 303)  # type: ignore[assignment]
    return auth.remember(response, opened.token)


def resume_page(found: Typed | None) -> str:
    """Show a form of another session, to read and send again; None shows that nothing is shown."""
    return render_template("desk/resume.html", typed=found)
