"""The rules by which a phone routes an address by itself, so that no server reads the address."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from signals.errors import NoMailboxKey
from signals.routing.day_table import NoNationalDesk, Route
from signals.routing.rows import OrganisationFacts
from signals.routing.snapshot import RoutingSnapshot, SealingKey


@dataclass(frozen=True, kw_only=True)
class PhoneRule:
    """The receiver of some house numbers of a postcode, both included; without a postcode, of the rest."""

    postcode: str | None = None
    first: int | None = None
    last: int | None = None
    organisation_id: UUID


@dataclass(frozen=True, kw_only=True)
class PhoneRoutes:
    """Everything that a phone needs for four digits; the last rule has no postcode."""

    nearest: Route
    rules: list[PhoneRule]
    receivers: list[tuple[OrganisationFacts, SealingKey]]


def phone_routes(snapshot: RoutingSnapshot, pc4: str, on: date) -> PhoneRoutes:
    """Return the rules of four digits on a date, and the keys of their receivers; raise `NoMailboxKey`.

    A postcode has a rule of its own only where its receiver differs from that of the four digits.
    """
    try:
        day = snapshot.table.on(on)
    except NoNationalDesk:
        raise NoMailboxKey from None
    nearest = day.route(pc4, None)
    receivers = {
        route: snapshot.receiver(route, on) for route in {nearest, *(part[3] for part in day.finer(pc4))}
    }
    rest = PhoneRule(organisation_id=receivers[nearest][0].id)
    rules = [
        PhoneRule(postcode=postcode, first=first, last=last, organisation_id=receivers[route][0].id)
        for postcode, first, last, route in day.finer(pc4)
    ]
    finer = [rule for rule in rules if rule.organisation_id != rest.organisation_id]
    used = {found[0].id: found for found in receivers.values()}
    return PhoneRoutes(nearest=nearest, rules=[*finer, rest], receivers=list(used.values()))
