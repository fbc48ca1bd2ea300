"""A primary dies under 50 reports a second: the standby has each acknowledged one, and all go on."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from privacy.receipts import idempotency_hash
from signals.db import make_engine
from signals.models import IdempotencyKey, SealedReport
from signals.operations.jobs import Worker
from signals.settings import LimitsSettings
from signals.vocabulary import ProcessRole
from tests.support.postgres import PostgresServer
from tests.support.reporting_phones import reporting
from tests.support.serving import serving, wait_until
from tests.support.standby import (
    PRIMARY,
    Standby,
    dies,
    several,
    until_it_follows,
    wait_for_the_standby,
)
from tests.support.world import World, fill_another, make_world

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

BEFORE, AFTER = 150, 100
"""Acknowledged reports before the machine dies, and after it."""
BEHIND_SECONDS = 1
SECONDS = 180
UNLIMITED = LimitsSettings(
    open_reports_per_area_and_day=100_000,
    unproven_reports_per_area_and_day=100_000,
    unproven_reports_per_area_and_hour=100_000,
)


@pytest.fixture
def primary() -> Iterator[PostgresServer]:
    with PostgresServer(durable=True, settings=PRIMARY) as server:
        yield server


@pytest.fixture
def standby(primary: PostgresServer, template: Path) -> Iterator[Standby]:
    """Fill the primary with a world, and let each commit wait for a standby from then on."""
    engine = make_engine(primary.create_database("signals"))
    fill_another(engine, template)
    engine.dispose()
    with Standby(primary, settings=PRIMARY) as server:
        wait_for_the_standby(primary)
        until_it_follows(primary)
        yield server


@pytest.fixture
def world(primary: PostgresServer, standby: Standby, template: Path, tmp_path: Path) -> Iterator[World]:
    made = make_world(template, tmp_path, several(primary, standby, database="signals"))
    made.settings = replace(made.settings, limits=UNLIMITED)
    yield made
    made.close()


def test_no_acknowledged_report_is_lost_when_the_primary_dies_and_no_process_restarts(
    primary: PostgresServer, standby: Standby, world: World
) -> None:
    worker = world.worker()
    with serving(world, role=ProcessRole.FRONT) as front, reporting(front.port) as phones:
        worker.ping()
        wait_until(lambda: len(phones.acknowledged) >= BEFORE, SECONDS)
        with standby.falling_behind():
            time.sleep(BEHIND_SECONDS)  # long enough to acknowledge what only the primary has
            died_at = time.monotonic()
            dies(primary)
        standby.promote()
        wait_until(lambda: len(phones.acknowledged_since(died_at)) >= AFTER, SECONDS)
        assert front.process.poll() is None
    phones.show(since=died_at)
    wait_until(lambda: _finds_the_promoted(worker), SECONDS)
    kept = set(world.rows(select(IdempotencyKey.idempotency_hash)))
    assert {idempotency_hash(key) for key in phones.acknowledged} - kept == set()
    assert world.count(SealedReport) == len(kept)


def _finds_the_promoted(worker: Worker) -> bool:
    """Whether a worker that was connected to the primary reaches the promoted standby."""
    try:
        worker.ping()
    except DBAPIError:
        return False
    return True
