"""Organisations that receive."""

from signals.models import Organisation
from signals.vocabulary import OrganisationKind
from tests.factories.base import EPOCH_DAY, RowFactory, numbered_id, sequence


class OrganisationFactory(RowFactory[Organisation]):
    """A social-work organisation with an agreement, with the default deadlines."""

    class Meta:
        model = Organisation

    id = sequence(lambda n: numbered_id(0x0A, n))
    name = sequence(lambda n: f"Welzijn Voorbeeld {n}")
    kind = OrganisationKind.SOCIAL_WORK
    is_example = True
    agreement_on = EPOCH_DAY.replace(year=2025)
    legal_basis = "Wmo 2015"
    retention_basis = "Selectielijst 2020"
