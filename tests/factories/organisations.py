"""Organisations that receive."""

from datetime import date
from typing import Any

import factory

from signals.models import CoverageArea, Organisation, Recipient
from signals.vocabulary import OrganisationKind
from tests.factories.base import EPOCH_DAY, RowFactory, numbered_id


class OrganisationFactory(RowFactory):
    """A social-work organisation with an agreement, with the default deadlines."""

    class Meta:
        model = Organisation

    id = factory.Sequence(lambda n: numbered_id(0x0A, n))
    name = factory.Sequence(lambda n: f"Welzijn Voorbeeld {n}")
    kind = OrganisationKind.SOCIAL_WORK
    is_example = True
    agreement_on = EPOCH_DAY.replace(year=2025)
    legal_basis = "Wmo 2015"
    retention_basis = "Selectielijst 2020"
    proved_on = EPOCH_DAY.replace(year=2025)


def receiving(level: str, area: str, *, valid_from: date = EPOCH_DAY, **values: Any) -> Organisation:
    """Return an organisation, not added yet, that receives and covers an area."""
    recipients = [
        Recipient(address=f"{name}@example.org", verified_on=valid_from) for name in ("een", "twee")
    ]
    covered = [CoverageArea(level=level, area=area, valid_from=valid_from)]
    since = {"agreement_on": valid_from, "proved_on": valid_from}
    return OrganisationFactory.build(recipients=recipients, coverage=covered, **since | values)
