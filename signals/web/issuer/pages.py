"""The pages on which an employer's administrator makes, prints and revokes enrolment codes.

They have a sign-in of their own: an issuer knows nobody of the service. Every POST must come from this site.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from flask import Blueprint, Response, g, redirect, render_template, request, url_for
from flask_babel import format_date
from structlog import get_logger
from werkzeug.wrappers import Response as AnyResponse

from signals.clock import today
from signals.errors import Forbidden, Invalid
from signals.issuer.administrators import sign_in, sign_out, signed_in
from signals.issuer.codes import WEAK_CROWD, add_code, hash_of, list_codes, revoke_code
from signals.web.http.bodies import PUBLIC_LIMIT, read_form
from signals.web.http.i18n import staff_language
from signals.web.http.messages import field_message
from signals.web.issuer.calls import issuer
from signals.web.sheets import SheetSize, make_sheet

issuer_pages = Blueprint("issuer_pages", __name__, url_prefix="/issuer")

AUTHENTICATION = "none"
"""No account of the service opens these pages: `for_administrators` asks for one of the issuer."""

_COOKIE: Final = "issuer-session"
View = Callable[..., AnyResponse | str]

log = get_logger(__name__)


@issuer_pages.before_request
def refuse_other_sites() -> None:
    """Choose a language, and refuse a form of another site: a browser says where it comes from."""
    g.language = staff_language()
    site = urlsplit(issuer().url)
    if request.method == "POST" and request.headers.get("Origin") != f"{site.scheme}://{site.netloc}":
        raise Forbidden


@issuer_pages.after_request
def let_browsers_say_where_from(response: Response) -> Response:
    """Let a browser name this site as the origin of a form: under `no-referrer` it says `null`."""
    response.headers["Referrer-Policy"] = "same-origin"
    return response


def for_administrators(view: View) -> View:
    """Let in a signed-in administrator of the issuer, and show the others the sign-in."""

    @wraps(view)
    def guarded(**values: Any) -> AnyResponse | str:
        with issuer().sessions() as session:
            g.administrator = signed_in(session, request.cookies.get(_name(), ""), issuer().clock.now())
        if g.administrator is None:
            return _page("issuer/sign_in.html", refused=False), 401  # type: ignore[return-value]
        return view(**values)

    return guarded


@issuer_pages.get("/")
@for_administrators
def overview() -> str:
    """Show the codes by depot."""
    return _overview()


@issuer_pages.post("/sign-in")
def enter() -> AnyResponse:
    """Sign in with the access key and a one-time code."""
    form, opened = _form(), issuer()
    with opened.sessions.begin() as session:
        token = sign_in(
            session,
            opened.secret,
            access_key=form.get("access_key", ""),
            code=form.get("code", ""),
            now=opened.clock.now(),
        )
    if token is None:
        log.warning("issuer.sign_in_refused")
        return Response(_page("issuer/sign_in.html", refused=True), status=401)
    response = redirect(url_for(".overview"), 303)
    response.set_cookie(_name(), token, httponly=True, samesite="Strict", secure=_https(), path="/")
    return response


@issuer_pages.post("/sign-out")
def leave() -> AnyResponse:
    """End the session."""
    with issuer().sessions.begin() as session:
        sign_out(session, request.cookies.get(_name(), ""))
    response = redirect(url_for(".overview"), 303)
    response.delete_cookie(_name(), httponly=True, samesite="Strict", secure=_https(), path="/")
    return response


@issuer_pages.post("/codes")
@for_administrators
def make() -> AnyResponse | str:
    """Make a code and show it, this once."""
    form, opened = _form(), issuer()
    try:
        with opened.sessions.begin() as session:
            new = add_code(
                session,
                label=form.get("label", ""),
                phones=_number(form.get("phones", "")),
                days=_number(form.get("days", "")),
                by=g.administrator,
                on=today(opened.clock),
            )
    except Invalid as refused:
        problems = {problem.field: field_message(problem.code) for problem in refused.problems}
        return Response(_overview(problems=problems, form=form), status=400)
    log.info("issuer.code_made")
    link = opened.link(new.code)
    return _page("issuer/made.html", new=new, label=form["label"], link=link, weak=WEAK_CROWD)


@issuer_pages.post("/codes/<uuid:code_id>/revoke")
@for_administrators
def revoke(code_id: UUID) -> AnyResponse:
    """Revoke a code at once."""
    with issuer().sessions.begin() as session:
        revoke_code(session, code_id, today(issuer().clock))
    log.info("issuer.code_revoked")
    return redirect(url_for(".overview"), 303)


@issuer_pages.post("/sheet")
@for_administrators
def sheet() -> AnyResponse | str:
    """Print a sheet with the code that was just made; the form brings the code, and no address holds it."""
    form, opened = _form(), issuer()
    code = form.get("enrolment_code", "")
    if not any(hash_of(code)):
        return _overview()
    size = SheetSize.A6 if form.get("size") == SheetSize.A6 else SheetSize.A4
    page = opened.settings.page_url or opened.url
    content = make_sheet(address=page, size=size, link=opened.link(code))
    headers = {"Content-Disposition": f'attachment; filename="depot-{size}.pdf"'}
    return Response(content, content_type="application/pdf", headers=headers)


def _overview(**values: object) -> str:
    with issuer().sessions() as session:
        codes = list_codes(session)
    found: dict[str, object] = {"problems": {}, "form": {}, **values}
    return _page("issuer/codes.html", codes=codes, on=today(issuer().clock), weak=WEAK_CROWD, **found)


def _page(template: str, **values: object) -> str:
    words = {"code": staff_language(), "name": issuer().settings.name, "day": format_date}
    return render_template(template, **words, **values)


def _form() -> dict[str, str]:
    return dict(read_form(request, PUBLIC_LIMIT))


def _number(text: str) -> int:
    return int(text) if text.strip().isascii() and text.strip().isdigit() and len(text) < 9 else 0


def _name() -> str:
    return f"__Host-{_COOKIE}" if _https() else _COOKIE


def _https() -> bool:
    return issuer().url.startswith("https://")
