"""The public API: the form's facts, coverage look-up, intake and receipts. No cookies, no login."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from functools import lru_cache
from typing import Any, Final

from flask import Response, request

from privacy.sealing import root_key_id
from signals.clock import today
from signals.intake.receiving import Received
from signals.routing.day_table import Route
from signals.routing.phone_rules import phone_routes
from signals.settings import NotesSettings
from signals.vocabulary import LANGUAGES, ConcernType, Seen
from signals.web.front.context import front
from signals.web.front.reading import read_report
from signals.web.front.schemas import (
    UUID_PATTERN,
    CoverageAnswerSchema,
    FormSchema,
    FourDigitsSchema,
    LookupSchema,
    MailboxesSchema,
    ReceiptSchema,
    ReceiptStatusSchema,
    ReceivedSchema,
    ReportSchema,
    SealedReportSchema,
    idempotency_key,
)
from signals.web.front.sizes import JSON_STEP, of_one_size
from signals.web.front.tokens import IssuerFacts, issuer_facts, token_in
from signals.web.http.bodies import StrictParser, read_json
from signals.web.http.further_headers import FURTHER
from signals.web.http.openapi import API_BASE, PublicBlueprint, answers
from signals.web.http.preconditions import ETAG, IF_NONE_MATCH
from signals.web.labels import EMERGENCY, labels, texts

public_api = PublicBlueprint(
    "public", __name__, url_prefix=API_BASE, description="The public side, for carriers' phones"
)

AUTHENTICATION = "none"

_SEALED: Final = SealedReportSchema()
_EITHER: Final = {"oneOf": [ReportSchema, SealedReportSchema]}
_KEY_PARAMETER: Final = {
    "in": "header",
    "name": "Idempotency-Key",
    "required": True,
    "schema": {"type": "string", "pattern": f"^{UUID_PATTERN}$"},
    "description": "A UUID. For 7 days the same key and body give the same answer, another body gives 409.",
}

_FOR_WORK_APPS: Final = [
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Expose-Headers", "API-Version, Retry-After"),
]
"""For pages of any employer: no call has credentials, so a page gains nothing that a program lacks."""
_PREFLIGHT: Final = {
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Idempotency-Key",
    "Access-Control-Max-Age": "86400",
}

_TOKEN_PARAMETER: Final = {
    "in": "header",
    "name": "Authorization",
    "schema": {"type": "string", "pattern": '^PrivateToken token="[A-Za-z0-9_=-]+"$'},
    "description": "A token of a trusted issuer (RFC 9577) proves the sender's profession, and nothing else.",
}


@public_api.after_request
def give_one_size(response: Response) -> Response:
    """Pad the answer, so that its length tells nothing; answer 304 when the reader has it already."""
    request.environ[FURTHER] = _FOR_WORK_APPS
    if request.method == "OPTIONS":
        response.headers.extend(_PREFLIGHT)
    if response.status_code < 300:
        response.set_data(of_one_size(response.get_data(), JSON_STEP))
        response.make_conditional(request)
    if response.status_code == 401:
        context = front()
        response.headers["WWW-Authenticate"] = context.issuers.challenges(today(context.clock))
    return response


@public_api.get("/form")
@public_api.doc(parameters=[IF_NONE_MATCH])
@public_api.response(200, FormSchema, headers=ETAG)
@answers(304, 400)
def form() -> tuple[Mapping[str, Any], Mapping[str, str]]:
    """Give all that a carrier may report, in every language."""
    context = front()
    issuers = tuple(issuer_facts(context.issuers, today(context.clock)))
    facts = _form(context.settings.notes, issuers)
    return facts, {"ETag": f'"{facts["version"]}"', "Cache-Control": "public, max-age=300"}


@public_api.post("/coverage/lookup")
@public_api.arguments(LookupSchema)
@public_api.response(200, CoverageAnswerSchema)
@answers(413, 415, 503)
def look_up_coverage(place: Mapping[str, Any]) -> Mapping[str, Any]:
    """Tell which organisation would receive a report from this address today."""
    context = front()
    snapshot, on = context.intake.router.snapshot(), today(context.clock)
    route = snapshot.route(place["postcode"], place["house_number"], on)
    receiver, _key = snapshot.receiver(route, on)
    return {
        "covered": route.covered and receiver.id == route.organisation_id,
        "organisation": receiver,
        "municipality": _municipality(route),
    }


@public_api.post("/mailboxes/lookup")
@public_api.arguments(FourDigitsSchema)
@public_api.response(200, MailboxesSchema)
@answers(413, 415, 503)
def look_up_mailboxes(place: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give the rules of four digits, and the signed keys of their receivers, so that a phone can seal."""
    context = front()
    found = phone_routes(context.intake.router.snapshot(), place["pc4"], today(context.clock))
    return {
        "root_key_id": root_key_id(context.settings.front.root_key or b""),
        "municipality": _municipality(found.nearest),
        "rules": found.rules,
        "organisations": [
            {"id": each.id, "name": each.name, "kind": each.kind, "mailbox": key}
            for each, key in found.receivers
        ],
    }


