"""The desk's pages for people: sign-in, the queue and a signal. Every action works without JavaScript."""

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import partial
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, Response, g, redirect, render_template, request, url_for
from flask_babel import gettext
from marshmallow import ValidationError
from sqlalchemy.exc import SQLAlchemyError
from structlog import get_logger

from signals import triage
from signals.clock import AMSTERDAM
from signals.errors import (
    Conflict,
    Invalid,
    NotSignedIn,
    SignalsError,
    SignInFailed,
    StaleVersion,
    TooManyGuesses,
)
from signals.models import Organisation, Signal
from signals.staff import SignedIn, csrf_matches
from signals.vocabulary import (
    CRISIS_ROUTES,
    AttemptKind,
    AttemptResult,
    DeferralReason,
    Outcome,
    ReferredTo,
    Role,
)
from signals.web.desk import auth, display, forms, labels, sleeping
from signals.web.desk.auth import CsrfFailed, caller_or_none, current, open_to_all, requires_page
from signals.web.desk.context import desk
from signals.web.desk.handing_over import may_leave
from signals.web.desk.letters.texts import NAMES
from signals.web.desk.opened import OpenedSignal, changing, open_signal, organisation_id
from signals.web.desk.pressed_twice import is_done
from signals.web.desk.queue_page import arrived_meanwhile, queue_values
from signals.web.desk.representations import is_overdue
from signals.web.desk.signal_page import explain, possible, timeline
from signals.web.i18n import staff_language
from signals.web.messages import detail_of, title_of
from signals.web.problems import occurrence

desk_pages = Blueprint("desk", __name__, url_prefix="/desk", template_folder="templates")

AUTHENTICATION = "cookie"
"""What every view here asks for, but the one that signs in."""

STOP_POLLING: Final = 286
"""The status by which htmx stops to ask."""

_FOLLOW_UP: Final = (Role.WORKER, Role.LEAD)
_KEPT: Final = "kept:"
_KEPT_FORMS: Final = frozenset((*forms.FORMS, "refer"))
_SECRETS: Final = frozenset(("password", "totp", "token", "answer"))
_POSTED: Final = re.compile(r"/desk/signals/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/([a-z-]+)")

_CODED: Final[Mapping[str, type[StrEnum]]] = {
    "kind": AttemptKind,
    "result": AttemptResult,
    "outcome": Outcome,
    "referred_to": ReferredTo,
    "deferred_because": DeferralReason,
}

log = get_logger(__name__)


@desk_pages.get("/sign-in")
@open_to_all
def sign_in() -> str:
    """The form to sign in."""
    return _sign_in_form(next_path=auth.local_path(request.args.get("next")))


@desk_pages.post("/sign-in")
@open_to_all
def sign_in_now() -> Any:
    """Sign in, and go on where one was; what was typed before the session ended is kept."""
    auth.refuse_other_sites()  # somebody else's page must not sign anybody in
    next_path = auth.local_path(request.form.get("next"))
    try:
        opened = auth.sign_in(**forms.load(forms.SIGN_IN), kind="page")
    except ValidationError as refused:
        return _sign_in_form(next_path=next_path, errors=forms.messages(refused)), 400
    except (SignInFailed, TooManyGuesses) as refused:
        return sign_in_refused(refused, next_path)
    return go_on(opened, next_path)


def go_on(opened: SignedIn, next_path: str) -> Response:
    """From signing in to the page that was asked for, or to what was typed before the session ended."""
    auth.use_page_session(opened)
    if _kept_path():
        return auth.remember(_resume(_kept_path(), _kept_fields()), opened.token)
    path = auth.home(opened.member.role) if next_path == "/desk" else next_path
    return auth.remember(_see_other(path), opened.token)


@desk_pages.post("/sign-out")
@requires_page(*auth.EVERYONE)
def sign_out() -> Response:
    """End the session, here and on the server."""
    auth.sign_out()
    return auth.forget(_see_other(url_for(".sign_in", done="sign-out")))


@desk_pages.get("")
@requires_page(*_FOLLOW_UP)
def queue() -> Any:
    """The organisation's signals by their next deadline."""
    return render_template("desk/queue.html", **queue_values())


@desk_pages.get("/news")
@requires_page(*_FOLLOW_UP, active=False)
def news() -> Any:
    """What the queue asks each minute: how many signals came in since; 204 when it knows already."""
    count, said = arrived_meanwhile()
    return render_template("desk/news.html", count=count) if count != said else ("", 204)


@desk_pages.get("/")
@requires_page(*auth.EVERYONE)
def start() -> Response:
    """`/desk/` is `/desk`."""
    return _see_other(url_for(".queue"))


