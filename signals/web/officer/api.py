"""The privacy officer's part of the API: residents' rights, retention and the audit trail."""

from collections.abc import Mapping
from typing import Any, Final

from flask import Response

from signals.clock import today
from signals.models import Signal
from signals.residents.export import Export
from signals.vocabulary import Role
from signals.web.http.openapi import API_BASE, StaffBlueprint, answers
from signals.web.http.preconditions import IF_MATCH, if_match, prefers
from signals.web.officer import record_schemas, rights, rights_schemas
from signals.web.officer.export_schemas import ExportedSchema
from signals.web.officer.forgotten import Forgotten, forgotten, periods_in_force, set_period
from signals.web.officer.register import RegisterPage, register_page
from signals.web.officer.rights_pdf import rights_pdf
from signals.web.officer.rights_schemas import address_in, correction_in, proof_in
from signals.web.officer.trail import TrailPage, trail_csv, trail_page
from signals.web.staff_kit.auth import requires
from signals.web.staff_kit.context import desk
from signals.web.staff_kit.pdf import head_of

officer_api = StaffBlueprint(
    "officer", __name__, url_prefix=API_BASE, description="The privacy officer of an organisation"
)

AUTHENTICATION = "bearer"

PDF: Final = "application/pdf"
CSV: Final = "text/csv"

_ALSO_PDF: Final = {
    "responses": {200: {"content": {PDF: {"schema": {"type": "string", "format": "binary"}}}}}
}
_ALSO_CSV: Final = {"responses": {200: {"content": {CSV: {"schema": {"type": "string"}}}}}}


@officer_api.post("/residents/search")
@requires(Role.PRIVACY_OFFICER)
@officer_api.arguments(rights_schemas.AddressQuery)
@officer_api.response(200, rights_schemas.HeldSchema)
@answers(413, 415)
def find(wanted: Mapping[str, Any]) -> rights.Held:
    """Find what the own organisation has on exactly this address, without content; the search is audited.

    For the rest of the house number the answer gives numbers only.
    """
    return rights.find(address_in(wanted))


@officer_api.post("/residents/export")
@officer_api.doc(**_ALSO_PDF)
@requires(Role.PRIVACY_OFFICER)
@officer_api.arguments(rights_schemas.ExportSchema)
@officer_api.response(200, ExportedSchema)
@answers(413, 415)
def export(wanted: Mapping[str, Any]) -> Response | Export:
    """Give all data about an address (art. 15 AVG); audit and register are committed first."""
    document = rights.export(address_in(wanted), proof_in(wanted))
    return pdf_answer(document) if prefers(PDF) else document


@officer_api.post("/residents/erase")
@requires(Role.PRIVACY_OFFICER)
@officer_api.arguments(rights_schemas.EraseSchema)
@officer_api.response(200, rights_schemas.ErasedSchema)
@answers(413, 415)
def erase(wanted: Mapping[str, Any]) -> rights.Erased:
    """Delete everything about an address (art. 17 and 21 AVG), referred signals too (art. 19)."""
    return rights.erase(address_in(wanted), proof_in(wanted), wanted["right"])


@officer_api.post("/residents/rectify")
@officer_api.doc(parameters=[IF_MATCH])
@requires(Role.PRIVACY_OFFICER)
@officer_api.arguments(rights_schemas.RectifySchema)
@officer_api.response(200, rights_schemas.RightDoneSchema)
@answers(404, 409, 410, 412, 413, 415)
def rectify(wanted: Mapping[str, Any]) -> Signal:
    """Correct the address of a signal, and the parts of its content that are wrong (art. 16 AVG)."""
    correction, proof = correction_in(wanted), proof_in(wanted)
    return rights.rectify(wanted["signal_id"], correction, proof, expected_version=if_match())


@officer_api.post("/residents/restrict")
@officer_api.doc(parameters=[IF_MATCH])
@requires(Role.PRIVACY_OFFICER)
@officer_api.arguments(rights_schemas.RestrictSchema)
@officer_api.response(200, rights_schemas.RightDoneSchema)
@answers(404, 409, 412, 413, 415)
def restrict(wanted: Mapping[str, Any]) -> Signal:
    """Restrict a signal (art. 18 AVG), or lift the restriction."""
    version, proof = if_match(), proof_in(wanted)
    return rights.restrict(wanted["signal_id"], proof, lift=wanted["lift"], expected_version=version)


@officer_api.get("/residents/register")
@requires(Role.PRIVACY_OFFICER)
@officer_api.arguments(record_schemas.PageQuery, location="query", unknown="raise")
@officer_api.response(200, record_schemas.RegisterSchema)
def register(wanted: Mapping[str, Any]) -> RegisterPage:
    """List the register of requests, newest first: that they were handled, never their content."""
    return register_page(**wanted)


@officer_api.get("/audit")
@officer_api.doc(**_ALSO_CSV)
@requires(Role.PRIVACY_OFFICER)
@officer_api.arguments(record_schemas.AuditPageQuery, location="query", unknown="raise")
@officer_api.response(200, record_schemas.AuditPageSchema)
def audit(wanted: Mapping[str, Any]) -> Response | TrailPage:
    """List the own audit trail, newest first; as CSV at most 20,000 entries. Reading it is audited."""
    return csv_answer(trail_csv(wanted["wanted"])) if prefers(CSV) else trail_page(**wanted)


@officer_api.get("/retention")
@requires(Role.PRIVACY_OFFICER)
@officer_api.arguments(record_schemas.PageQuery, location="query", unknown="raise")
@officer_api.response(200, record_schemas.RetentionSchema)
def retention(wanted: Mapping[str, Any]) -> Forgotten:
    """List what was deleted when, and the periods in force with their legal basis."""
    return forgotten(**wanted)


@officer_api.put("/retention/periods")
@requires(Role.PRIVACY_OFFICER)
@officer_api.arguments(record_schemas.PeriodSchema)
@officer_api.response(200, record_schemas.PeriodsSchema)
@answers(413, 415)
def change_period(wanted: Mapping[str, Any]) -> Mapping[str, Any]:
    """Set one period; it counts from the next night on, a shorter one seven days later."""
    set_period(**wanted)
    return {"periods": periods_in_force()}


def pdf_answer(found: Export) -> Response:
    """Return the answer to a request for access as a PDF file."""
    made = rights_pdf(head_of(found.organisation), today(desk().clock), ExportedSchema().dump(found))
    return Response(made, content_type=PDF)


def csv_answer(text: str) -> Response:
    """Return a CSV file to save."""
    headers = {"Content-Disposition": 'attachment; filename="audit.csv"'}
    return Response(text, headers=headers, content_type=f"{CSV}; charset=utf-8; header=present")
