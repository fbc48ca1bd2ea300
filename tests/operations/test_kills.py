"""Any process may be killed at any moment: no acknowledged report is lost, doubled or unreadable."""

import pytest

from tests.support.kill_run import kill_run
from tests.support.world import World

pytestmark = [pytest.mark.slow, pytest.mark.soak]

SEEDED, ALL = (20, 600.0), (500, 1_300.0)
"""Kills on each database, and the most seconds."""


def test_killed_processes_lose_and_double_no_acknowledged_report(
    world: World, request: pytest.FixtureRequest
) -> None:
    soak = request.config.getoption("--hypothesis-profile") == "soak"
    kills, seconds = ALL if soak else SEEDED
    report = kill_run(world, kills=kills, seed=20261202, within_seconds=seconds)
    assert (report.lost, report.doubled, report.unreadable) == (0, 0, 0), report
    assert sum(report.kills.values()) == kills
    assert min(report.acknowledged, report.opened) >= kills // 4, report