@desk_pages.get("/signals/<uuid:signal_id>")
@requires_page(*_FOLLOW_UP)
def signal(signal_id: UUID) -> str:
    """A signal in the clear; the audit entry is committed first."""
    done = request.args.get("done", "")
    return _signal_page(open_signal(signal_id), done=done if done in forms.FORMS else "")


@desk_pages.post("/signals/<uuid:signal_id>/claim")
@requires_page(*_FOLLOW_UP)
def claim(signal_id: UUID) -> Any:
    """Take a signal on."""
    return _change(signal_id, "claim", triage.claim)


@desk_pages.post("/signals/<uuid:signal_id>/release")
@requires_page(*_FOLLOW_UP)
def release(signal_id: UUID) -> Any:
    """Put a signal back."""
    return _change(signal_id, "release", triage.release)


@desk_pages.post("/signals/<uuid:signal_id>/contact-attempts")
@requires_page(*_FOLLOW_UP)
def record_attempt(signal_id: UUID) -> Any:
    """Record one try to reach the resident."""
    return _change(signal_id, "contact-attempts", triage.record_attempt)


@desk_pages.post("/signals/<uuid:signal_id>/notes")
@requires_page(*_FOLLOW_UP)
def add_note(signal_id: UUID) -> Any:
    """Add a note."""
    return _change(signal_id, "notes", partial(triage.add_note, keystore=desk().keystore))


@desk_pages.post("/signals/<uuid:signal_id>/conclude")
@requires_page(*_FOLLOW_UP)
def conclude(signal_id: UUID) -> Any:
    """Conclude with one outcome."""
    return _change(signal_id, "conclude", triage.conclude)


@desk_pages.post("/signals/<uuid:signal_id>/reopen")
@requires_page(*_FOLLOW_UP)
def reopen(signal_id: UUID) -> Any:
    """Take a concluded signal up again."""
    return _change(signal_id, "reopen", triage.reopen)


@desk_pages.post("/signals/<uuid:signal_id>/notice")
@requires_page(*_FOLLOW_UP)
def record_notice(signal_id: UUID) -> Any:
    """Record that the resident was told, or why not yet."""
    return _change(signal_id, "notice", triage.record_notice)


@desk_pages.post("/signals/<uuid:signal_id>/wmo")
@requires_page(*_FOLLOW_UP)
def record_wmo(signal_id: UUID) -> Any:
    """Record when a notification was made by the Wmo."""
    return _change(signal_id, "wmo", triage.record_wmo)


@desk_pages.post("/signals/<uuid:signal_id>/reassign")
@requires_page(Role.LEAD)
def reassign(signal_id: UUID) -> Any:
    """Give a signal to a colleague."""
    return _change(signal_id, "reassign", triage.reassign)


@desk_pages.post("/signals/<uuid:signal_id>/join")
@requires_page(*_FOLLOW_UP)
def join(signal_id: UUID) -> Any:
    """Conclude as a duplicate of the open signal at the same address."""
    return _change(signal_id, "join", triage.conclude_as_duplicate)


@desk_pages.before_request
def speak_a_staff_language() -> None:
    """Until somebody is signed in, the browser's language, if the desk has it."""
    g.language = staff_language()


@desk_pages.context_processor
def shared() -> dict[str, Any]:
    """What every page of the desk has at hand."""
    caller = caller_or_none()
    return {
        "me": caller.member if caller else None,
        "home": auth.home(caller.member.role) if caller else "/desk",
        "organisation": _organisation_name,
        "csrf_name": auth.CSRF_FIELD,
        "csrf": auth.csrf_field(),
        "code": display.page_language(),
        "day": display.day,
        "short_day": display.short_day,
        "moment": display.moment,
        "deadline": display.deadline,
        "address": display.address,
        "field_words": _field_words,
        "asleep": sleeping.asleep,
        "said": _said,
        "label": lambda value: labels.label(value, display.page_language()),
    }


@desk_pages.errorhandler(NotSignedIn)
def ask_to_sign_in(_error: NotSignedIn) -> Any:
    """A link leads to the form and back; a form that was posted is kept until one is signed in again."""
    if request.method in ("GET", "HEAD"):
        form = url_for("desk.sign_in", next=auth.local_path(request.full_path.rstrip("?")))
        return _for_htmx(form) if "HX-Request" in request.headers else _see_other(form)
    page = _sign_in_form(kept_path=request.path, kept=forms.typed_text(), next_path=_page_of(request.path))
    return page, 401, {"WWW-Authenticate": 'Bearer realm="signals"'}


