"""The staff API: sign-in, the queue, and what is done with a signal. Programs carry a bearer's token."""

import json
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from flask import Response, request

from signals import casework
from signals.clock import today
from signals.models import Organisation
from signals.vocabulary import Role
from signals.web.http.bodies import StaffParser, read_json
from signals.web.http.openapi import API_BASE, StaffBlueprint, answers
from signals.web.http.preconditions import IF_MATCH, if_match
from signals.web.staff_kit import representations, schemas
from signals.web.staff_kit.auth import EVERYONE, current, open_to_all, requires, sign_in, sign_out
from signals.web.staff_kit.context import desk
from signals.web.staff_kit.opened import (
    OpenedSignal,
    changing,
    open_signal,
    organisation_id,
    read_opened,
    read_summaries,
    record_opening,
)
from signals.web.staff_kit.search import round_of, search

staff_api = StaffBlueprint(
    "staff", __name__, url_prefix=API_BASE, description="The staff side, for programs of organisations"
)

AUTHENTICATION = "bearer"
"""What every view here asks for, but the one that signs in."""

_TOKEN: Final[list[dict[str, list[str]]]] = [{"token": []}]
_FOLLOW_UP: Final = (Role.WORKER, Role.LEAD)
_ETAG: Final = {"ETag": {"description": "The signal's version", "schema": {"type": "string"}}}
_REOPEN: Final = schemas.ReopenSchema()
_CHANGE_ANSWERS: Final = (400, 404, 409, 410, 412)


@staff_api.post("/sessions")
@open_to_all
@staff_api.arguments(schemas.SignInSchema)
@staff_api.response(201, schemas.SessionSchema)
@answers(401, 413, 415, 429, 503)
def open_session(credentials: Mapping[str, str]) -> Response:
    """Sign in with password and a code of the authenticator; the token ends after the session's hours."""
    opened = sign_in(**credentials, kind="api")
    return _json(
        {
            "token": opened.token,
            "expires_at": opened.session.expires_at.isoformat().replace("+00:00", "Z"),
            "role": opened.member.role,
            "name": opened.member.name,
            "organisation": _organisation(opened.member.organisation_id),
        },
        201,
    )


@staff_api.delete("/sessions/current")
@staff_api.doc(security=_TOKEN)
@requires(*EVERYONE)
@staff_api.response(204)
def close_session() -> Response:
    """Sign out: the token works no more, in any process."""
    sign_out()
    return Response(status=204)


@staff_api.get("/me")
@staff_api.doc(security=_TOKEN)
@requires(*EVERYONE)
@staff_api.response(200, schemas.MeSchema)
def me() -> Response:
    """Who the token belongs to."""
    member = current().member
    organisation = _organisation(member.organisation_id)
    return _json({"name": member.name, "role": member.role, "organisation": organisation})


@staff_api.get("/queue")
@staff_api.doc(security=_TOKEN)
@requires(*_FOLLOW_UP)
@staff_api.arguments(schemas.QueueQuery, location="query", unknown="raise")
@staff_api.response(200, schemas.QueueSchema)
def queue(wanted: Mapping[str, Any]) -> Response:
    """The organisation's signals by their next deadline, without addresses."""
    context = desk()
    with context.reading() as session:
        page = casework.queue_page(session, organisation_id=organisation_id(), **wanted)
    return _json({"items": _items(page.items, page.claimants), "next_cursor": page.next_cursor})


@staff_api.get("/signals/<uuid:signal_id>")
@staff_api.doc(security=_TOKEN)
@requires(*_FOLLOW_UP)
@staff_api.response(200, schemas.SignalSchema, headers=_ETAG)
@answers(404, 410)
def signal(signal_id: UUID) -> Response:
    """A signal in the clear; the audit entry is committed first."""
    return _opened(open_signal(signal_id))


@staff_api.post("/signals/<uuid:signal_id>/claim")
@staff_api.doc(security=_TOKEN, parameters=[IF_MATCH])
@requires(*_FOLLOW_UP)
@staff_api.response(200, schemas.SignalSchema, headers=_ETAG)
@answers(*_CHANGE_ANSWERS)
def claim(signal_id: UUID) -> Response:
    """Take a signal on; 409 when a colleague has it."""
    version, context = if_match(), desk()
    with changing(signal_id) as session:
        casework.claim(
            session,
            context.clock,
            signal_id=signal_id,
            actor=current().actor,
            audit=context.audit,
            expected_version=version,
        )
        record_opening(session, signal_id, ground="claim")
    return _opened(read_opened(signal_id))


