"""Choose the organisation for a handover: the one that belongs to the address first, then a search."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from signals import reference
from signals.models import CoverageArea, Organisation
from signals.organisations.administration import receiving
from signals.routing.day_table import Route
from signals.routing.municipalities import municipalities_on, successors_on
from signals.routing.rows import CoverageLevel


@dataclass(frozen=True, kw_only=True)
class Receiver:
    """Hold an organisation that can receive, and the codes of the areas that it covers on the day.

    `belongs`: routing gives it the address, or it is the GGD of the region. `outside`: it covers nothing in
    the GGD region of the address.
    """

    organisation: Organisation
    areas: Sequence[str]
    belongs: bool
    outside: bool


def receivers(session: Session, *, own: UUID, route: Route | None, on: date) -> list[Receiver]:
    """Return everybody to whom a signal of this address can go, by name.

    `route`: of the address, or None while nobody can tell; then no organisation belongs or lies outside.
    """
    regions = _Regions(on)
    here = regions.of_municipality(route.municipality_code) if route else None
    return [_receiver(found, route, regions, here) for found in receiving(session, on, besides=own)]


def _receiver(found: Organisation, route: Route | None, regions: "_Regions", here: str | None) -> Receiver:
    covered = [area for area in found.coverage if regions.in_force(area)]
    within = {region for area in covered for region in regions.of_area(area)}
    is_ggd = any((area.level, area.area) == (CoverageLevel.GGD_REGION, here) for area in covered)
    return Receiver(
        organisation=found,
        areas=list(dict.fromkeys(area.area for area in covered)),
        belongs=is_ggd or (route is not None and found.id == route.organisation_id),
        outside=here is not None and not within & {here, _EVERYWHERE},
    )


_EVERYWHERE: Final = "everywhere"


class _Regions:
    """The GGD regions of one day."""

    def __init__(self, on: date) -> None:
        self._on = on
        self._municipalities = municipalities_on(reference.geography(), on)
        self._successors = successors_on(reference.geography(), on)

    def in_force(self, area: CoverageArea) -> bool:
        return area.valid_from <= self._on and (area.valid_until is None or self._on < area.valid_until)

    def of_municipality(self, code: str | None) -> str | None:
        found = self._municipalities.get(self._successors.get(code or "", code or ""))
        return found.ggd_code if found else None

    def of_area(self, area: CoverageArea) -> Iterator[str]:
        """Yield the region of an area; a postcode lies in the region of its first four digits."""
        match CoverageLevel(area.level):
            case CoverageLevel.NATIONAL:
                yield _EVERYWHERE
            case CoverageLevel.GGD_REGION:
                yield area.area
            case CoverageLevel.MUNICIPALITY:
                yield self.of_municipality(area.area) or ""
            case _:
                yield self.of_municipality(reference.municipality_of_pc4(int(area.area[:4]))) or ""