def _for_htmx(form: str) -> Any:
    """A part of a page cannot be the form to sign in: the poll says so and stops, all else goes there."""
    if request.endpoint == "desk.news":
        return render_template("desk/news.html", ended=True), STOP_POLLING
    return "", 401, {"HX-Redirect": form, "WWW-Authenticate": 'Bearer realm="signals"'}


@desk_pages.errorhandler(CsrfFailed)
def offer_to_send_again(refused: CsrfFailed) -> Any:
    """The form is of an older session: show what it says and let its writer send it again."""
    if caller_or_none() is None or not _POSTED.fullmatch(request.path):
        return _error_page(refused.status, refused.code)
    response = _resume(request.path, forms.typed_text())
    response.status_code = refused.status
    return response


@desk_pages.errorhandler(SignalsError)
def refuse(error: SignalsError) -> Any:
    """What cannot be shown or done, with the next step in words."""
    gone = error.status in (404, 410) and request.path.startswith("/desk/signals/")
    return _error_page(error.status, error.code, gone=gone)


@desk_pages.errorhandler(SQLAlchemyError)
def unavailable(error: SQLAlchemyError) -> Any:
    """The database or the keystore is away."""
    log.error("desk.database_problem", occurrence_id=occurrence(), exc_info=error)
    page, status = _error_page(503, "unavailable", kept=_own_form())
    return page, status, {"Retry-After": "30"}


def _change(signal_id: UUID, form: str, change: Callable[..., object]) -> Any:
    """Do one thing and show the signal again; when it is refused, with what was typed."""
    try:
        _do(signal_id, change, forms.load(forms.FORMS[form]))
    except StaleVersion as refused:
        opened, values = open_signal(signal_id), forms.load(forms.FORMS[form])
        if not is_done(opened, form, values, version=forms.version(), by=current().member.id):
            return _once_more(opened, form, refused)
    except (ValidationError, Invalid, Conflict) as refused:
        return _once_more(open_signal(signal_id), form, refused)
    return _see_other(url_for("desk.signal", signal_id=signal_id, done=form))


def _do(signal_id: UUID, change: Callable[..., object], values: Mapping[str, Any]) -> None:
    context = desk()
    with changing(signal_id) as session:
        change(
            session,
            context.clock,
            signal_id=signal_id,
            actor=current().actor,
            audit=context.audit,
            expected_version=forms.version(),
            **values,
        )


def _once_more(opened: OpenedSignal, form: str, refused: ValidationError | SignalsError) -> tuple[str, int]:
    errors = forms.messages(refused)
    status = 400 if isinstance(refused, ValidationError) else refused.status
    trouble = explain(refused, opened) if isinstance(refused, SignalsError) and not errors else ""
    return _signal_page(opened, form=form, errors=errors, trouble=trouble, typed=forms.typed_text()), status


def _signal_page(
    opened: OpenedSignal,
    *,
    done: str = "",
    form: str = "",
    errors: Mapping[str, str] | None = None,
    trouble: str = "",
    typed: Mapping[str, str] | None = None,
) -> str:
    """`form` is the one that was refused: it is open, holds what was `typed` and shows its `errors`."""
    now, language = desk().clock.now().astimezone(AMSTERDAM), display.page_language()
    return render_template(
        "desk/signal.html",
        opened=opened,
        signal=opened.signal,
        report=opened.report,
        possible=possible(opened.signal, current().actor, acts=opened.acts),
        events=timeline(opened, language),
        join=triage.to_join(opened.signal, opened.earlier),
        colleagues=_colleagues(opened.signal),
        may_leave=may_leave(opened.signal),
        choices=_choices(language),
        done=done,
        form=form,
        errors=errors or {},
        trouble=trouble,
        typed=typed or {},
        now=now,
        today=now.date(),
        overdue=is_overdue(opened.signal, now.date()),
    )


def _colleagues(signal: Signal) -> list[tuple[str, str]]:
    """To whom a lead may give it."""
    if current().actor.role != Role.LEAD:
        return []
    with desk().reading() as session:
        found = triage.colleagues(session, organisation_id=organisation_id(), besides=signal.claimed_by_id)
    return [(str(staff_id), name) for staff_id, name in found]


def _choices(language: str) -> dict[str, list[tuple[str, str]]]:
    crisis = frozenset(CRISIS_ROUTES)
    return {
        "kind": labels.choices(AttemptKind, language),
        "result": labels.choices(AttemptResult, language),
        "outcome": labels.choices(Outcome, language),
        "referred_to": labels.choices(ReferredTo, language, without=crisis),
        "crisis": [(code.value, labels.label(code, language)) for code in ReferredTo if code in crisis],
        "not_reached": labels.choices(triage.NotReachedReason, language),
        "reopen": labels.choices(triage.ReopenReason, language),
        "deferred_because": labels.choices(DeferralReason, language),
        "language": list(NAMES.items()),
    }


