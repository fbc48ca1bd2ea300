"""The hand-over of a concluded signal, for programs."""

from typing import Final
from uuid import UUID

from flask import Response

from signals.vocabulary import Role
from signals.web.desk.handing_over import HandoverSchema, handover_of, handover_pdf
from signals.web.desk.letters.api import PDF, pdf_answer
from signals.web.http.openapi import API_BASE, StaffBlueprint, answers
from signals.web.staff_kit.answer import json_answer
from signals.web.staff_kit.auth import requires

handover_api = StaffBlueprint(
    "handover", __name__, url_prefix=API_BASE, description="Into the organisation's own case system"
)

AUTHENTICATION = "bearer"

_TOKEN: Final[list[dict[str, list[str]]]] = [{"token": []}]
_FOLLOW_UP: Final = (Role.WORKER, Role.LEAD)


@handover_api.get("/signals/<uuid:signal_id>/handover.json")
@handover_api.doc(security=_TOKEN)
@requires(*_FOLLOW_UP)
@handover_api.response(200, HandoverSchema)
@answers(404, 409, 410)
def as_json(signal_id: UUID) -> Response:
    """A signal that was concluded with help accepted or a referral, for a case system; audited first."""
    return json_answer(handover_of(signal_id))


@handover_api.get("/signals/<uuid:signal_id>/handover.pdf")
@handover_api.doc(security=_TOKEN)
@requires(*_FOLLOW_UP)
@handover_api.response(200, {"type": "string", "format": "binary"}, content_type=PDF)
@answers(404, 409, 410)
def as_pdf(signal_id: UUID) -> Response:
    """The same to read, as a tagged PDF in Dutch; audited first."""
    return handover_file(signal_id)


def handover_file(signal_id: UUID) -> Response:
    """The PDF of the hand-over as an answer, for programs and pages alike."""
    document = handover_of(signal_id)
    return pdf_answer(handover_pdf(document), f"overdracht-{document['reference']}.pdf")