@public_api.post("/signals")
@public_api.doc(
    parameters=[_KEY_PARAMETER, _TOKEN_PARAMETER],
    requestBody={"required": True, "content": {"application/json": {"schema": _EITHER}}},
)
@public_api.response(201, ReceivedSchema)
@answers(400, 401, 409, 413, 415, 429, 503)
def receive() -> Response:
    """Pass on a concern. Nothing that is stored or logged leads to the sender."""
    context = front()
    body = read_json(request, StrictParser.BODY_LIMIT)
    key = idempotency_key(request.headers.get("Idempotency-Key"))
    token = token_in(request.headers.get("Authorization"))
    if "envelope" in body:
        sealed = _SEALED.read(body)
        return _answer(context.intake.receive_sealed(context.clock, key=key, sealed=sealed, token=token))
    return _answer(context.intake.receive(context.clock, key=key, report=read_report(body), token=token))


@public_api.post("/receipts/status")
@public_api.arguments(ReceiptSchema)
@public_api.response(200, ReceiptStatusSchema)
@answers(413, 415, 503)
def receipt_status(receipt: str | None) -> Mapping[str, Any]:
    """Tell how far a report is, as of the previous day; `unknown` also for a receipt never issued."""
    context = front()
    state, as_of = context.intake.receipt_state(context.clock, receipt)
    return {"state": state, "as_of": as_of}


def _answer(received: Received) -> Response:
    """Write the answer as `ReceivedSchema` describes it: to dump it takes a tenth of the time of a report."""
    facts: dict[str, Any] = {
        "receipt": received.receipt,
        "organisation": {"name": received.organisation.name, "kind": received.organisation.kind},
        "received_on": received.received_on.isoformat(),
    }
    if received.redactions is not None:
        facts["note_redactions"] = [asdict(each) for each in received.redactions]
    return Response(json.dumps(facts, ensure_ascii=False), 201, content_type="application/json")


def _municipality(route: Route) -> Mapping[str, str | None] | None:
    if not route.municipality_code:
        return None
    return {"code": route.municipality_code, "name": route.municipality_name}


@lru_cache(maxsize=4)
def _form(notes: NotesSettings, issuers: tuple[IssuerFacts, ...]) -> Mapping[str, Any]:
    """Return the form; its version is a digest of its content."""
    facts: dict[str, Any] = {
        "languages": list(LANGUAGES),
        "concern_types": [{"code": code, "labels": labels(code)} for code in ConcernType],
        "seen": [{"code": code, "labels": labels(code)} for code in Seen],
        "note": {"enabled": notes.enabled, "max_length": notes.max_length},
        "emergency": [
            {"number": number, "label": texts(name), "when": texts(when)} for number, name, when in EMERGENCY
        ],
        "issuers": [asdict(issuer) for issuer in issuers],
    }
    return {"version": hashlib.sha256(json.dumps(facts, default=str).encode()).hexdigest()[:16], **facts}
