"""The privacy officer's part of the API: residents' rights, retention and the audit trail."""

from collections.abc import Mapping
from typing import Any, Final

from flask import Response

from signals.models import RegisterEntry, Signal
from signals.vocabulary import Role
from signals.web.http.accepting import prefers
from signals.web.http.openapi import API_BASE, StaffBlueprint, answers
from signals.web.http.preconditions import IF_MATCH, if_match
from signals.web.officer import rights, schemas
from signals.web.officer.forgotten import PeriodInForce, forgotten, periods_in_force, set_period
from signals.web.officer.register import register_page
from signals.web.officer.rights_pdf import rights_pdf
from signals.web.officer.schemas import address_in, correction_in, proof_in
from signals.web.officer.trail import Line, trail_csv, trail_page
from signals.web.staff_kit.answer import json_answer, moment
from signals.web.staff_kit.auth import requires

officer_api = StaffBlueprint(
    "officer", __name__, url_prefix=API_BASE, description="The privacy officer of an organisation"
)

AUTHENTICATION = "bearer"
"""What every view here asks for."""

PDF: Final = "application/pdf"
CSV: Final = "text/csv"

_TOKEN: Final[list[dict[str, list[str]]]] = [{"token": []}]
_ALSO_PDF: Final = {
    "responses": {200: {"content": {PDF: {"schema": {"type": "string", "format": "binary"}}}}}
}
_ALSO_CSV: Final = {"responses": {200: {"content": {CSV: {"schema": {"type": "string"}}}}}}


@officer_api.post("/residents/search")
@officer_api.doc(security=_TOKEN)
@requires(Role.PRIVACY_OFFICER)
@officer_api.arguments(schemas.AddressQuery)
@officer_api.response(200, schemas.HeldSchema)
@answers(413, 415)
def find(wanted: dict[str, Any]) -> Response:
    """What the own organisation has on exactly this address, without content; the search is audited.

    Of the rest of the house number it says only how much there is.
    """
    held = rights.find(address_in(wanted))
    return json_answer(
        {
            "signals": [_held(signal) for signal in held.signals],
            "deleted_received_on": [day.isoformat() for day in held.deleted_received_on],
            "referrals": [
                {
                    "reference": referral.reference,
                    "referred_on": referral.referred_on.isoformat(),
                    "organisation": {
                        "id": str(referral.to_organisation_id),
                        "name": held.receivers[referral.to_organisation_id],
                    },
                }
                for referral in held.findings.referrals
            ],
            "other_additions": {
                "signals": held.findings.other_additions.signals,
                "earlier": held.findings.other_additions.earlier,
            },
        }
    )


@officer_api.post("/residents/export")
@officer_api.doc(security=_TOKEN, **_ALSO_PDF)
@requires(Role.PRIVACY_OFFICER)
@officer_api.arguments(schemas.ExportSchema)
@officer_api.response(200, schemas.ExportedSchema)
@answers(413, 415)
def export(wanted: dict[str, Any]) -> Response:
    """All that is kept of an address (art. 15 AVG); audit and register are committed first."""
    document = rights.export(address_in(wanted), proof_in(wanted))
    if prefers(PDF):
        return Response(rights_pdf(document), content_type=PDF)
    return json_answer(document)


@officer_api.post("/residents/erase")
@officer_api.doc(security=_TOKEN)
@requires(Role.PRIVACY_OFFICER)
@officer_api.arguments(schemas.EraseSchema)
@officer_api.response(200, schemas.ErasedSchema)
@answers(413, 415)
def erase(wanted: dict[str, Any]) -> Response:
    """Delete everything of an address (art. 17 and 21 AVG), also what was referred (art. 19)."""
    done = rights.erase(address_in(wanted), proof_in(wanted), wanted["right"])
    return json_answer({"signals": done.signals, "elsewhere": done.elsewhere, "at_once": done.at_once})


@officer_api.post("/residents/rectify")
@officer_api.doc(security=_TOKEN, parameters=[IF_MATCH])
@requires(Role.PRIVACY_OFFICER)
@officer_api.arguments(schemas.RectifySchema)
@officer_api.response(200, schemas.RightDoneSchema)
@answers(404, 409, 410, 412, 413, 415)
def rectify(wanted: dict[str, Any]) -> Response:
    """Correct the address of a signal, and what of its content does not hold (art. 16 AVG)."""
    correction, proof = correction_in(wanted), proof_in(wanted)
    return _done(rights.rectify(wanted["signal_id"], correction, proof, expected_version=if_match()))


@officer_api.post("/residents/restrict")
@officer_api.doc(security=_TOKEN, parameters=[IF_MATCH])
@requires(Role.PRIVACY_OFFICER)
@officer_api.arguments(schemas.RestrictSchema)
@officer_api.response(200, schemas.RightDoneSchema)
@answers(404, 409, 412, 413, 415)
def restrict(wanted: dict[str, Any]) -> Response:
    """Restrict a signal (art. 18 AVG), or lift that."""
    version, proof = if_match(), proof_in(wanted)
    return _done(rights.restrict(wanted["signal_id"], proof, lift=wanted["lift"], expected_version=version))


