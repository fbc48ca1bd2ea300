"""The organisations and coverage rows of the database as routing sees them."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from signals.models import Organisation
from signals.routing.rows import CoverageLevel, CoverageRow, OrganisationFacts

LEAST_RECIPIENTS: Final = 2
"""An organisation needs this many verified addresses to receive."""


def met_since(organisation: Any, verified: Sequence[date]) -> dict[str, date | None]:
    """Return for each need of an organisation the date from which it is met; None while it is missing.

    It needs the agreement, both bases, two verified recipients, and a test message that the team answered
    (domain design, Routing). A basis has no date of its own.
    `organisation`: an `Organisation`, or a row of its table. `verified`: the dates on which
    its recipients confirmed their addresses.
    """
    return {
        "agreement_on": organisation.agreement_on,
        "legal_basis": date.min if organisation.legal_basis else None,
        "retention_basis": date.min if organisation.retention_basis else None,
        "recipients": next(iter(sorted(verified)[LEAST_RECIPIENTS - 1 :]), None),
        "drill": organisation.proved_on,
    }


def onboarded_from(organisation: Any, verified: Sequence[date]) -> date | None:
    """Return the last date of `met_since`; None while something is missing."""
    dates = list(met_since(organisation, verified).values())
    met = [on for on in dates if on is not None]
    return max(met) if len(met) == len(dates) else None


def onboarded_on(organisation: Organisation) -> date | None:
    """Return the date from which an organisation receives; None while something is missing."""
    return onboarded_from(organisation, _verified(organisation))


def missing_before_receiving(organisation: Organisation) -> list[str]:
    """Return what an organisation still lacks, by the names of `met_since`."""
    return [name for name, on in met_since(organisation, _verified(organisation)).items() if on is None]


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


def _verified(organisation: Organisation) -> list[date]:
    return [one.verified_on for one in organisation.recipients if one.verified_on is not None]
