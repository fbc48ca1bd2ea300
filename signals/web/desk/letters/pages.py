"""Serve the letter of article 14 AVG and the card to people."""

from uuid import UUID

from flask import Blueprint, Response, request

from signals.casework.access import FOLLOW_UP_ROLES
from signals.web.desk.letters.api import pdf_answer
from signals.web.desk.letters.printing import DEFAULT, print_card, print_card_for, print_notice
from signals.web.staff_kit import account_shared
from signals.web.staff_kit.auth import requires_page

letter_pages = Blueprint("letter_pages", __name__, url_prefix="/desk")
account_shared.share_with(letter_pages)

AUTHENTICATION = "cookie"


@letter_pages.get("/signals/<uuid:signal_id>/notice.pdf")
@requires_page(*FOLLOW_UP_ROLES)
def notice(signal_id: UUID) -> Response:
    """Print the letter to the resident; the audit entry is committed first."""
    return pdf_answer(*print_notice(signal_id, _language()))


@letter_pages.get("/signals/<uuid:signal_id>/card.pdf")
@requires_page(*FOLLOW_UP_ROLES)
def card_for(signal_id: UUID) -> Response:
    """Print the card with address and reference; the audit entry is committed first."""
    return pdf_answer(*print_card_for(signal_id, _language()))


@letter_pages.get("/card.pdf")
@requires_page(*FOLLOW_UP_ROLES)
def card() -> Response:
    """Print the card for a letter box of a resident who did not answer."""
    return pdf_answer(print_card(_language()), f"kaartje-{_language()}.pdf")


def _language() -> str:
    return request.args.get("language", DEFAULT)
