"""Count the municipalities in which an organisation for social work receives: public facts, so exact."""

from dataclasses import dataclass
from datetime import date

from signals.routing.day_table import NoNationalDesk
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
        routes = [route for route in table.on(on).pc4_routes().values() if route.municipality_code]
    except NoNationalDesk:
        return Connected(municipalities=0, of=0)
    with_team = {route.municipality_code for route in routes if route.kind is OrganisationKind.SOCIAL_WORK}
    return Connected(municipalities=len(with_team), of=len({route.municipality_code for route in routes}))
