"""Serve the staff API: sign-in, the queue, and every change of a signal. Programs send a bearer token."""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar
from uuid import UUID

from flask import Response, request
from marshmallow import Schema
from structlog import get_logger

from privacy.keystore import KeystoreError
from signals import casework
from signals.audit.grounds import Ground
from signals.casework.access import FOLLOW_UP_ROLES
from signals.casework.opening import OpenedSignal, Signed
from signals.casework.queue import queue_page
from signals.clock import today
from signals.models import ContactAttempt, FollowUpNote, Organisation, Signal
from signals.web.desk import answers as shown
from signals.web.desk import finding, requests
from signals.web.desk.changes import Change, change_and_open, change_signal
from signals.web.http.bodies import StaffParser, read_json
from signals.web.http.openapi import API_BASE, StaffBlueprint, answers
from signals.web.http.preconditions import IF_MATCH, if_match
from signals.web.http.problems import occurrence, problem
from signals.web.staff_kit.auth import EVERYONE, current, open_to_all, requires, sign_in, sign_out
from signals.web.staff_kit.context import desk, read
from signals.web.staff_kit.opened import open_signal, organisation_id, read_summaries

log = get_logger(__name__)

staff_api = StaffBlueprint(
    "staff", __name__, url_prefix=API_BASE, description="The staff side, for programs of organisations"
)

AUTHENTICATION = "bearer"
"""Every view here asks for it, except signing in."""

_ETAG: Final = {"ETag": {"description": "The signal's version", "schema": {"type": "string"}}}
_REOPEN: Final = requests.ReopenSchema()

_View = TypeVar("_View", bound=Callable[..., Any])
Answer = tuple[Any, dict[str, str]]
"""An object that the schema of the view writes, and the headers."""


@staff_api.app_errorhandler(KeystoreError)
def tell_that_a_key_is_away(error: KeystoreError) -> Response:
    """Answer every call of staff that needs a key which is damaged or away, as if the database were."""
    log.error("web.key_problem", occurrence_id=occurrence(), exc_info=error)
    return problem(503, "unavailable", headers={"Retry-After": "30"})


@staff_api.post("/sessions")
@open_to_all
@staff_api.arguments(requests.SignInSchema)
@staff_api.response(201, shown.SessionSchema)
@answers(401, 413, 415, 429, 503)
def open_session(credentials: Mapping[str, str]) -> dict[str, Any]:
    """Sign in with password and a code of the authenticator; the token ends after the session's hours."""
    opened = sign_in(**credentials, kind="api")
    return {
        "token": opened.token,
        "expires_at": opened.session.expires_at,
        "role": opened.member.role,
        "name": opened.member.name,
        "organisation": _organisation(opened.member.organisation_id),
    }


@staff_api.delete("/sessions/current")
@requires(*EVERYONE)
@staff_api.response(204)
def close_session() -> Response:
    """Sign out: the token works no more, in any process."""
    sign_out()
    return Response(status=204)


@staff_api.get("/me")
@requires(*EVERYONE)
@staff_api.response(200, shown.MeSchema)
def me() -> dict[str, Any]:
    """Show who the token belongs to."""
    member = current().member
    organisation = _organisation(member.organisation_id)
    return {"name": member.name, "role": member.role, "organisation": organisation}