@staff_api.post("/signals/<uuid:signal_id>/release")
@staff_api.doc(security=_TOKEN, parameters=[IF_MATCH])
@requires(*_FOLLOW_UP)
@staff_api.response(200, schemas.SignalSchema, headers=_ETAG)
@answers(*_CHANGE_ANSWERS)
def release(signal_id: UUID) -> Response:
    """Put a signal back in the queue."""
    version, context = if_match(), desk()
    with changing(signal_id) as session:
        casework.release(
            session,
            context.clock,
            signal_id=signal_id,
            actor=current().actor,
            audit=context.audit,
            expected_version=version,
        )
        record_opening(session, signal_id, ground="release")
    return _opened(read_opened(signal_id))


@staff_api.post("/signals/<uuid:signal_id>/reopen")
@staff_api.doc(
    security=_TOKEN,
    parameters=[IF_MATCH],
    requestBody={"required": False, "content": {"application/json": {"schema": schemas.ReopenSchema}}},
)
@requires(*_FOLLOW_UP)
@staff_api.response(200, schemas.SignalSchema, headers=_ETAG)
@answers(*_CHANGE_ANSWERS, 413, 415)
def reopen(signal_id: UUID) -> Response:
    """Take a concluded signal up again; who reopens has it."""
    version, context = if_match(), desk()
    values = _REOPEN.load(_optional_body())
    with changing(signal_id) as session:
        casework.reopen(
            session,
            context.clock,
            signal_id=signal_id,
            actor=current().actor,
            audit=context.audit,
            expected_version=version,
            **values,
        )
        record_opening(session, signal_id, ground="reopen")
    return _opened(read_opened(signal_id))


@staff_api.post("/signals/<uuid:signal_id>/contact-attempts")
@staff_api.doc(security=_TOKEN, parameters=[IF_MATCH])
@requires(*_FOLLOW_UP)
@staff_api.arguments(schemas.AttemptSchema)
@staff_api.response(201, schemas.RecordedAttemptSchema, headers=_ETAG)
@answers(404, 409, 412, 413, 415)
def record_attempt(values: Mapping[str, Any], signal_id: UUID) -> Response:
    """Record one try to reach the resident."""
    version, context = if_match(), desk()
    actor = current().actor
    with changing(signal_id) as session:
        attempt = casework.record_attempt(
            session,
            context.clock,
            signal_id=signal_id,
            actor=actor,
            audit=context.audit,
            expected_version=version,
            **values,
        )
        session.flush()
    body = representations.attempt(attempt, {attempt.recorded_by_id: actor.name})
    return _json(body, 201, version=attempt.signal.version)


@staff_api.post("/signals/<uuid:signal_id>/notes")
@staff_api.doc(security=_TOKEN, parameters=[IF_MATCH])
@requires(*_FOLLOW_UP)
@staff_api.arguments(schemas.NoteSchema)
@staff_api.response(201, schemas.WrittenNoteSchema, headers=_ETAG)
@answers(404, 409, 410, 412, 413, 415)
def add_note(values: Mapping[str, Any], signal_id: UUID) -> Response:
    """Add a note; it is sealed before it is stored."""
    version, context = if_match(), desk()
    actor = current().actor
    with changing(signal_id) as session:
        note = casework.add_note(
            session,
            context.clock,
            keystore=context.keystore,
            signal_id=signal_id,
            actor=actor,
            audit=context.audit,
            expected_version=version,
            **values,
        )
    body = representations.written_note(note.id, actor.name, note.written_at)
    return _json(body, 201, version=note.signal.version)


@staff_api.post("/signals/<uuid:signal_id>/conclude")
@staff_api.doc(security=_TOKEN, parameters=[IF_MATCH])
@requires(*_FOLLOW_UP)
@staff_api.arguments(schemas.ConcludeSchema)
@staff_api.response(200, schemas.SignalSchema, headers=_ETAG)
@answers(404, 409, 410, 412, 413, 415)
def conclude(values: Mapping[str, Any], signal_id: UUID) -> Response:
    """Conclude with exactly one outcome."""
    version, context = if_match(), desk()
    with changing(signal_id) as session:
        casework.conclude(
            session,
            context.clock,
            signal_id=signal_id,
            actor=current().actor,
            audit=context.audit,
            expected_version=version,
            **values,
        )
        record_opening(session, signal_id, ground="conclude")
    return _opened(read_opened(signal_id))


