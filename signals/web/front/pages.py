"""The carrier's pages: the form at `/` and `/m`, and the progress of a receipt; they work without scripts.

The pages set no cookie and keep no state between two requests. Without a session a forged request gains
nothing, so there is no CSRF token. The typed text returns in the form of the answer only, never in a URL or a
log.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from flask import Blueprint, Response, g, render_template, request
from flask_babel import lazy_gettext
from marshmallow import ValidationError
from sqlalchemy.exc import SQLAlchemyError
from structlog import get_logger

from signals.clock import today
from signals.errors import (
    AreaBusy,
    AreaFull,
    ClearReportRefused,
    FieldProblem,
    Invalid,
    KeyReused,
    NotesDisabled,
    SignalsError,
)
from signals.intake.content import NOTICED_DAYS_BACK
from signals.intake.receiving import Received
from signals.vocabulary import AUTONYMS, LANGUAGES, ConcernType, ReceiptState, Seen
from signals.web.front.context import front
from signals.web.front.forms import FilledForm
from signals.web.front.offline import front_offline, icon, icon_of_page, issuer_addresses, place
from signals.web.front.schemas import ReceiptSchema
from signals.web.front.sizes import PAGE_STEP, of_one_size
from signals.web.http.bodies import StrictParser, read_form
from signals.web.http.headers import CONTENT_POLICY
from signals.web.http.i18n import language
from signals.web.http.messages import FIELDS, detail_of, field_message
from signals.web.http.problems import occurrence
from signals.web.labels import EMERGENCY, choices, label, text

front_pages = Blueprint("front_pages", __name__)

AUTHENTICATION = "none"

RETRY_SECONDS = 60

log = get_logger(__name__)

_RECEIPT = ReceiptSchema()
_MISTAKES = {
    "postcode": FieldProblem(field="postcode", code="postcode_malformed"),
    "letters": FieldProblem(field="postcode", code="letters_not_issued"),
    "house_number": FieldProblem(field="house_number", code="house_number"),
    "addition": FieldProblem(field="house_number_addition", code="malformed"),
    "day": FieldProblem(field="noticed_on", code="out_of_range"),
}
"""The problems that the script finds before it sends, as the service would name them."""
_ADDITION = lazy_gettext("Only letters and digits, 6 at most.")
_TYPE_THE_CODE = lazy_gettext("Type or paste the code that you kept.")
_OWN_WORDS = {
    ("postcode", "required"): FIELDS["postcode_malformed"],
    ("house_number", "required"): FIELDS["house_number"],
    ("house_number_addition", "malformed"): _ADDITION,
    ("house_number_addition", "too_long"): _ADDITION,
    ("noticed_on", "out_of_range"): lazy_gettext("Choose today or a day up to 14 days back."),
}
"""Plainer words for a problem of this form than the general ones."""


# The service worker and the manifest belong to these pages, and have their language.
front_pages.register_blueprint(front_offline)


@front_pages.before_request
def choose_language() -> None:
    """Prefer `?lang=pl` of the language switch to Accept-Language; a page reads nothing else from its URL."""
    chosen = request.args.get("lang")
    if chosen in LANGUAGES:
        g.language = chosen


@front_pages.url_defaults
def keep_language(_endpoint: str, values: dict[str, Any]) -> None:
    """Keep the language of the switch in the links of these pages."""
    if "language" in g:
        values.setdefault("lang", g.language)


@front_pages.after_request
def let_ask_issuers(response: Response) -> Response:
    """Let the page ask trusted issuers at other addresses for tokens, and nobody else."""
    if issuers := issuer_addresses():
        policy = CONTENT_POLICY.replace("connect-src 'self'", f"connect-src 'self' {' '.join(issuers)}")
        response.headers["Content-Security-Policy"] = policy
    return response


@front_pages.get("/")
@front_pages.get("/m")
def show_form() -> Response:
    """Show an empty form with a new key."""
    return _form(FilledForm.empty())


@front_pages.post("/")
@front_pages.post("/m")
def receive() -> Response:
    """Pass on a concern by the rules of `POST /api/v1/signals`; the same form twice makes one signal."""
    filled = FilledForm.of(read_form(request, StrictParser.BODY_LIMIT))
    context = front()
    try:
        report = filled.report()
        received = context.intake.receive(context.clock, key=filled.key(), report=report)
    except ValidationError:
        return _form(filled.with_fresh_key(), status=400, notice="no_key")
    except SignalsError as error:
        return _refused(filled, error)
    except SQLAlchemyError:
        log.exception("web.database_problem", occurrence_id=occurrence())
        return _later(filled, status=503, retry_after=RETRY_SECONDS)
    return _sent(received)


@front_pages.get("/voortgang")
def ask_receipt() -> Response:
    """Show a field for the code."""
    return _progress_page(receipt="", problem="")


@front_pages.post("/voortgang")
def show_progress() -> Response:
    """Show how far a report is as of yesterday; an invented code gets the answer of a forgotten one."""
    pairs = [pair for pair in read_form(request, StrictParser.BODY_LIMIT) if pair[1].strip()]
    typed = next((value for name, value in pairs if name == "receipt"), "")
    try:
        receipt: str | None = _RECEIPT.load(dict(pairs))
    except ValidationError:
        return _progress_page(status=400, receipt=typed, problem=_TYPE_THE_CODE)
    context = front()
    state, as_of = context.intake.receipt_state(context.clock, receipt)
    return _progress(typed, state, as_of)


@front_pages.get("/gezien")
def seen() -> Response:
    """Tell carriers who can see that they passed something on."""
    return _page("front/seen.html")


@front_pages.get("/privacy")
def privacy() -> Response:
    """Show the privacy statement, to carriers and residents."""
    return _page("statements/privacy.html", contact=front().settings.scheme.contact_email)


@front_pages.get("/toegankelijkheid")
def accessibility() -> Response:
    """Show the accessibility statement of all pages."""
    return _page("statements/accessibility.html", contact=front().settings.scheme.contact_email)


def _refused(filled: FilledForm, error: SignalsError) -> Response:
    if isinstance(error, Invalid):
        return _form(filled, status=400, problems=error.problems)
    if isinstance(error, NotesDisabled | ClearReportRefused):
        return _form(filled, status=400, notice=error.code)
    if isinstance(error, KeyReused):
        # The carrier went back and changed a report that is sent already: this is a new report.
        return _form(filled.with_fresh_key(), status=409, notice="sent_already")
    retry_after = error.retry_after if isinstance(error, AreaFull) else RETRY_SECONDS
    full = isinstance(error, AreaFull) and not isinstance(error, AreaBusy)
    notice = error.code if full else "later"
    return _later(filled, status=error.status, retry_after=retry_after, notice=notice)


def _later(filled: FilledForm, *, status: int, retry_after: int, notice: str = "later") -> Response:
    """Show the filled form with the same key: the carrier loses nothing and can send it again."""
    response = _form(filled, status=status, notice=notice)
    response.headers["Retry-After"] = str(retry_after)
    return response


def _form(
    filled: FilledForm, *, status: int = 200, problems: Sequence[FieldProblem] = (), notice: str = ""
) -> Response:
    context = front()
    on = today(context.clock)
    found = [replace(problem, field=problem.field.split(".")[0]) for problem in problems]
    return _page(
        "front/form.html",
        status=status,
        filled=filled,
        notice=notice,
        notice_detail=detail_of(notice),
        clear=context.intake.accepts_clear,
        refused_clear=detail_of(ClearReportRefused.code),
        problems=[(problem.field, _message(problem)) for problem in found],
        concern_types=[(type_, label(type_, language())) for type_ in ConcernType],
        seen=choices(Seen, language()),
        note=context.settings.notes,
        mistakes={name: _message(problem) for name, problem in _MISTAKES.items()},
        icon=icon,
        earliest=on - timedelta(days=NOTICED_DAYS_BACK),
        latest=on,
    )


def _message(problem: FieldProblem) -> str:
    return str(_OWN_WORDS.get((problem.field, problem.code)) or field_message(problem.code))


def _sent(received: Received) -> Response:
    return _same_size(_page("front/sent.html", received=received))


def _progress(typed: str, state: ReceiptState, as_of: date) -> Response:
    return _same_size(_progress_page(receipt=typed, problem="", state=state, as_of=as_of))


def _progress_page(*, status: int = 200, **values: object) -> Response:
    return _page("front/progress.html", status=status, missing=_TYPE_THE_CODE, **values)


def _same_size(response: Response) -> Response:
    """Pad the page, so that its length tells neither the state nor the receiver."""
    response.set_data(of_one_size(response.get_data(), PAGE_STEP))
    return response


def _page(template: str, *, status: int = 200, **values: object) -> Response:
    # A link of the switch would lose the typed text or the receipt.
    switch = request.method == "GET"
    emergency = [(number, text(name, language()), text(when, language())) for number, name, when in EMERGENCY]
    words = {"code": language(), "languages": AUTONYMS, "emergency": emergency}
    words["root"] = front().settings.front.root_public_key
    parts = {"place": place, "icon_of_page": icon_of_page, "thanks": front().thanks.sentence}
    page = render_template(template, switch=switch, **words, **parts, **values)
    return Response(page, status=status, content_type="text/html; charset=utf-8")
