"""The organisations and coverage rows of the database as routing sees them."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from signals.models import Organisation
from signals.routing.rows import CoverageLevel, CoverageRow, OrganisationFacts

LEAST_RECIPIENTS: Final = 2
"""An organisation needs this many verified addresses to receive."""


def onboarded_from(
    agreement_on: date | None, legal_basis: str | None, retention_basis: str | None, verified: Sequence[date]
) -> date | None:
    """Return the date from which an organisation receives; None while something is missing.

    It needs the agreement, both bases and two verified recipients (domain design, Routing).
    """
    if agreement_on is None or not legal_basis or not retention_basis or len(verified) < LEAST_RECIPIENTS:
        return None
    return max(agreement_on, sorted(verified)[LEAST_RECIPIENTS - 1])


def onboarded_on(organisation: Organisation) -> date | None:
    """Return the date from which an organisation receives; None while something is missing."""
    verified = [one.verified_on for one in organisation.recipients if one.verified_on is not None]
    return onboarded_from(
        organisation.agreement_on, organisation.legal_basis, organisation.retention_basis, verified
    )


def facts_of(organisation: Organisation) -> OrganisationFacts:
    """Return the facts of an organisation that routing uses."""
    return OrganisationFacts(
        id=organisation.id,
        name=organisation.name,
        kind=organisation.kind,
        receives_from=onboarded_on(organisation),
        receives_until=organisation.suspended_from,
    )


def coverage_row(area: Any) -> CoverageRow:
    """Return the coverage row of a `CoverageArea`, or of a row of its table."""
    return CoverageRow(
        organisation_id=area.organisation_id,
        level=CoverageLevel(area.level),
        area=area.area,
        number_from=area.number_from,
        number_to=area.number_to,
        valid_from=area.valid_from,
        valid_until=area.valid_until,
    )
