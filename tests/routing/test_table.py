"""Longest match on a date, onboarded organisations only, never nobody."""

from datetime import date
from uuid import UUID

import pytest

from signals import reference
from signals.routing.day_table import NoNationalDesk
from signals.routing.rows import CoverageLevel, OrganisationFacts
from signals.routing.table import RoutingTable
from signals.vocabulary import OrganisationKind
from tests.support.routing import (
    ADAM,
    ALL,
    AMSTERDAM_ROW,
    BLOCK,
    DESK,
    GGD,
    GGD_ROW,
    LONG_AGO,
    MERGER,
    TODAY,
    change,
    everyone,
    map_with,
    receiver,
    row,
    small_map,
)


def test_each_municipality_reaches_its_own_organisation() -> None:
    table = RoutingTable.build(*everyone(onboarded=True))
    reached = {table.route(f"{run.first}AB", 1, TODAY).name for run in reference.pc4_runs()}
    assert reached == set(reference.municipalities())


def test_each_municipality_whose_organisation_is_not_onboarded_reaches_its_ggd() -> None:
    day = RoutingTable.build(*everyone(onboarded=False)).on(TODAY)
    for run in reference.pc4_runs():
        route = day.route(f"{run.last}ZZ", None)
        assert route.name == reference.municipalities()[run.municipality_code].ggd_code
        assert (route.level, route.covered) == (CoverageLevel.GGD_REGION, True)


@pytest.mark.parametrize(
    ("postcode", "code", "name"),
    [
        ("1012AB", "GM0363", "Amsterdam"),
        ("9711AA", "GM0014", "Groningen"),
        ("3221AA", "GM1992", "Voorne aan Zee"),
        ("1382AA", "GM0363", "Amsterdam"),
        ("5431AA", "GM1982", "Land van Cuijk"),
        ("1703AA", "GM1980", "Dijk en Waard"),
    ],
)
def test_known_postcodes_lie_in_their_municipality(postcode: str, code: str, name: str) -> None:
    route = RoutingTable.build(*everyone(onboarded=True)).route(postcode, 1, TODAY)
    assert (route.municipality_code, route.municipality_name, route.name) == (code, name, code)


def test_the_longest_match_wins_at_every_level() -> None:
    rows = [row(DESK, CoverageLevel.NATIONAL, "NL")]
    names = [receiver(rows)]
    for organisation, level, area in (
        (GGD, CoverageLevel.GGD_REGION, "GG3406"),
        (ADAM, CoverageLevel.MUNICIPALITY, "GM0363"),
        (BLOCK, CoverageLevel.PC4, "1012"),
        (ADAM, CoverageLevel.PC6, "1012AB"),
    ):
        rows.append(row(organisation, level, area))
        names.append(receiver(rows))
    rows.append(row(BLOCK, CoverageLevel.PC6_RANGE, "1012AB", (12, 12)))
    names.append(receiver(rows))
    assert names == [x.name for x in (DESK, GGD, ADAM, BLOCK, ADAM, BLOCK)]


@pytest.mark.parametrize(("number", "name"), [(9, ADAM), (10, BLOCK), (20, BLOCK), (21, ADAM), (99999, ADAM)])
def test_both_ends_of_a_house_number_range_are_included(number: int, name: OrganisationFacts) -> None:
    rows = [AMSTERDAM_ROW, row(BLOCK, CoverageLevel.PC6_RANGE, "1012AB", (10, 20))]
    assert receiver(rows, number=number) == name.name


def test_the_narrower_of_two_nested_ranges_wins() -> None:
    rows = [
        row(BLOCK, CoverageLevel.PC6_RANGE, "1012AB", (12, 14)),
        row(ADAM, CoverageLevel.PC6_RANGE, "1012AB", (1, 100)),
    ]
    assert [receiver(rows, number=number) for number in (11, 13)] == [ADAM.name, BLOCK.name]


def test_without_a_house_number_ranges_count_when_all_numbers_go_to_one() -> None:
    rows = [
        AMSTERDAM_ROW,
        row(BLOCK, CoverageLevel.PC6_RANGE, "1012AB", (None, 20)),
        row(BLOCK, CoverageLevel.PC6_RANGE, "1012AB", (21, None)),
    ]
    assert receiver(rows, number=None) == BLOCK.name


def test_an_organisation_receives_from_its_first_day_until_the_day_it_stops() -> None:
    short = OrganisationFacts(
        id=ADAM.id,
        name=ADAM.name,
        kind=ADAM.kind,
        receives_from=date(2026, 2, 1),
        receives_until=date(2026, 3, 1),
    )
    days = (date(2026, 1, 31), date(2026, 2, 1), date(2026, 2, 28), date(2026, 3, 1))
    names = [receiver([AMSTERDAM_ROW, GGD_ROW], on=day, organisations=(DESK, short, GGD)) for day in days]
    assert names == [GGD.name, ADAM.name, ADAM.name, GGD.name]


