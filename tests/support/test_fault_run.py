"""Workers killed outright while they deliver: nothing is lost, every repeat is known; more in `make soak`."""

from pathlib import Path

import pytest
from hypothesis import settings

from notifications.models import Base
from signals.db import make_engine
from tests.support.fault_run import fault_run

pytestmark = [pytest.mark.slow, pytest.mark.soak]

SEEDED, ALL = (240, 6), (2_000, 50)
"""Messages and kills."""


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_killed_workers_lose_nothing_and_repeat_only_what_was_in_doubt(
    database: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    on_file = database == "sqlite"
    url = f"sqlite:///{tmp_path}/outbox.db" if on_file else request.getfixturevalue("postgres_url")
    engine = make_engine(url)
    Base.metadata.create_all(engine)
    engine.dispose()
    messages, kills = ALL if settings.default.max_examples > 1_000 else SEEDED  # type: ignore[union-attr]
    report = fault_run(url, tmp_path, messages=messages, kills=kills, seed=20261124)
    print(report)
    assert report.lost == 0
    assert report.unexplained == 0
    assert report.most_often <= 2
    assert report.duplicates <= kills
    assert report.sent_once + report.duplicates + report.dead_letters >= messages