@officer_api.get("/residents/register")
@officer_api.doc(security=_TOKEN)
@requires(Role.PRIVACY_OFFICER)
@officer_api.arguments(schemas.PageQuery, location="query", unknown="raise")
@officer_api.response(200, schemas.RegisterSchema)
def register(wanted: Mapping[str, Any]) -> Response:
    """The register of requests, newest first: that they were dealt with, never what was in them."""
    page = register_page(**wanted)
    items = [_entered(found.entry, found.recorded_by) for found in page.entries]
    return json_answer({"items": items, "next_cursor": page.next_cursor})


@officer_api.get("/audit")
@officer_api.doc(security=_TOKEN, **_ALSO_CSV)
@requires(Role.PRIVACY_OFFICER)
@officer_api.arguments(schemas.AuditPageQuery, location="query", unknown="raise")
@officer_api.response(200, schemas.AuditPageSchema)
def audit(wanted: Mapping[str, Any]) -> Response:
    """The own organisation's audit trail, newest first; reading it is audited."""
    if prefers(CSV):
        return csv_answer(trail_csv(wanted["wanted"]))
    page = trail_page(**wanted)
    return json_answer({"items": [_line(line) for line in page.lines], "next_cursor": page.next_cursor})


@officer_api.get("/audit.csv")
@officer_api.doc(security=_TOKEN, **_ALSO_CSV)
@requires(Role.PRIVACY_OFFICER)
@officer_api.arguments(schemas.AuditQuery, location="query", unknown="raise")
@officer_api.response(200, content_type=CSV)
def audit_csv(wanted: Mapping[str, Any]) -> Response:
    """The same as CSV, at most 20,000 entries."""
    return csv_answer(trail_csv(wanted["wanted"]))


@officer_api.get("/retention")
@officer_api.doc(security=_TOKEN)
@requires(Role.PRIVACY_OFFICER)
@officer_api.arguments(schemas.PageQuery, location="query", unknown="raise")
@officer_api.response(200, schemas.RetentionSchema)
def retention(wanted: Mapping[str, Any]) -> Response:
    """What was forgotten when, and the periods in force with their legal basis."""
    found = forgotten(**wanted)
    return json_answer(
        {
            "periods": [_period(period) for period in found.periods],
            "months": [
                {"month": month, "reason": reason.value, "count": count}
                for month, reason, count in found.months
            ],
            "items": [
                {
                    "reference": record.reference,
                    "deleted_on": record.deleted_on.isoformat(),
                    "reason": record.reason.value,
                    "key_destroyed_on": _day(record.key_destroyed_on),
                }
                for record in found.records
            ],
            "next_cursor": found.next_cursor,
        }
    )


@officer_api.put("/retention/periods")
@officer_api.doc(security=_TOKEN)
@requires(Role.PRIVACY_OFFICER)
@officer_api.arguments(schemas.PeriodSchema)
@officer_api.response(200, schemas.PeriodsSchema)
@answers(413, 415)
def change_period(wanted: Mapping[str, Any]) -> Response:
    """Set one period; it counts from the next night on."""
    set_period(**wanted)
    return json_answer({"periods": [_period(period) for period in periods_in_force()]})


def csv_answer(text: str) -> Response:
    """A CSV file to keep."""
    headers = {"Content-Disposition": 'attachment; filename="audit.csv"'}
    return Response(text, headers=headers, content_type=f"{CSV}; charset=utf-8; header=present")


def _held(signal: Signal) -> dict[str, Any]:
    return {
        "id": str(signal.id),
        "reference": signal.reference,
        "state": signal.state.value,
        "received_on": signal.received_on.isoformat(),
        "restricted_on": _day(signal.restricted_on),
        "follow_up_notes": [
            {"id": str(note.id), "written_at": moment(note.written_at)} for note in signal.notes
        ],
    }


def _done(signal: Signal) -> Response:
    return json_answer(
        {
            "id": str(signal.id),
            "reference": signal.reference,
            "version": signal.version,
            "restricted_on": _day(signal.restricted_on),
        }
    )


def _entered(entry: RegisterEntry, recorded_by: str) -> dict[str, Any]:
    return {
        "id": str(entry.id),
        "right": entry.right,
        "recorded_on": entry.recorded_on.isoformat(),
        "recorded_by": recorded_by,
        "signals_found": entry.signals_found,
        "identity_checked": entry.identity_checked,
        "residence_checked": entry.residence_checked,
        "third_parties_checked": entry.third_parties_checked,
        "outcome": entry.outcome,
    }


def _line(line: Line) -> dict[str, Any]:
    entry = line.entry
    return {
        "id": str(entry.id),
        "at": moment(entry.at),
        "actor": line.actor,
        "actor_id": str(entry.actor_id) if entry.actor_id else None,
        "actor_role": entry.actor_role,
        "action": entry.action.value,
        "subject": line.subject,
        "subject_id": str(entry.subject_id) if entry.subject_id else None,
        "ground": entry.ground,
        "outcome": entry.outcome,
    }


def _period(found: PeriodInForce) -> dict[str, Any]:
    return {
        "rule": found.rule.value,
        "days": found.period.days,
        "legal_basis": found.period.legal_basis,
        "own": found.own,
    }


def _day(value: Any) -> str | None:
    return value.isoformat() if value else None
