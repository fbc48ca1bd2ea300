"""Serve the hand-over of a concluded signal to people."""

from uuid import UUID

from flask import Blueprint, Response, jsonify

from signals.casework.access import FOLLOW_UP_ROLES
from signals.web.desk.handing_over import HandoverSchema, handover_of
from signals.web.desk.handover_api import handover_file
from signals.web.staff_kit import account_shared
from signals.web.staff_kit.auth import requires_page

handover_pages = Blueprint("handover_pages", __name__, url_prefix="/desk")
account_shared.share_with(handover_pages)

AUTHENTICATION = "cookie"


@handover_pages.get("/signals/<uuid:signal_id>/handover.json")
@requires_page(*FOLLOW_UP_ROLES)
def page_json(signal_id: UUID) -> Response:
    """Download the file for a case system."""
    handover = handover_of(signal_id)
    answer = jsonify(HandoverSchema().dump(handover))
    name = f"overdracht-{handover.signal.reference}.json"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@handover_pages.get("/signals/<uuid:signal_id>/handover.pdf")
@requires_page(*FOLLOW_UP_ROLES)
def page_pdf(signal_id: UUID) -> Response:
    """Show the file to read."""
    return handover_file(signal_id)
