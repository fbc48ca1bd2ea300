"""A few organisations, rows and small maps for tests of routing."""

from collections.abc import Iterable
from datetime import date
from uuid import UUID

from signals import reference
from signals.reference import BoundaryChange, Geography, Municipality, Pc4Run
from signals.routing.rows import CoverageLevel, CoverageRow, OrganisationFacts
from signals.routing.table import RoutingTable
from signals.vocabulary import OrganisationKind

LONG_AGO = date(2020, 1, 1)
TODAY = date(2026, 10, 5)
MERGER = date(2027, 1, 1)

DESK = OrganisationFacts(
    id=UUID(int=1), name="Landelijk", kind=OrganisationKind.NATIONAL, receives_from=LONG_AGO
)
ADAM = OrganisationFacts(
    id=UUID(int=2), name="Voorbeeld Amsterdam", kind=OrganisationKind.SOCIAL_WORK, receives_from=LONG_AGO
)
GGD = OrganisationFacts(
    id=UUID(int=3), name="GGD Amsterdam", kind=OrganisationKind.GGD, receives_from=LONG_AGO
)
BLOCK = OrganisationFacts(
    id=UUID(int=4), name="Voorbeeld Blok", kind=OrganisationKind.SOCIAL_WORK, receives_from=LONG_AGO
)
NOT_ONBOARDED = OrganisationFacts(id=UUID(int=5), name="Nog niet", kind=OrganisationKind.SOCIAL_WORK)
ALL = (DESK, ADAM, GGD, BLOCK, NOT_ONBOARDED)

AMSTERDAM_ROW = CoverageRow(
    organisation_id=ADAM.id, level=CoverageLevel.MUNICIPALITY, area="GM0363", valid_from=LONG_AGO
)
GGD_ROW = CoverageRow(
    organisation_id=GGD.id, level=CoverageLevel.GGD_REGION, area="GG3406", valid_from=LONG_AGO
)


def row(
    organisation: OrganisationFacts,
    level: CoverageLevel,
    area: str,
    numbers: tuple[int | None, int | None] = (None, None),
    valid_from: date = LONG_AGO,
    valid_until: date | None = None,
) -> CoverageRow:
    return CoverageRow(
        organisation_id=organisation.id,
        level=level,
        area=area,
        number_from=numbers[0],
        number_to=numbers[1],
        valid_from=valid_from,
        valid_until=valid_until,
    )


def receiver(
    rows: Iterable[CoverageRow],
    postcode: str = "1012AB",
    number: int | None = 12,
    on: date = TODAY,
    organisations: Iterable[OrganisationFacts] = ALL,
) -> str:
    return RoutingTable.build(rows, organisations).route(postcode, number, on).name


def everyone(*, onboarded: bool) -> tuple[list[CoverageRow], list[OrganisationFacts]]:
    """All GGDs and the desk onboarded, and an organisation for every municipality."""
    rows, organisations = [], [DESK]
    for place, region in enumerate(reference.ggd_regions().values(), start=100):
        ggd = OrganisationFacts(
            id=UUID(int=place), name=region.code, kind=OrganisationKind.GGD, receives_from=LONG_AGO
        )
        organisations.append(ggd)
        rows.append(row(ggd, CoverageLevel.GGD_REGION, region.code))
    for place, municipality in enumerate(reference.municipalities().values(), start=1000):
        own = OrganisationFacts(
            id=UUID(int=place),
            name=municipality.code,
            kind=OrganisationKind.SOCIAL_WORK,
            receives_from=LONG_AGO if onboarded else None,
        )
        organisations.append(own)
        rows.append(row(own, CoverageLevel.MUNICIPALITY, municipality.code))
    return rows, organisations


def small_map(kind: str) -> Geography:
    return map_with(change(MERGER, "GM0363", "GM2000", kind))


def map_with(*changes: BoundaryChange) -> Geography:
    amsterdam = Municipality(
        code="GM0363", name="Amsterdam", ggd_code="GG3406", province_code="PV27", inhabitants=931300
    )
    return Geography(
        municipalities={"GM0363": amsterdam},
        pc4_runs=(Pc4Run(1011, 1020, "GM0363"),),
        boundary_changes=changes,
        state_of=date(2024, 8, 1),
    )


def change(on: date, old: str, new: str, kind: str) -> BoundaryChange:
    return BoundaryChange(
        effective_date=on,
        old_code=old,
        old_name="Oud",
        new_code=new,
        new_name="Nieuw",
        kind=kind,
        planned=True,
    )
