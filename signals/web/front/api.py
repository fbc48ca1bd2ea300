"""The public API: the form's facts, coverage look-up, intake and receipts. No cookies, no login."""

import hashlib
import json
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import Any

from flask import Response, request

from signals.clock import today
from signals.intake.receiving import Received
from signals.routing.day_table import Route
from signals.routing.rows import OrganisationFacts
from signals.settings import NotesSettings
from signals.vocabulary import LANGUAGES, ConcernType, Seen
from signals.web.front.context import front
from signals.web.front.reading import read_report
from signals.web.front.sizes import JSON_STEP, of_one_size
from signals.web.http.bodies import StrictParser, read_json
from signals.web.http.openapi import API_BASE, PublicBlueprint, answers
from signals.web.http.preconditions import ETAG, IF_NONE_MATCH
from signals.web.http.report_schemas import (
    CoverageAnswerSchema,
    FormSchema,
    LookupSchema,
    ReceiptSchema,
    ReceiptStateSchema,
    ReceivedSchema,
    ReportSchema,
    idempotency_key,
)
from signals.web.labels import EMERGENCY, labels, texts

public_api = PublicBlueprint(
    "public", __name__, url_prefix=API_BASE, description="The public side, for carriers' phones"
)

AUTHENTICATION = "none"
"""Said by every blueprint; a test compares it with what the views do."""

_KEY_PARAMETER = {
    "in": "header",
    "name": "Idempotency-Key",
    "required": True,
    "schema": {"type": "string", "format": "uuid"},
    "description": "The same key and body give the same answer for 7 days; another body under it gives 409.",
}


@public_api.get("/form")
@public_api.doc(parameters=[IF_NONE_MATCH])
@public_api.response(200, FormSchema, headers=ETAG)
@answers(304)
def form() -> Response:
    """What a carrier may report, in every language."""
    body, etag = _form(front().settings.notes)
    response = _json(body)
    response.set_etag(etag)
    response.cache_control.public = True
    response.cache_control.max_age = 300
    response.make_conditional(request)  # becomes a 304 in place
    return response


@public_api.post("/coverage/lookup")
@public_api.arguments(LookupSchema)
@public_api.response(200, CoverageAnswerSchema)
@answers(413, 415, 503)
def look_up_coverage(place: Mapping[str, Any]) -> Response:
    """Which organisation would receive a report from this address today."""
    context = front()
    snapshot, on = context.intake.router.snapshot(), today(context.clock)
    route = snapshot.route(place["postcode"], place["house_number"], on)
    receiver, _key = snapshot.receiver(route, on)
    return _json(_coverage(route, receiver))


@public_api.post("/signals")
@public_api.doc(
    parameters=[_KEY_PARAMETER],
    requestBody={"required": True, "content": {"application/json": {"schema": ReportSchema}}},
)
@public_api.response(201, ReceivedSchema)
@answers(400, 409, 413, 415, 429, 503)
def receive() -> Response:
    """Pass on a concern. Nothing that is stored or logged leads to the sender."""
    context = front()
    body = read_json(request, StrictParser.BODY_LIMIT)
    key = idempotency_key(request.headers.get("Idempotency-Key"))
    received = context.intake.receive(context.clock, key=key, report=read_report(body))
    return _json(_received(received), 201)


@public_api.post("/receipts/status")
@public_api.arguments(ReceiptSchema)
@public_api.response(200, ReceiptStateSchema)
@answers(413, 415, 503)
def receipt_status(receipt: str | None) -> Response:
    """How far a report is, as of the previous day; `unknown` also for a receipt never issued."""
    context = front()
    state, as_of = context.intake.receipt_state(context.clock, receipt)
    return _json({"state": state, "as_of": as_of.isoformat()})


def _json(body: Mapping[str, Any] | bytes, status: int = 200) -> Response:
    content = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    return Response(of_one_size(content, JSON_STEP), status=status, content_type="application/json")


def _coverage(route: Route, receiver: OrganisationFacts) -> dict[str, Any]:
    municipality = {"code": route.municipality_code, "name": route.municipality_name}
    return {
        "covered": route.covered and receiver.id == route.organisation_id,
        "organisation": {"name": receiver.name, "kind": receiver.kind},
        "municipality": municipality if route.municipality_code else None,
    }


def _received(received: Received) -> dict[str, Any]:
    return {
        "receipt": received.receipt,
        "organisation": {"name": received.organisation.name, "kind": received.organisation.kind},
        "received_on": _iso(received.received_on),
        "note_redactions": [{"kind": r.kind, "count": r.count} for r in received.redactions],
    }


def _iso(day: date) -> str:
    return day.isoformat()


@lru_cache(maxsize=4)
def _form(notes: NotesSettings) -> tuple[bytes, str]:
    """(body, version) of the form; the version is a digest of its content, so it changes when that does."""
    facts: dict[str, Any] = {
        "languages": list(LANGUAGES),
        "concern_types": [{"code": code, "labels": labels(code)} for code in ConcernType],
        "seen": [{"code": code, "labels": labels(code)} for code in Seen],
        "note": {"enabled": notes.enabled, "max_length": notes.max_length},
        "emergency": [
            {"number": number, "label": texts(name), "when": texts(when)} for number, name, when in EMERGENCY
        ],
    }
    version = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]
    return json.dumps({"version": version, **facts}, ensure_ascii=False).encode(), version
