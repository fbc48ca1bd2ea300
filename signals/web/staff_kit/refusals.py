"""Answer requests that the desk refuses, and keep or show what people typed."""

from typing import Any, Final

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy.exc import SQLAlchemyError
from structlog import get_logger

from privacy.keystore import KeystoreError
from signals.errors import Forbidden, NotSignedIn, SignalsError
from signals.vocabulary import Role
from signals.web.http.messages import detail_of, title_of
from signals.web.http.problems import occurrence
from signals.web.staff_kit import auth, signing_in, typed
from signals.web.staff_kit.auth import CsrfFailed, caller_or_none
from signals.web.staff_kit.typed import Typed

STOP_POLLING: Final = 286
"""The status that makes htmx stop polling."""

log = get_logger(__name__)


def share_with(blueprint: Blueprint) -> None:
    """Give a blueprint the desk's answers to refusals."""
    blueprint.register_error_handler(NotSignedIn, ask_to_sign_in)
    blueprint.register_error_handler(CsrfFailed, offer_to_send_again)
    blueprint.register_error_handler(SignalsError, refuse)
    for away in (SQLAlchemyError, KeystoreError):
        blueprint.register_error_handler(away, unavailable)


def ask_to_sign_in(_error: NotSignedIn) -> Any:
    """Lead to the sign-in form and back; keep a posted form until its writer has signed in."""
    if request.method in ("GET", "HEAD"):
        form = url_for("sign_in.sign_in", next=auth.local_path(request.full_path.rstrip("?")))
        return _for_htmx(form) if "HX-Request" in request.headers else redirect(form, 303)
    page = signing_in.form_page(
        kept=typed.sealed_for_writer(), next_path=auth.local_path(typed.page_of(request.path)), ended=True
    )
    return page, 401, signing_in.CHALLENGE


def offer_to_send_again(refused: CsrfFailed) -> Any:
    """Show the form of an older session to its writer, to send it again.

    The page shows no form of another person, and none that stood on no page of ours.
    """
    found = typed.typed_now() if caller_or_none() is not None else None
    if found is None or auth.writer_in_form() != auth.own_mark():
        return error_page(refused.status, refused.code)
    return signing_in.resume_page(found), refused.status


def refuse(error: SignalsError) -> Any:
    """Say what cannot be shown or done, with the next step in words.

    The writer of a note on a deleted signal reads the note once more, because nobody keeps it.
    """
    gone = error.status in (404, 410) and request.path.startswith("/desk/signals/")
    return error_page(error.status, error.code, gone=gone, lost=_own_form(bare=False))


def unavailable(error: SQLAlchemyError | KeystoreError) -> Any:
    """Answer while the database or the keystore is away, or one of its keys damaged."""
    log.error("desk.database_problem", occurrence_id=occurrence(), exc_info=error)
    if signing_in.holds_kept():
        return signing_in.once_more_page("unavailable"), 503, {"Retry-After": "30"}
    page, status = error_page(503, "unavailable", kept=_own_form(bare=True))
    return page, status, {"Retry-After": "30"}


def error_page(
    status: int, code: str, *, gone: bool = False, kept: Typed | None = None, lost: Typed | None = None
) -> tuple[str, int]:
    """Return the page of an error and its status.

    `gone`: the reader may know the signal from before; the page does not tell whether it was theirs.
    `kept`: a form to send again as it is. `lost`: a form that the desk will never accept.
    """
    page = render_template(
        "desk/error.html",
        title=title_of(code),
        detail=_detail(code),
        number=occurrence() if status >= 500 else "",
        status=status,
        gone=gone,
        kept=kept,
        lost=lost,
        csrf_as_sent=request.form.get(auth.CSRF_FIELD, ""),
        again=request.full_path.rstrip("?") if request.method == "GET" and status == 503 else "",
    )
    return page, status


def _detail(code: str) -> str:
    """Return what to do next; only a worker has a team lead to ask about the role."""
    caller = caller_or_none()
    if code == Forbidden.code and caller is not None and caller.member.role != Role.WORKER:
        return str(
            gettext("This page is for people with another role. What you can do stands on your own page.")
        )
    return detail_of(code)


def _for_htmx(form: str) -> Any:
    """Answer htmx: a poll shows that the session ended and stops; other requests go to the form."""
    if request.endpoint == "desk.news":
        return render_template("desk/news.html", ended=True), STOP_POLLING
    return "", 401, {"HX-Redirect": form, **signing_in.CHALLENGE}


def _own_form(*, bare: bool) -> Typed | None:
    """Return the form of this session, or None for a form with a secret.

    The CSRF field tells whose form it is, without a question to the database.
    """
    token = request.cookies.get(auth.cookie_name(), "")
    return typed.typed_now(bare=bare) if token and auth.is_of_session(token) else None