@staff_api.get("/queue")
@requires(*FOLLOW_UP_ROLES)
@staff_api.arguments(requests.QueueQuery, location="query", unknown="raise")
@staff_api.response(200, shown.QueueSchema)
def queue(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """List the organisation's signals by their next deadline, without addresses."""
    page = read(queue_page, organisation_id=organisation_id(), **wanted)
    return {"items": _items(page.items, page.claimants), "next_cursor": page.next_cursor}


@staff_api.get("/signals/<uuid:signal_id>")
@requires(*FOLLOW_UP_ROLES)
@staff_api.response(200, shown.SignalSchema, headers=_ETAG)
@answers(404, 410)
def signal(signal_id: UUID) -> Answer:
    """Show a signal in the clear; the audit entry is committed first."""
    return _versioned(open_signal(signal_id))


def _changing(
    path: str, shows: type[Schema], *refusals: int, body: type[Schema] | None = None, status: int = 200
) -> Callable[[_View], _View]:
    """Serve a change of one signal, with an optional If-Match, and with an ETag in the answer."""

    def decorate(view: _View) -> _View:
        shown_view = staff_api.response(status, shows, headers=_ETAG)(answers(404, 409, 412, *refusals)(view))
        taking = staff_api.arguments(body)(shown_view) if body else shown_view
        documented = staff_api.doc(parameters=[IF_MATCH])(requires(*FOLLOW_UP_ROLES)(taking))
        served: _View = staff_api.post(f"/signals/<uuid:signal_id>/{path}")(documented)
        return served

    return decorate


@_changing("claim", shown.SignalSchema, 400, 410)
def claim(signal_id: UUID) -> Answer:
    """Claim a signal; 409 when a colleague has it."""
    return _change_and_open(signal_id, casework.claim, ground=Ground.CLAIM)


@_changing("release", shown.SignalSchema, 400, 410)
def release(signal_id: UUID) -> Answer:
    """Put a signal back in the queue."""
    return _change_and_open(signal_id, casework.release, ground=Ground.RELEASE)


@_changing("reopen", shown.SignalSchema, 400, 410, 413, 415)
@staff_api.doc(
    requestBody={"required": False, "content": {"application/json": {"schema": requests.ReopenSchema}}}
)
def reopen(signal_id: UUID) -> Answer:
    """Reopen a concluded signal; the caller then has it."""
    return _change_and_open(signal_id, casework.reopen, _REOPEN.load(_optional_body()), ground=Ground.REOPEN)


@_changing("undo", shown.SignalSchema, 400, 410)
def undo(signal_id: UUID) -> Answer:
    """Undo the last change of a signal, if the caller made it; 409 `undo_over` when there is none."""
    return _change_and_open(signal_id, casework.undo, ground=Ground.UNDONE)


@_changing("contact-attempts", shown.RecordedAttemptSchema, 413, 415, body=requests.AttemptSchema, status=201)
def record_attempt(values: Mapping[str, Any], signal_id: UUID) -> Answer:
    """Record one attempt to reach the resident."""
    return _sign(_change(signal_id, casework.record_attempt, values))


@_changing("notes", shown.WrittenNoteSchema, 410, 413, 415, body=requests.NoteSchema, status=201)
def add_note(values: Mapping[str, Any], signal_id: UUID) -> Answer:
    """Add a note; it is sealed before it is stored."""
    return _sign(_change(signal_id, casework.add_note, values))


@_changing("conclude", shown.SignalSchema, 410, 413, 415, body=requests.ConcludeSchema)
def conclude(values: Mapping[str, Any], signal_id: UUID) -> Answer:
    """Conclude with exactly one outcome; what a program does not know may be left out."""
    return _change_and_open(signal_id, casework.conclude, {**values, "asks": False}, ground=Ground.CONCLUDE)


@_changing("notice", shown.NoticeStateSchema, 413, 415, body=requests.NoticeSchema, status=201)
def record_notice(values: Mapping[str, Any], signal_id: UUID) -> Answer:
    """Record when the resident was notified (art. 14 AVG), or why not yet."""
    return _change(signal_id, casework.record_notice, values)


@_changing("wmo-notification", shown.WmoStateSchema, 413, 415, body=requests.WmoSchema, status=201)
def record_wmo(values: Mapping[str, Any], signal_id: UUID) -> Answer:
    """Record the day of a notification by the Wmo 2015; a signal itself is none."""
    return _change(signal_id, casework.record_wmo, values)


@staff_api.post("/search")
@requires(*FOLLOW_UP_ROLES)
@staff_api.arguments(requests.SearchSchema)
@staff_api.response(200, shown.FoundSchema)
@answers(413, 415)
def find(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Find the organisation's signals by reference or address, to help a resident who calls."""
    found = finding.find(wanted)
    return vars(found) | {"items": _items(found.items, found.claimants)}


@staff_api.post("/rounds")
@requires(*FOLLOW_UP_ROLES)
@staff_api.arguments(requests.RoundSchema)
@staff_api.response(200, shown.RoundAnswerSchema)
@answers(404, 409, 410, 413, 415)
def plan_round(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Show the addresses of the caller's signals by postcode; each leaves an audit entry."""
    return {"items": finding.walk(wanted["ids"])}


def _change(signal_id: UUID, change: Change[Any], values: Mapping[str, Any]) -> Answer:
    done, version = change_signal(signal_id, change, values, version=if_match())
    return done, _etag(version)


def _change_and_open(
    signal_id: UUID, change: Change[Signal], values: Mapping[str, Any] | None = None, *, ground: Ground
) -> Answer:
    opened = change_and_open(signal_id, change, values or {}, version=if_match(), ground=ground)
    return _versioned(opened)


def _sign(answer: Answer) -> tuple[Signed[ContactAttempt | FollowUpNote], dict[str, str]]:
    """Add the caller's name to what the caller just made."""
    entry, headers = answer
    return Signed(entry=entry, by=current().actor.name), headers


def _versioned(opened: OpenedSignal) -> Answer:
    return opened, _etag(opened.signal.version)


def _etag(version: int) -> dict[str, str]:
    return {"ETag": f'"{version}"'}


def _optional_body() -> dict[str, Any]:
    if not request.content_length and "Transfer-Encoding" not in request.headers:
        return {}
    return read_json(request, StaffParser.BODY_LIMIT)


def _items(signals: list[Any], claimants: Mapping[UUID, str]) -> list[shown.Listed]:
    return shown.listed(signals, read_summaries(signals), claimants, today(desk().clock))


def _organisation(organisation_id: UUID | None) -> Organisation | None:
    if organisation_id is None:
        return None
    with desk().reading() as session:
        return session.get_one(Organisation, organisation_id)