def test_coverage_changes_hands_on_its_date() -> None:
    handover = date(2026, 7, 1)
    rows = [
        row(ADAM, CoverageLevel.PC4, "1012", valid_until=handover),
        row(BLOCK, CoverageLevel.PC4, "1012", valid_from=handover),
    ]
    table = RoutingTable.build(rows, ALL)
    names = [table.route("1012AB", 1, day).name for day in (date(2026, 6, 30), handover)]
    assert names == [ADAM.name, BLOCK.name]


def test_an_unknown_postcode_reaches_the_national_desk_without_a_municipality() -> None:
    route = RoutingTable.build([AMSTERDAM_ROW], ALL).route("1000AA", 1, TODAY)
    assert (route.organisation_id, route.kind, route.covered) == (DESK.id, OrganisationKind.NATIONAL, False)
    assert (route.municipality_code, route.municipality_name) == (None, None)


def test_the_desk_that_coverage_names_comes_before_another_national_organisation() -> None:
    other = OrganisationFacts(
        id=UUID(int=9), name="Andere", kind=OrganisationKind.NATIONAL, receives_from=LONG_AGO
    )
    rows = [row(other, CoverageLevel.NATIONAL, "NL")]
    assert receiver(rows, organisations=(DESK, other)) == "Andere"


def test_a_table_without_a_national_desk_is_not_built() -> None:
    with pytest.raises(NoNationalDesk):
        RoutingTable.build([AMSTERDAM_ROW], (ADAM, GGD))


def test_a_date_before_the_desk_receives_is_refused() -> None:
    table = RoutingTable.build([AMSTERDAM_ROW], ALL)
    with pytest.raises(NoNationalDesk):
        table.route("1012AB", 1, date(2019, 12, 31))


def test_wijdemeren_becomes_hilversum_on_the_first_of_january_2027() -> None:
    table = RoutingTable.build(*everyone(onboarded=True))
    before = table.route("1231AA", 1, date(2026, 12, 31))
    after = table.route("1231AA", 1, MERGER)
    assert (before.name, before.municipality_name) == ("GM1696", "Wijdemeren")
    assert (after.name, after.municipality_code, after.municipality_name) == ("GM0402", "GM0402", "Hilversum")


def test_coverage_of_a_municipality_that_merged_earlier_does_not_count() -> None:
    weesp = row(BLOCK, CoverageLevel.MUNICIPALITY, "GM0457")
    assert receiver([weesp, AMSTERDAM_ROW], postcode="1382AA") == ADAM.name


def test_a_merger_into_a_new_municipality_keeps_the_region_of_its_predecessor() -> None:
    table = RoutingTable.build([GGD_ROW, AMSTERDAM_ROW], ALL, geography=small_map(reference.MERGED_INTO_NEW))
    after = table.route("1012AB", 1, MERGER)
    assert (after.name, after.municipality_code, after.municipality_name) == (GGD.name, "GM2000", "Nieuw")


def test_successive_mergers_are_followed_to_the_last() -> None:
    first = change(date(2026, 1, 1), "GM0363", "GM2000", reference.MERGED_INTO_NEW)
    second = change(date(2027, 1, 1), "GM2000", "GM2001", reference.ABSORBED)
    facts = map_with(second, first)
    route = RoutingTable.build([], ALL, geography=facts).route("1012AB", 1, MERGER)
    assert route.municipality_code == "GM2001"


def test_the_official_file_overrules_the_runs_by_six_characters_and_by_number() -> None:
    rows, organisations = everyone(onboarded=True)
    table = RoutingTable.build(
        rows,
        organisations,
        pc6_municipalities={"4197AB": "GM0214"},
        pc6_ranges=[("4197AA", 1, 3, "GM1960"), ("4197AA", 99, 99, "GM0214")],
    )
    asked = (("4197AB", 1), ("4197AB", None), ("4197AA", 1), ("4197AA", 99), ("4197AA", 50), ("4197AA", None))
    names = [table.route(postcode, number, TODAY).name for postcode, number in asked]
    assert names == ["GM0214", "GM0214", "GM1960", "GM0214", "GM1960", "GM1960"]


def test_the_later_start_of_two_overlapping_rows_wins() -> None:
    rows = [
        row(ADAM, CoverageLevel.PC4, "1012", valid_from=date(2026, 2, 1)),
        row(BLOCK, CoverageLevel.PC4, "1012"),
    ]
    assert receiver(rows) == ADAM.name
