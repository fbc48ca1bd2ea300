"""Who may read what of the figures in the database: true counts only the worker, releases the desk too."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from signals.operations.database_roles import PUBLIC_FIGURES, Roles, statements
from signals.statistics import released
from tests.support.fences import FencedWorld, worker_of
from tests.support.figures import facts
from tests.support.world import World

pytestmark = pytest.mark.postgres


@pytest.fixture
def released_world(fenced_world: FencedWorld) -> FencedWorld:
    """A world of which the worker has released a quarter, as its own role."""
    with fenced_world.all_seeing.sessions.begin() as session:
        facts(session, [{}] * 40)
    worker = worker_of(fenced_world.worker)
    assert [one.period for one in worker.release_figures()] == ["2026-Q3"]
    assert worker.forget_facts() == 0
    return fenced_world


def test_the_desk_reads_what_was_released(released_world: FencedWorld) -> None:
    with released_world.desk.sessions() as session:
        assert [release.period for release in released(session)] == ["2026-Q3"]


@pytest.mark.parametrize("table", ["signal_facts", "counted_tables", "pooled_facts"])
@pytest.mark.parametrize("who", ["desk", "front"])
def test_no_role_that_people_use_reads_facts_or_true_counts(
    released_world: FencedWorld, who: str, table: str
) -> None:
    assert _is_refused(getattr(released_world, who), f"SELECT * FROM {table}")


@pytest.mark.parametrize("table", ["releases", "released_tables"])
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE {0} SET period = period",
        "DELETE FROM {0}",
        "INSERT INTO {0} SELECT * FROM {0}",
        "TRUNCATE {0}",
    ],
)
def test_the_desk_changes_nothing_that_was_released(
    released_world: FencedWorld, table: str, change: str
) -> None:
    assert _is_refused(released_world.desk, change.format(table))


@pytest.mark.parametrize("table", ["releases", "released_tables", "counted_tables"])
@pytest.mark.parametrize("change", ["UPDATE {0} SET {1} = {1}", "DELETE FROM {0}"])
def test_the_worker_itself_changes_nothing_that_was_released(
    released_world: FencedWorld, table: str, change: str
) -> None:
    column = "quarter" if table == "counted_tables" else "period"
    assert _is_refused(released_world.worker, change.format(table, column))


def test_the_front_reads_no_figures_unless_they_are_public(released_world: FencedWorld) -> None:
    for table in PUBLIC_FIGURES:
        assert _is_refused(released_world.front, f"SELECT * FROM {table}")


def test_public_figures_give_the_front_the_released_tables_and_nothing_else() -> None:
    closed, public = list(statements(Roles())), list(statements(Roles(), public_figures=True))
    more = [statement for statement in public if statement not in closed]
    assert more == [f'GRANT SELECT ON public."{table}" TO "signals_front"' for table in PUBLIC_FIGURES]
    assert PUBLIC_FIGURES == ("releases", "released_tables")


def _is_refused(world: World, statement: str) -> bool:
    with world.engine.connect() as connection:
        try:
            connection.execute(text(statement))
        except DBAPIError as error:
            return "permission denied" in str(error)
    return False
