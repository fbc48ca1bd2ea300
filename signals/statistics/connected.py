"""Count the municipalities in which an organisation for social work receives: public facts, so exact."""

from dataclasses import dataclass
from datetime import date

from signals import reference
from signals.routing.day_table import NoNationalDesk
from signals.routing.municipalities import municipalities_on
from signals.routing.table import RoutingTable
from signals.vocabulary import OrganisationKind


@dataclass(frozen=True, kw_only=True)
class Connected:
    """The connected municipalities of a day, `of` all municipalities of that day."""

    municipalities: int
    of: int


def connected(table: RoutingTable, on: date) -> Connected:
    """Return the count of a day; one postcode of four digits is enough to connect a municipality."""
    try:
        routes = table.on(on).pc4_routes().values()
    except NoNationalDesk:
        routes = {}.values()
    with_team = {route.municipality_code for route in routes if route.kind is OrganisationKind.SOCIAL_WORK}
    return Connected(
        municipalities=len(with_team - {None}), of=len(municipalities_on(reference.geography(), on))
    )
