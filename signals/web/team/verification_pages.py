"""Pages behind mailed links for people without an account; they show nothing of a signal.

They prove that somebody reads a mailbox or a phone, or tell a deputy what to do. A GET changes nothing,
because mail scanners follow links. Only the button proves anything.
"""

from typing import Any
from uuid import UUID

from flask import Blueprint, render_template

from signals.errors import NotFound
from signals.models import Organisation
from signals.notices import drills
from signals.organisations import recipients
from signals.organisations.recipients import ProofRefused
from signals.organisations.verification_links import DEPUTY, PREFIX, RECIPIENT, VerificationLink
from signals.web.staff_kit import account_shared as shared
from signals.web.staff_kit import auth
from signals.web.staff_kit.auth import open_to_all
from signals.web.staff_kit.context import desk, look, unknown_operation

channel_pages = Blueprint("channel", __name__, url_prefix="/desk")
shared.share_with(channel_pages)

AUTHENTICATION = "none"
"""A code of 128 bits in the address admits one press of a button."""

_TAIL = PREFIX.removeprefix("/desk")
_ADDRESS = f"{_TAIL}/<any({RECIPIENT},{DEPUTY}):role>/<uuid:subject_id>/<address_code>/<valid_until>/<code>"


@channel_pages.get(f"{_TAIL}/drill/<uuid:drill_id>/<code>")
@open_to_all
def drill(drill_id: UUID, code: str) -> str:
    look(drills.drill_of, drill_id=drill_id, code=code)
    return _page("drill")


@channel_pages.post(f"{_TAIL}/drill/<uuid:drill_id>/<code>")
@open_to_all
def answer_drill(drill_id: UUID, code: str) -> str:
    auth.refuse_other_sites()
    practice = drills.Drills(public_url=desk().settings.server.public_url)
    with unknown_operation() as answering:
        practice.answer(answering, drill=drills.drill_of(answering, drill_id=drill_id, code=code))
    return _page("answered")


@channel_pages.get(_ADDRESS)
@open_to_all
def address(role: str, **parts: Any) -> str:
    look(recipients.proved_by, link=VerificationLink(role=role, **parts))
    return _page(role)


@channel_pages.post(_ADDRESS)
@open_to_all
def prove_address(**parts: Any) -> str:
    """Confirm this address or phone."""
    auth.refuse_other_sites()
    with unknown_operation() as proving:
        recipients.prove(proving, link=VerificationLink(**parts))
    return _page("done")


@channel_pages.errorhandler(ProofRefused)
def proof_refused(refused: ProofRefused) -> tuple[str, int]:
    return _page("refused"), refused.status


@channel_pages.get("/deputy/<uuid:organisation_id>")
@open_to_all
def deputy(organisation_id: UUID) -> str:
    """Show a deputy what to do about an overdue signal, and how to reach the team, which is no secret."""
    with desk().reading() as session:
        found = session.get(Organisation, organisation_id)
    if found is None:
        raise NotFound
    return render_template("desk/channel/deputy.html", team=found)


def _page(what: str) -> str:
    return render_template("desk/channel/proof.html", what=what)
