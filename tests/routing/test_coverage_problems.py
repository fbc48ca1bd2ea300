"""Gaps, overlaps and rows that match nothing are named, and so is what the next merger moves."""

from datetime import date, timedelta
from uuid import UUID

import pytest

from signals import reference
from signals.routing.coverage_problems import (
    Move,
    Problem,
    ProblemKind,
    coverage_problems,
    next_boundary_change,
    routed_elsewhere,
)
from signals.routing.rows import CoverageLevel, CoverageRow, OrganisationFacts
from signals.vocabulary import OrganisationKind
from tests.support.routing import (
    ADAM,
    ALL,
    AMSTERDAM_ROW,
    BLOCK,
    DESK,
    MERGER,
    TODAY,
    everyone,
    receiver,
    row,
    small_map,
)


def test_municipalities_without_an_organisation_are_gaps_that_fall_to_the_ggd() -> None:
    problems = coverage_problems(*everyone(onboarded=False), TODAY)
    assert {problem.kind for problem in problems} == {ProblemKind.FALLS_TO_GGD}
    assert [problem.area for problem in problems] == sorted(reference.municipalities())


def test_without_a_ggd_a_gap_falls_to_the_national_desk() -> None:
    [gap] = coverage_problems([], ALL, TODAY, geography=small_map(reference.ABSORBED))
    assert gap.kind is ProblemKind.FALLS_TO_NATIONAL


def test_a_missing_national_desk_is_a_problem() -> None:
    assert coverage_problems([AMSTERDAM_ROW], (ADAM,), TODAY) == [
        Problem(kind=ProblemKind.NO_NATIONAL_DESK, area="NL")
    ]


def _of_kind(kind: ProblemKind, *rows: CoverageRow) -> list[tuple[str, tuple[UUID, ...]]]:
    problems = coverage_problems(rows, ALL, TODAY)
    return [(one.area, tuple(it.id for it in one.organisations)) for one in problems if one.kind is kind]


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
        (CoverageLevel.PC6, "1234SS"),
        (CoverageLevel.PC6_RANGE, "1234SA"),
    ],
)
def test_a_row_of_an_unknown_area_is_a_problem(level: CoverageLevel, area: str) -> None:
    assert _of_kind(ProblemKind.UNKNOWN_AREA, row(ADAM, level, area)) == [(area, (ADAM.id,))]


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


# A team whose municipality ends, and that of the successor.
OLD, NEW = ADAM, BLOCK
OLD_ROW = row(OLD, CoverageLevel.MUNICIPALITY, "GM1696", valid_until=MERGER)
NEW_ROW = row(NEW, CoverageLevel.MUNICIPALITY, "GM0402")
FINER = [
    row(OLD, CoverageLevel.PC4, "1231"),
    row(OLD, CoverageLevel.PC6, "1241AB"),
    row(OLD, CoverageLevel.PC6_RANGE, "1241AC", (1, 99)),
]


def _outliving(on: date, *rows: CoverageRow) -> list[str]:
    found = [p for p in coverage_problems(rows, ALL, on) if p.kind is ProblemKind.OUTLIVES_MUNICIPALITY]
    assert all([one.id for one in problem.organisations] == [OLD.id] for problem in found)
    return [problem.area for problem in found]


@pytest.mark.parametrize("until", [MERGER, None])
def test_finer_rows_that_outlive_the_municipality_of_their_team_are_named(until: date | None) -> None:
    rows = [row(OLD, CoverageLevel.MUNICIPALITY, "GM1696", valid_until=until), NEW_ROW, *FINER]
    assert _outliving(MERGER - timedelta(days=1), *rows) == []
    assert _outliving(MERGER, *rows) == ["1231", "1241AB", "1241AC"]
    assert _outliving(date(2027, 2, 10), *rows) == ["1231", "1241AB", "1241AC"]


def test_finer_rows_outlive_a_municipality_that_another_team_covers_now() -> None:
    ended = row(OLD, CoverageLevel.MUNICIPALITY, "GM0363", valid_until=TODAY)
    assert _outliving(TODAY, ended, row(OLD, CoverageLevel.PC4, "1012")) == ["1012"]


@pytest.mark.parametrize(
    "rows",
    [
        [OLD_ROW, row(OLD, CoverageLevel.MUNICIPALITY, "GM0402", valid_from=MERGER), *FINER],  # one team, two
        [OLD_ROW, row(OLD, CoverageLevel.PC4, "1231", valid_until=MERGER)],
        [OLD_ROW, row(OLD, CoverageLevel.PC4, "1231", valid_from=MERGER)],  # agreed anew
        [OLD_ROW, row(OLD, CoverageLevel.MUNICIPALITY, "GM0363"), row(OLD, CoverageLevel.PC4, "1012")],
        FINER,  # a team that never had a municipality
    ],
)
def test_finer_rows_that_are_meant_to_go_on_are_not_named(rows: list[CoverageRow]) -> None:
    assert _outliving(MERGER, *rows) == []


def test_the_next_boundary_change_names_who_receives_before_and_after() -> None:
    found = next_boundary_change(TODAY, [OLD_ROW, NEW_ROW, *FINER], ALL)
    assert found is not None
    told = {(one.before.name, one.after.name): one.areas for one in found.moves[0].handovers}
    assert told == {
        (OLD.name, NEW.name): ("1232-1244", "1394", "3625"),
        (OLD.name, OLD.name): ("1231", "1241AB", "1241AC 1-99"),
    }
    assert [problem.area for problem in found.outliving] == ["1231", "1241AB", "1241AC"]


def test_an_uncovered_address_goes_to_the_national_desk() -> None:
    found = next_boundary_change(TODAY, [OLD_ROW], ALL)
    assert found is not None
    [handover] = found.moves[0].handovers
    assert (handover.before.name, handover.after.name) == (OLD.name, DESK.name)


def test_a_municipality_that_is_routed_elsewhere_in_bulk_is_named() -> None:
    stored = {(pc4, "GM0363"): 676 for pc4 in range(1211, 1231)}
    found = {problem.name: problem for problem in routed_elsewhere(stored, TODAY)}
    assert found["Hilversum"].kind is ProblemKind.ROUTES_ELSEWHERE
    assert found["Hilversum"].pc4_count == found["Hilversum"].pc4_total


@pytest.mark.parametrize(
    "stored",
    [
        {(1012, "GM0384"): 676, (1013, "GM0384"): 676},  # a border that was corrected
        {(pc4, "GM0384"): 60 for pc4 in range(1011, 1031)},
        {(pc4, "GM0363"): 676 for pc4 in range(1011, 1031)},
        {(entry.pc4, "GM0363"): 300 for entry in reference.straddling()},
    ],
)
def test_corrections_of_borders_are_no_problem(stored: dict[tuple[int, str], int]) -> None:
    assert routed_elsewhere(stored, TODAY) == []
