"""Serve the hand-over of a concluded signal to programs."""

from uuid import UUID

from flask import Response

from signals.casework.access import FOLLOW_UP_ROLES
from signals.web.desk.handing_over import Handover, HandoverSchema, handover_of, handover_pdf
from signals.web.desk.letters.api import ALSO_BYTES, PDF, pdf_answer
from signals.web.http.openapi import API_BASE, StaffBlueprint, answers
from signals.web.staff_kit.auth import requires

handover_api = StaffBlueprint(
    "handover", __name__, url_prefix=API_BASE, description="Into the organisation's own case system"
)

AUTHENTICATION = "bearer"


@handover_api.get("/signals/<uuid:signal_id>/handover.json")
@requires(*FOLLOW_UP_ROLES)
@handover_api.response(200, HandoverSchema)
@answers(404, 409, 410)
def as_json(signal_id: UUID) -> Handover:
    """Export a signal that was concluded with help accepted or a referral, for a case system."""
    return handover_of(signal_id)


@handover_api.get("/signals/<uuid:signal_id>/handover.pdf")
@handover_api.doc(**ALSO_BYTES)
@requires(*FOLLOW_UP_ROLES)
@handover_api.response(200, {"type": "string", "format": "binary"}, content_type=PDF)
@answers(404, 409, 410)
def as_pdf(signal_id: UUID) -> Response:
    """Export the same to read, as a tagged PDF in Dutch."""
    return handover_file(signal_id)


def handover_file(signal_id: UUID) -> Response:
    """Answer with the PDF of the hand-over, for programs and pages alike."""
    handover = handover_of(signal_id)
    return pdf_answer(handover_pdf(handover), f"overdracht-{handover.signal.reference}.pdf")
