"""Organisations that receive reports: their names, their areas, and the rule `receives`."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from unicodedata import normalize

from sqlalchemy import select
from sqlalchemy.orm import Session

from signals.models import CoverageArea, Organisation, Recipient
from signals.routing.areas import Area
from signals.routing.receivers import facts_of
from signals.routing.snapshot import routing_changed
from signals.vocabulary import OrganisationKind


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """The agreement that an organisation needs before it receives (domain design, Routing)."""

    on: date
    legal_basis: str
    retention_basis: str


def receives(organisation: Organisation, on: date) -> bool:
    """Return whether an organisation is onboarded and not suspended on a date, as routing does."""
    return facts_of(organisation).receives(on)


def normal_name(name: str) -> str:
    """Return a name in its one spelling: composed characters (NFC), single plain spaces between words."""
    return " ".join(normalize("NFC", name).split())


def name_key(name: str) -> str:
    """Return the key that two spellings of one name share; capitals do not count."""
    return normalize("NFC", normal_name(name).casefold())


def find_by_name(session: Session, name: str) -> Organisation | None:
    """Return the organisation with exactly this name, else the only one whose name differs in capitals."""
    rows = session.execute(select(Organisation.id, Organisation.name)).all()
    found = [row.id for row in rows if row.name == name]
    found = found or [row.id for row in rows if name_key(row.name) == name_key(name)]
    return session.get(Organisation, found[0]) if len(found) == 1 else None


def create_organisation(
    session: Session,
    *,
    name: str,
    kind: OrganisationKind,
    areas: Sequence[Area],
    agreement: Agreement | None = None,
    recipients: Sequence[str] = (),
    is_example: bool = False,
    contact_phone: str = "",
    contact_email: str = "",
    organisation_id: uuid.UUID | None = None,
) -> Organisation:
    """Add an organisation with its coverage; it receives once nothing is missing."""
    organisation = Organisation(
        id=organisation_id or uuid.uuid4(),
        name=name,
        kind=kind,
        is_example=is_example,
        agreement_on=agreement.on if agreement else None,
        legal_basis=agreement.legal_basis if agreement else None,
        retention_basis=agreement.retention_basis if agreement else None,
        contact_phone=contact_phone,
        contact_email=contact_email,
        recipients=[
            Recipient(position=place, address=address) for place, address in enumerate(recipients, start=1)
        ],
        coverage=[CoverageArea(**vars(area)) for area in areas],
    )
    session.add(organisation)
    session.flush()
    routing_changed(session)
    return organisation
