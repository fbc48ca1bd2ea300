"""Test that in the database only the worker reads facts, and that the desk reads releases too."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from signals.db import set_local
from signals.statistics.publications import publications
from tests.support.fences import FencedWorld, worker_of
from tests.support.figures import add
from tests.support.world import AMSTERDAM, GRONINGEN, World

pytestmark = pytest.mark.postgres


@pytest.fixture
def released_world(fenced_world: FencedWorld) -> FencedWorld:
    """A world of which the worker has released a year, as its own role."""
    add(fenced_world.all_seeing, 40, received="2025-Q4", concluded="2025")
    released = worker_of(fenced_world.worker).release_figures()
    assert [one.period for one in released] == ["2025-Q4", "2025", "2026-Q1", "2026-Q2", "2026-Q3"]
    return fenced_world


@pytest.mark.parametrize("who", ["front", "desk"])
def test_everybody_reads_what_was_released(released_world: FencedWorld, who: str) -> None:
    with getattr(released_world, who).sessions() as session:
        assert {row.period for row in publications(session)} >= {"2025-Q4", "2025"}


@pytest.mark.parametrize("table", ["signal_facts", "organisation_years"])
def test_the_front_reads_neither_facts_nor_own_totals(released_world: FencedWorld, table: str) -> None:
    assert _is_refused(released_world.front, f"SELECT * FROM {table}")


def test_the_desk_reads_no_facts(released_world: FencedWorld) -> None:
    assert _is_refused(released_world.desk, "SELECT * FROM signal_facts")


def test_a_lead_reads_the_own_totals_and_no_other_teams(released_world: FencedWorld) -> None:
    for caller, seen in ((AMSTERDAM, [("2025", 40)]), (GRONINGEN, [])):
        with released_world.desk.sessions() as session:
            set_local(session, organisation=str(caller))
            rows = session.execute(text("SELECT year, received FROM organisation_years WHERE received > 0"))
            assert [tuple(row) for row in rows] == seen


@pytest.mark.parametrize("who", ["desk", "worker"])
@pytest.mark.parametrize("table", ["publications", "organisation_years"])
@pytest.mark.parametrize("change", ["UPDATE {0} SET {1} = {1}", "DELETE FROM {0}", "TRUNCATE {0}"])
def test_nobody_changes_what_was_released(
    released_world: FencedWorld, who: str, table: str, change: str
) -> None:
    column = "year" if table == "organisation_years" else "period"
    assert _is_refused(getattr(released_world, who), change.format(table, column))


def _is_refused(world: World, statement: str) -> bool:
    with world.engine.connect() as connection:
        try:
            connection.execute(text(statement))
        except DBAPIError as error:
            return "permission denied" in str(error)
    return False
