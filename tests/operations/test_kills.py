"""Any process may be killed at any moment: no acknowledged report is lost, doubled or unreadable."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from tests.support.kill_faults import struck_postgresql, struck_sqlite
from tests.support.kill_report import PAGE, KillReport, write_line
from tests.support.kill_run import KillPlan, kill_run
from tests.support.world import World

pytestmark = [pytest.mark.slow, pytest.mark.soak]

SEED = 20261202
SEEDED, ALL = 20, 500
"""Kills on each database."""
SEEDED_SECONDS = 600.0
ALL_SECONDS = {"sqlite": 1_240.0, "postgresql": 1_320.0}
"""With what they need before and after, both take 45 minutes at most; PostgreSQL has more faults."""
STRUCK = {"sqlite": struck_sqlite, "postgresql": struck_postgresql}
NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def killed(request: pytest.FixtureRequest, template: Path) -> Iterator[KillReport]:
    """Make the seeded kills; `make soak` makes all of them, with faults, and writes a line about them."""
    if request.config.getoption("--hypothesis-profile") != "soak":
        world: World = request.getfixturevalue(f"{request.param.removesuffix('ql')}_world")
        yield kill_run(world, KillPlan(kills=SEEDED, seconds=SEEDED_SECONDS), seed=SEED)
        return
    with STRUCK[request.param](template) as (world, faults):
        plan = KillPlan(kills=ALL, seconds=ALL_SECONDS[request.param], crew=2, faults=faults)
        report = kill_run(world, plan, seed=SEED)
        write_line(report.line(NAMES[request.param], datetime.now(UTC).date()))
        yield report


def test_killed_processes_lose_and_double_no_acknowledged_report(killed: KillReport) -> None:
    assert (killed.lost, killed.doubled, killed.unreadable) == (0, 0, 0), killed
    assert killed.kills.total() >= SEEDED
    assert min(killed.acknowledged, killed.opened) >= killed.kills.total() // 4, killed


def test_a_run_of_kills_writes_its_line_above_the_older_ones(tmp_path: Path) -> None:
    page = tmp_path / "soak.md"
    page.write_bytes(PAGE.read_bytes())
    counts = {"acknowledged": 1267, "opened": 9, "lost": 0, "doubled": 0, "unreadable": 0, "minutes": 19}
    report = KillReport(kills=Counter(front=7, desk=5), faults=Counter({"full disk": 1}), **counts)
    write_line(report.line("SQLite", date(2026, 12, 2)), page)
    written = page.read_text("utf-8").partition("## Last results")[2].splitlines()[1:]
    assert written[0].startswith("- 2026-12-02, SQLite, 12 kills (5 desk, 7 front), 1 full disk, 19 minutes,")
    assert "of 1,267 reports: 0 lost, 0 doubled, 0 unreadable" in " ".join(" ".join(written).split())
    assert written[-1] == PAGE.read_text("utf-8").splitlines()[-1]
