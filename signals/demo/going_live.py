"""Let an organisation go live as a real one does: verified addresses, and a test message that it answers."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select

from signals.models import Drill, Organisation, Recipient
from signals.notices.drills import Drills
from signals.operation import Operation
from signals.organisations.recipients import VALID_DAYS, prove
from signals.organisations.verification_links import RECIPIENT, VerificationLink, address_code, path_codes


def go_live(operation: Operation, *, drills: Drills, organisations: Sequence[Organisation]) -> None:
    """Press the link of every recipient, then send each team a test message and answer it.

    A team must have an activated lead before: without one the answer does not count.
    """
    for organisation in organisations:
        press_links(operation, organisation)
    drills.send(operation, organisation_ids=[one.id for one in organisations])
    for organisation in organisations:
        drills.answer(operation, drill=_open_drill(operation, organisation.id))


def press_links(operation: Operation, organisation: Organisation) -> None:
    """Press the mailed link of every recipient of an organisation."""
    for recipient in organisation.recipients:
        prove(operation, link=_link_to(operation, recipient))


def _link_to(operation: Operation, recipient: Recipient) -> VerificationLink:
    link = VerificationLink(
        role=RECIPIENT,
        subject_id=recipient.id,
        address_code=address_code(operation.keystore, recipient.address),
        valid_until=(operation.today + timedelta(days=VALID_DAYS)).isoformat(),
    )
    return replace(link, code=path_codes(operation.keystore).code(link.path))


def _open_drill(operation: Operation, organisation_id: UUID) -> Drill:
    query = select(Drill).where(Drill.organisation_id == organisation_id, Drill.answered_on.is_(None))
    return operation.session.scalars(query).one()
