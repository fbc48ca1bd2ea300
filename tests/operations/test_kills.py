"""Any process may be killed at any moment: no acknowledged report is lost, doubled or unreadable."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.kill_faults import struck_postgresql, struck_sqlite
from tests.support.kill_report import KillReport, write_row
from tests.support.kill_run import KillPlan, kill_run
from tests.support.world import World

pytestmark = [pytest.mark.slow, pytest.mark.soak]

SEED = 20261202
SEEDED, ALL = 20, 500
"""Kills on each database."""
SEEDED_SECONDS = 600.0
ALL_SECONDS = {"sqlite": 1_120.0, "postgresql": 1_320.0}
"""With what they need before and after, both take 45 minutes at most; PostgreSQL has more faults."""
STRUCK = {"sqlite": struck_sqlite, "postgresql": struck_postgresql}
NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def killed(request: pytest.FixtureRequest, template: Path) -> Iterator[KillReport]:
    """Make the seeded kills; `make soak` makes all of them, with faults, and writes a row about them."""
    if request.config.getoption("--hypothesis-profile") != "soak":
        world: World = request.getfixturevalue(f"{request.param.removesuffix('ql')}_world")
        yield kill_run(world, KillPlan(kills=SEEDED, seconds=SEEDED_SECONDS), seed=SEED)
        return
    with STRUCK[request.param](template) as (world, faults):
        plan = KillPlan(kills=ALL, seconds=ALL_SECONDS[request.param], crew=2, faults=faults)
        report = kill_run(world, plan, seed=SEED)
        write_row(report.row(NAMES[request.param], datetime.now(UTC).date()))
        yield report


def test_killed_processes_lose_and_double_no_acknowledged_report(killed: KillReport) -> None:
    assert (killed.lost, killed.doubled, killed.unreadable) == (0, 0, 0), killed
    assert killed.kills.total() >= SEEDED
    assert min(killed.acknowledged, killed.opened) >= killed.kills.total() // 4, killed
