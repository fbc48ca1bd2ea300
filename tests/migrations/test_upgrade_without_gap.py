"""A front that was started before a migration takes every report during it and after it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

import migrations
from signals.db import make_engine
from signals.settings import LimitsSettings
from signals.vocabulary import ProcessRole
from tests.support.next_release import release_the_next
from tests.support.reporting_phones import reporting
from tests.support.serving import serving, wait_until
from tests.support.world import World, fill_another, make_world

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

UNLIMITED = LimitsSettings(
    open_reports_per_area_and_day=100_000,
    unproven_reports_per_area_and_day=100_000,
    unproven_reports_per_area_and_hour=100_000,
)
SECONDS = 180


@pytest.fixture
def world(
    postgres_url: str, template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    """Make a world on a database of its own, and then the migrations of the next release."""
    engine = make_engine(postgres_url)
    fill_another(engine, template)
    engine.dispose()
    made = make_world(template, tmp_path, postgres_url)
    release_the_next(tmp_path / "next_release", monkeypatch)
    assert _revision(made) == migrations.head()
    yield made
    made.close()


def test_the_intake_of_the_release_before_refuses_nothing_while_the_tables_change(
    world: World,
) -> None:
    world.settings = replace(world.settings, limits=UNLIMITED)
    with serving(world, role=ProcessRole.FRONT) as front, reporting(front.port) as phones:
        wait_until(lambda: len(phones.acknowledged) >= 100, SECONDS)
        migrations.upgrade(world.engine)
        before = len(phones.acknowledged)
        wait_until(lambda: len(phones.acknowledged) >= before + 100, SECONDS)
    assert _revision(world) == "next_release"
    assert not phones.refusals


def test_a_migration_that_waits_for_a_table_lets_reports_pass_and_comes_back(world: World) -> None:
    with ThreadPoolExecutor(1) as administrator, world.engine.connect() as reader:
        reader.execute(text("SELECT count(*) FROM idempotency_keys"))
        migrated = administrator.submit(migrations.upgrade, world.engine)
        wait_until(lambda: _somebody_waits(world), 60)
        world.receive(1)
        reader.rollback()
        migrated.result(SECONDS)
    assert _revision(world) == "next_release"


def _somebody_waits(world: World) -> bool:
    with world.engine.connect() as connection:
        return bool(connection.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")))


def _revision(world: World) -> str | None:
    with world.engine.connect() as connection:
        return migrations.current(connection)