@staff_api.post("/signals/<uuid:signal_id>/notice")
@staff_api.doc(security=_TOKEN, parameters=[IF_MATCH])
@requires(*_FOLLOW_UP)
@staff_api.arguments(schemas.NoticeSchema)
@staff_api.response(201, schemas.NoticeStateSchema, headers=_ETAG)
@answers(404, 409, 412, 413, 415)
def record_notice(values: Mapping[str, Any], signal_id: UUID) -> Response:
    """Record that the resident was told (art. 14 AVG), or why not yet."""
    version, context = if_match(), desk()
    with changing(signal_id) as session:
        changed = casework.record_notice(
            session,
            context.clock,
            signal_id=signal_id,
            actor=current().actor,
            audit=context.audit,
            expected_version=version,
            **values,
        )
    return _json(representations.notice(changed), 201, version=changed.version)


@staff_api.post("/signals/<uuid:signal_id>/wmo-notification")
@staff_api.doc(security=_TOKEN, parameters=[IF_MATCH])
@requires(*_FOLLOW_UP)
@staff_api.arguments(schemas.WmoSchema)
@staff_api.response(201, schemas.WmoStateSchema, headers=_ETAG)
@answers(404, 409, 412, 413, 415)
def record_wmo(values: Mapping[str, Any], signal_id: UUID) -> Response:
    """Record when a notification was made by the Wmo 2015: a signal itself is none."""
    version, context = if_match(), desk()
    with changing(signal_id) as session:
        changed = casework.record_wmo(
            session,
            context.clock,
            signal_id=signal_id,
            actor=current().actor,
            audit=context.audit,
            expected_version=version,
            **values,
        )
    return _json(representations.wmo(changed), 201, version=changed.version)


@staff_api.post("/search")
@staff_api.doc(security=_TOKEN)
@requires(*_FOLLOW_UP)
@staff_api.arguments(schemas.SearchSchema)
@staff_api.response(200, schemas.FoundSchema)
@answers(413, 415)
def find(wanted: Mapping[str, Any]) -> Response:
    """Find the organisation's signals by reference or address, so that a resident who calls can be helped."""
    found = search(
        reference=wanted["reference"],
        postcode=wanted["postcode"] or "",
        number=wanted["house_number"] or 0,
        addition=wanted["house_number_addition"],
    )
    return _json(
        {
            "items": _items(found.items, found.claimants),
            "deleted_on": found.deleted_on.isoformat() if found.deleted_on else None,
            "referred_on": found.referred_on.isoformat() if found.referred_on else None,
            "deleted_received_on": [day.isoformat() for day in found.deleted_received_on],
            "more": found.more,
        }
    )


@staff_api.post("/rounds")
@staff_api.doc(security=_TOKEN)
@requires(*_FOLLOW_UP)
@staff_api.arguments(schemas.RoundSchema)
@staff_api.response(200, schemas.RoundAnswerSchema)
@answers(404, 409, 410, 413, 415)
def plan_round(wanted: Mapping[str, Any]) -> Response:
    """The addresses of signals that one has claimed, in walking order; one audit entry each."""
    stops = round_of(wanted["ids"])
    return _json(
        {
            "items": [
                {
                    "id": str(stop.signal.id),
                    "reference": stop.signal.reference,
                    "address": representations.address(stop.address),
                }
                for stop in stops
            ]
        }
    )


def _optional_body() -> dict[str, Any]:
    if not request.content_length and "Transfer-Encoding" not in request.headers:
        return {}
    return read_json(request, StaffParser.BODY_LIMIT)


def _items(signals: list[Any], claimants: Mapping[UUID, str]) -> list[dict[str, Any]]:
    context = desk()
    summaries = read_summaries(signals)
    return representations.queue_items(signals, summaries, claimants, today(context.clock))


def _organisation(found_id: UUID | None) -> dict[str, str] | None:
    if found_id is None:
        return None
    with desk().reading() as session:
        found = session.get_one(Organisation, found_id)
    return {"id": str(found.id), "name": found.name}


def _opened(opened: OpenedSignal) -> Response:
    body = representations.opened_signal(opened, today(desk().clock))
    return _json(body, version=opened.signal.version)


def _json(body: Mapping[str, Any], status: int = 200, *, version: int | None = None) -> Response:
    text = json.dumps(body, ensure_ascii=False)
    response = Response(text, status=status, content_type="application/json")
    if version is not None:
        response.set_etag(str(version))
    return response
