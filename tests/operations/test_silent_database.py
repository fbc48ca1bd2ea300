"""A database that falls silent, behind a proxy that swallows traffic: nothing may wait for it for good."""

import socket
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

from privacy.patience import DESK, FRONT, JOBS, Patience
from signals.app import close_app, create_app
from signals.db import make_engine
from signals.settings import DatabaseSettings
from signals.vocabulary import ProcessRole
from tests.support.swallowing import SwallowingProxy, ends, swallowing
from tests.support.world import World, key

pytestmark = pytest.mark.postgres

_LIMITS = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")


@pytest.fixture
def proxy(postgres_url: str) -> Iterator[SwallowingProxy]:
    with swallowing(postgres_url) as before:
        yield before


def _one(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.scalar(text("SELECT 1")) or 0)


@pytest.mark.parametrize(
    ("patience", "limits"),
    [
        (FRONT, ["5s", "3s", "30s"]),
        (DESK, ["30s", "10s", "2min"]),
        (JOBS, ["1min", "30s", "10min"]),
    ],
)
def test_a_connection_has_the_limits_of_its_kind_of_work(
    proxy: SwallowingProxy, patience: Patience, limits: list[str]
) -> None:
    engine = make_engine(proxy.url, patience=patience)
    with engine.connect() as connection:
        shown = [connection.scalar(text(f"SHOW {name}")) for name in _LIMITS]
        silence = _socket(connection, socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
        probed = _socket(connection, socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    engine.dispose()
    assert shown == limits
    assert (silence, probed) == (15_000, 1)


def _socket(connection: Connection, level: int, option: int) -> int:
    driver: Any = connection.connection.driver_connection
    with socket.fromfd(driver.pgconn.socket, socket.AF_INET, socket.SOCK_STREAM) as same:
        return same.getsockopt(level, option)


def test_a_process_leaves_a_connection_that_fell_silent_and_works_on_after_it(proxy: SwallowingProxy) -> None:
    engine = make_engine(proxy.url, pool_size=1, patience=Patience(statement=1))
    assert _one(engine) == 1
    proxy.swallows.set()
    assert isinstance(ends(lambda: _one(engine)), OperationalError)
    proxy.swallows.clear()
    assert ends(lambda: _one(engine)) == 1
    engine.dispose()


@pytest.mark.slow
def test_a_front_answers_during_a_silence_and_takes_the_report_again_after_it(postgres_world: World) -> None:
    settings = postgres_world.settings
    with swallowing(settings.database.url) as proxy:
        app = create_app(
            replace(settings, role=ProcessRole.FRONT, database=DatabaseSettings(url=proxy.url)),
            clock=postgres_world.clock,
        )
        front = app.test_client()
        assert _send(front, 1) == 201
        proxy.swallows.set()
        assert ends(lambda: _send(front, 2)) == 503
        proxy.swallows.clear()
        assert ends(lambda: _send(front, 2)) == 201
        close_app(app)


def _send(front: FlaskClient, number: int) -> int:
    body = {"postcode": "1012AB", "house_number": 12}
    headers = {"Idempotency-Key": str(key(number))}
    return front.post("/api/v1/signals", json=body, headers=headers).status_code
