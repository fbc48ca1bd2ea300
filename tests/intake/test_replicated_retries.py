"""A retry is answered when its row is on the standby too: a row that only one machine has may be lost."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from signals.db import make_engine
from tests.support.postgres import PostgresServer
from tests.support.serving import wait_until
from tests.support.standby import PRIMARY, wait_for_the_standby
from tests.support.world import World, fill_another, make_world

pytestmark = [pytest.mark.postgres, pytest.mark.slow]


@pytest.fixture
def primary() -> Iterator[PostgresServer]:
    with PostgresServer(durable=True, settings=PRIMARY) as server:
        yield server


@pytest.fixture
def world(primary: PostgresServer, template: Path, tmp_path: Path) -> Iterator[World]:
    url = primary.create_database("signals")
    engine = make_engine(url)
    fill_another(engine, template)
    engine.dispose()
    made = make_world(template, tmp_path, url)
    yield made
    made.close()


def test_a_retry_waits_for_the_standby_when_a_restart_showed_its_row_early(
    primary: PostgresServer, world: World
) -> None:
    known = world.receive(1)
    wait_for_the_standby(primary, "somebody_away")
    with ThreadPoolExecutor(1) as phone:
        first = phone.submit(world.receive, 2)
        wait_until(lambda: _waiting(primary) == "1", 60)
        with primary.away():  # its row is on this disk, and nowhere else
            pass
        # The front sent it again by itself, and found the row.
        assert isinstance(first.exception(120), OperationalError)
        with pytest.raises(OperationalError):
            world.receive(1)
        wait_for_the_standby(primary, "")
        assert world.receive(1) == known
        assert world.receive(2).received_on == known.received_on


def _waiting(primary: PostgresServer) -> str:
    return primary.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