def _sign_in_form(
    *,
    next_path: str,
    errors: Mapping[str, str] | None = None,
    trouble: str = "",
    kept_path: str = "",
    kept: Mapping[str, str] | None = None,
) -> str:
    return render_template(
        "desk/sign_in.html",
        next_path=next_path,
        errors=errors or {},
        trouble=trouble,
        email=request.form.get("email", "") if request.endpoint == "desk.sign_in_now" else "",
        kept_path=kept_path or _kept_path(),
        kept=kept or _kept_fields(),
        signed_out=request.args.get("done") == "sign-out",
    )


def sign_in_refused(refused: SignInFailed | TooManyGuesses, next_path: str) -> Any:
    """The form again, with one answer for every cause."""
    trouble = f"{title_of(refused.code)}. {detail_of(refused.code)}"
    headers = {"WWW-Authenticate": 'Bearer realm="signals"'}
    if isinstance(refused, TooManyGuesses):
        headers = {"Retry-After": str(refused.retry_after)}
    return _sign_in_form(next_path=next_path, trouble=trouble), refused.status, headers


def _kept_path() -> str:
    path = request.form.get("kept_path", "")
    found = _POSTED.fullmatch(path)
    return path if found and found[1] in _KEPT_FORMS else ""


def _kept_fields() -> dict[str, str]:
    return {name.removeprefix(_KEPT): text for name, text in request.form.items() if name.startswith(_KEPT)}


def _resume(path: str, kept: Mapping[str, str]) -> Response:
    """What was typed under another session, to be read and sent again."""
    page = render_template("desk/resume.html", path=path, kept=kept, back=_page_of(path))
    return Response(page, content_type="text/html; charset=utf-8")


def _field_words() -> dict[str, str]:
    return {
        "email": gettext("E-mail address"),
        "password": gettext("Password"),
        "totp": gettext("Code"),
        "kind": gettext("How"),
        "result": gettext("Result"),
        "attempted_on": gettext("Date"),
        "attempted_time": gettext("Time"),
        "workers": gettext("With how many"),
        "text": gettext("Note"),
        "outcome": gettext("Outcome"),
        "referred_to": gettext("To whom"),
        "newly_known": gettext("Newly known to help"),
        "reason": gettext("Reason"),
        "notified_on": gettext("Told on"),
        "postponed_until": gettext("Agreed day"),
        "wmo_notified_on": gettext("Wmo notification made on"),
        "to_staff_id": gettext("Colleague"),
        "deferred_because": gettext("Why not yet"),
    }


def _said(name: str, value: str) -> str:
    """A field's value as its writer chose it: codes of lists in words."""
    language = display.page_language()
    if name == "reason":
        return labels.reason_label(value, language) or value
    codes = _CODED.get(name)
    known = codes is not None and value in {code.value for code in codes}
    return labels.label(codes(value), language) if codes and known else value


def _page_of(path: str) -> str:
    """The page that a form was on."""
    return path.rpartition("/")[0] if _POSTED.fullmatch(path) else "/desk"


def _own_form() -> dict[str, str]:
    """What was typed into a form of this session, to be sent again; empty for one with a secret in it.

    Whose form it is shows its CSRF field, for which no database is asked.
    """
    token, field = request.cookies.get(auth.cookie_name(), ""), request.form.get(auth.CSRF_FIELD, "")
    plain = not request.files and all(len(texts) == 1 for _, texts in request.form.lists())
    if not plain or not token or not csrf_matches(token, field) or _SECRETS & request.form.keys():
        return {}
    return {auth.CSRF_FIELD: field, **forms.typed_text()}


def _error_page(
    status: int, code: str, *, gone: bool = False, kept: Mapping[str, str] | None = None
) -> tuple[str, int]:
    """`gone`: the reader may know the signal from before; whether it was theirs is not told here.

    `kept`: a form that can be sent again as it is.
    """
    number = occurrence() if status >= 500 else ""
    page = render_template(
        "desk/error.html",
        title=title_of(code),
        detail=detail_of(code),
        number=number,
        status=status,
        gone=gone,
        kept=kept or {},
        again=request.full_path.rstrip("?") if request.method == "GET" and status == 503 else "",
    )
    return page, status


def _organisation_name() -> str:
    """The reader's organisation, for the head of the page."""
    caller = caller_or_none()
    if caller is None or caller.member.organisation_id is None:
        return ""
    with desk().reading() as session:
        return session.get_one(Organisation, caller.member.organisation_id).name


def _see_other(path: str) -> Response:
    response: Response = redirect(path, 303)  # type: ignore[assignment]
    return response
