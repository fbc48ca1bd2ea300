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
from signals.web.staff_kit.context import desk, unknown_operation

channel_pages = Blueprint("channel", __name__, url_prefix="/desk")
shared.share_with(channel_pages)

AUTHENTICATION = "none"
"""A code of 128 bits in the address admits one press of a button."""

_TAIL = PREFIX.removeprefix("/desk")
_ADDRESS = f"{_TAIL}/<any({RECIPIENT},{DEPUTY}):role>/<uuid:subject_id>/<address_code>/<valid_until>/<code>"


@channel_pages.get(f"{_TAIL}/drill/<uuid:drill_id>/<code>")
@open_to_all
def drill(drill_id: UUID, code: str) -> Any:
    context = desk()
    with context.reading() as session:
        try:
            drills.drill_of(session, context.clock, keystore=context.keystore, drill_id=drill_id, code=code)
        except ProofRefused:
            return _page("refused"), ProofRefused.status
    return _page("drill")


@channel_pages.post(f"{_TAIL}/drill/<uuid:drill_id>/<code>")
@open_to_all
def answer_drill(drill_id: UUID, code: str) -> Any:
    auth.refuse_other_sites()
    context = desk()
    practice = drills.Drills(public_url=context.settings.server.public_url)
    with unknown_operation() as answering:
        try:
            found = drills.drill_of(
                answering.session, context.clock, keystore=context.keystore, drill_id=drill_id, code=code
            )
        except ProofRefused:
            return _page("refused"), ProofRefused.status
        practice.answer(answering, drill=found)
    return _page("done")


@channel_pages.get(_ADDRESS)
@open_to_all
def address(role: str, subject_id: UUID, address_code: str, valid_until: str, code: str) -> Any:
    context, link = desk(), _link(role, subject_id, address_code, valid_until, code)
    with context.reading() as session:
        try:
            recipients.proved_by(session, context.clock, keystore=context.keystore, link=link)
        except ProofRefused:
            return _page("refused"), ProofRefused.status
    return _page(role)


@channel_pages.post(_ADDRESS)
@open_to_all
def prove_address(role: str, subject_id: UUID, address_code: str, valid_until: str, code: str) -> Any:
    """Confirm this address or phone."""
    auth.refuse_other_sites()
    link = _link(role, subject_id, address_code, valid_until, code)
    with unknown_operation() as proving:
        try:
            recipients.prove(proving, link=link)
        except ProofRefused:
            return _page("refused"), ProofRefused.status
    return _page("done")


@channel_pages.get("/deputy/<uuid:organisation_id>")
@open_to_all
def deputy(organisation_id: UUID) -> str:
    """Show a deputy what to do about an overdue signal, and how to reach the team, which is no secret."""
    with desk().reading() as session:
        found = session.get(Organisation, organisation_id)
    if found is None:
        raise NotFound
    return render_template("desk/channel/deputy.html", team=found)


def _link(role: str, subject_id: UUID, address_code: str, valid_until: str, code: str) -> VerificationLink:
    return VerificationLink(
        role=role, subject_id=subject_id, address_code=address_code, valid_until=valid_until, code=code
    )


def _page(what: str) -> str:
    return render_template("desk/channel/proof.html", what=what)
