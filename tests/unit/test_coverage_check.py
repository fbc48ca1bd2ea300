"""Gaps, overlaps and rows that match nothing are named, and so is what the next merger moves."""

from uuid import UUID

import pytest

from signals import reference
from signals.coverage_check import Move, Problem, ProblemKind, coverage_problems, next_boundary_change
from signals.routing_table import CoverageLevel, CoverageRow, OrganisationFacts
from signals.vocabulary import OrganisationKind
from tests.support.routing import (
    ADAM,
    ALL,
    AMSTERDAM_ROW,
    BLOCK,
    GGD_ROW,
    MERGER,
    TODAY,
    everyone,
    receiver,
    row,
    small_map,
)


def test_full_coverage_has_no_problem() -> None:
    assert coverage_problems(*everyone(onboarded=True), TODAY) == []


def test_municipalities_without_an_organisation_are_gaps_that_fall_to_the_ggd() -> None:
    problems = coverage_problems(*everyone(onboarded=False), TODAY)
    assert {problem.kind for problem in problems} == {ProblemKind.FALLS_TO_GGD}
    assert [problem.area for problem in problems] == sorted(reference.municipalities())


def test_a_gap_says_how_many_postcodes_fall_through() -> None:
    rows = [GGD_ROW, row(ADAM, CoverageLevel.PC4, "1012")]
    [gap] = coverage_problems(rows, ALL, TODAY, geography=small_map(reference.ABSORBED))
    assert (gap.kind, gap.name) == (ProblemKind.FALLS_TO_GGD, "Amsterdam")
    assert (gap.pc4_count, gap.pc4_total) == (9, 10)


def test_without_a_ggd_a_gap_falls_to_the_national_desk() -> None:
    [gap] = coverage_problems([], ALL, TODAY, geography=small_map(reference.ABSORBED))
    assert gap.kind is ProblemKind.FALLS_TO_NATIONAL


def test_a_missing_national_desk_is_a_problem() -> None:
    assert coverage_problems([AMSTERDAM_ROW], (ADAM,), TODAY) == [
        Problem(kind=ProblemKind.NO_NATIONAL_DESK, area="NL")
    ]


def _of_kind(kind: ProblemKind, *rows: CoverageRow) -> list[tuple[str, tuple[UUID, ...]]]:
    problems = coverage_problems(rows, ALL, TODAY)
    return [(problem.area, problem.organisation_ids) for problem in problems if problem.kind is kind]


def test_two_organisations_with_one_area_at_one_time_overlap() -> None:
    found = _of_kind(
        ProblemKind.OVERLAP, AMSTERDAM_ROW, row(BLOCK, CoverageLevel.MUNICIPALITY, "GM0363", valid_from=TODAY)
    )
    assert found == [("GM0363", (ADAM.id, BLOCK.id))]


@pytest.mark.parametrize(
    "pair",
    [
        (
            row(ADAM, CoverageLevel.PC4, "1012", valid_until=MERGER),
            row(BLOCK, CoverageLevel.PC4, "1012", valid_from=MERGER),
        ),
        (
            row(ADAM, CoverageLevel.PC6_RANGE, "1012AB", (1, 9)),
            row(BLOCK, CoverageLevel.PC6_RANGE, "1012AB", (10, 19)),
        ),
        (row(ADAM, CoverageLevel.PC4, "1012"), row(ADAM, CoverageLevel.PC4, "1012")),
        (row(ADAM, CoverageLevel.PC4, "1012"), row(BLOCK, CoverageLevel.PC6, "1012AB")),
        (
            row(ADAM, CoverageLevel.PC4, "1012", valid_until=TODAY),
            row(BLOCK, CoverageLevel.PC4, "1012", valid_until=TODAY),
        ),
    ],
)
def test_rows_that_take_turns_do_not_overlap(pair: tuple[CoverageRow, CoverageRow]) -> None:
    assert _of_kind(ProblemKind.OVERLAP, *pair) == []


def test_ranges_with_numbers_in_common_overlap() -> None:
    found = _of_kind(
        ProblemKind.OVERLAP,
        row(ADAM, CoverageLevel.PC6_RANGE, "1012AB", (1, 10)),
        row(BLOCK, CoverageLevel.PC6_RANGE, "1012AB", (10, 19)),
    )
    assert found == [("1012AB", (ADAM.id, BLOCK.id))]


def test_a_row_of_an_unknown_organisation_is_a_problem_and_matches_nothing() -> None:
    stranger = OrganisationFacts(id=UUID(int=77), name="Onbekend", kind=OrganisationKind.SOCIAL_WORK)
    unknown = row(stranger, CoverageLevel.PC4, "1012")
    assert receiver([unknown, AMSTERDAM_ROW]) == ADAM.name
    assert _of_kind(ProblemKind.UNKNOWN_ORGANISATION, unknown) == [("1012", (stranger.id,))]


@pytest.mark.parametrize(
    ("level", "area"),
    [
        (CoverageLevel.MUNICIPALITY, "GM9999"),
        (CoverageLevel.GGD_REGION, "GG0001"),
        (CoverageLevel.NATIONAL, "BE"),
        (CoverageLevel.PC4, "0999"),
        (CoverageLevel.PC4, "10125"),
        (CoverageLevel.PC6, "1012ab"),
        (CoverageLevel.PC6, "1012"),
    ],
)
def test_a_row_of_an_unknown_area_is_a_problem(level: CoverageLevel, area: str) -> None:
    assert _of_kind(ProblemKind.UNKNOWN_AREA, row(ADAM, level, area)) == [(area, (ADAM.id,))]


def test_a_row_of_an_ended_municipality_is_a_problem() -> None:
    ended = row(BLOCK, CoverageLevel.MUNICIPALITY, "GM0457")
    assert _of_kind(ProblemKind.ENDED_MUNICIPALITY, ended) == [("GM0457", (BLOCK.id,))]


def test_the_next_boundary_change_names_what_moves() -> None:
    found = next_boundary_change(TODAY)
    assert found is not None
    assert found.effective_date == MERGER
    assert found.moves == (
        Move(
            old_code="GM1696",
            old_name="Wijdemeren",
            new_code="GM0402",
            new_name="Hilversum",
            pc4_runs=((1231, 1244), (1394, 1394), (3625, 3625)),
        ),
    )


def test_after_the_last_known_change_there_is_none() -> None:
    assert next_boundary_change(MERGER) is None
