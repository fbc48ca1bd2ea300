"""The official address file in both databases: a part moves nobody else, and what a wrong one did is told."""

from datetime import date

import pytest
from sqlalchemy import func, select

from signals.models import MunicipalityOfPostcode
from signals.routing.compact_coverage import CbsRow, compress
from signals.routing.coverage import IncompleteFile, check_coverage, import_official
from signals.routing.coverage_problems import ProblemKind
from tests.support.world import World

TODAY = date(2026, 11, 24)
PART = [CbsRow("1012AB", 1, "GM0363"), CbsRow("1012AC", 1, "GM0384"), CbsRow("1383AA", 1, "GM0363")]


def take(world: World, *, partial: bool) -> None:
    with world.sessions.begin() as session:
        file = compress(PART, partial=partial)
        import_official(world.operation(session), file=file, as_of=TODAY)


def test_a_part_is_refused_and_as_a_part_moves_its_own_postcodes_only(world: World) -> None:
    before = world.router().route("1211AA", 1, TODAY)
    with pytest.raises(IncompleteFile):
        take(world, partial=False)
    take(world, partial=True)
    router = world.router()
    assert router.route("1211AA", 1, TODAY) == before
    assert router.route("1012AB", 1, TODAY).municipality_code == "GM0363"
    assert router.route("1012AC", 1, TODAY).municipality_code == "GM0384"
    with world.sessions() as session:
        assert session.scalar(select(func.count()).select_from(MunicipalityOfPostcode)) == 1


def test_municipalities_that_a_wrong_file_moves_in_bulk_are_named(world: World) -> None:
    moved = [
        f"{pc4}{one}{two}" for pc4 in range(1211, 1231) for one in "ABCDE" for two in "ABCDEFGHIJKLMNOPQRST"
    ]
    with world.sessions.begin() as session:
        session.add_all(
            MunicipalityOfPostcode(first_pc6=pc6, last_pc6=pc6, municipality_code="GM0363") for pc6 in moved
        )
    with world.sessions() as session:
        found = [
            one for one in check_coverage(session, TODAY).problems if one.kind is ProblemKind.ROUTES_ELSEWHERE
        ]
    assert "Hilversum" in {one.name for one in found}


def test_the_next_change_of_what_is_stored_says_who_receives(world: World) -> None:
    with world.sessions() as session:
        change = check_coverage(session, TODAY).next_change
    assert change is not None
    assert [bool(move.handovers) for move in change.moves] == [True]
