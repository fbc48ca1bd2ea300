"""The desk's pages as a whole, without a network: the queue of a few signals and of thousands, a signal."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from privacy.keystore import Keystore
from privacy.passwords import PasswordHasherSettings
from signals.app import create_app
from signals.audit.log import AuditLog
from signals.casework.queue import queue_page
from signals.clock import SystemClock, today
from signals.db import session_factory
from signals.staff.accounts import add_staff
from signals.staff.sessions import open_session
from signals.vocabulary import ProcessRole, Role
from tests.bench.house import House, make_house
from tests.bench.results import Line, interleaved
from tests.bench.seeding import Crowd, seal_for_real, seed_signals
from tests.support.operations import operation

GROUP = "desk pages, SQLite (CPU of the server)"
PAGE, FEW, MANY = 25, 25, 10_000
OPEN_OF_ONE = 0.6 * 0.05
"""Which share of all seeded signals is open and of the measured organisation."""

ROOM = 1.05
"""Shares are not hit to the last signal."""


def measure_desk(folder: Path, *, rounds: int) -> Iterator[Line]:
    """Queue at 10,000 open signals against 25, the poll beside it, and a signal against a bare page."""
    crowded = [_desk_of(folder / str(count), count) for count in (FEW, MANY)]
    signal = crowded[1][2]
    few, many = (_client(house, token) for house, token, _signal in crowded)
    news = f"/desk/news?since={today(SystemClock()) - timedelta(days=14)}&known=1"
    small, large, poll, bare, opened = interleaved(
        rounds,
        lambda: _get(few, "/desk"),
        lambda: _get(many, "/desk"),
        lambda: _get(many, news),
        lambda: _get(many, "/desk/search"),
        lambda: _get(many, f"/desk/signals/{signal}"),
    )
    against = f"queue page at {MANY:,} open signals of one organisation against {FEW}"
    yield Line(GROUP, against, large / small, at_most=1.3)
    yield Line(GROUP, f"queue page at {MANY:,}", large * 1e3, "ms")
    yield Line(GROUP, f"poll of the queue at {MANY:,}", poll * 1e3, "ms")
    what = "opening a signal against a bare page of somebody signed in"
    yield Line(GROUP, what, opened / bare, at_most=3)
    yield Line(GROUP, "opening a signal", opened * 1e3, "ms")


def _desk_of(folder: Path, count: int) -> tuple[House, str, UUID]:
    """Seed open signals in one organisation; return a session of its worker and the most urgent signal."""
    house = make_house(folder)
    crowd = seed_signals(house.engine(), int(count / OPEN_OF_ONE * ROOM))
    keystore = house.keystore()
    with Session(crowd.engine) as session:
        page = queue_page(session, organisation_id=crowd.organisation_id, limit=PAGE)
        ids = [signal.id for signal in page.items]
    seal_for_real(crowd, keystore, ids)
    token = _signed_in(crowd, AuditLog(keystore.secret("audit")), keystore)
    keystore.dispose()
    return house, token, ids[0]


def _signed_in(crowd: Crowd, audit: AuditLog, keystore: Keystore) -> str:
    clock = SystemClock()
    with session_factory(crowd.engine).begin() as session:
        new = add_staff(
            operation(session, clock, audit=audit, keystore=keystore),
            organisation_id=crowd.organisation_id,
            role=Role.WORKER,
            name="Bench",
            email="bench@example.org",
            password="a long sentence as a password",
            hasher=PasswordHasherSettings(memory_kib=1024),
        )
        token, _opened = open_session(session, new.member, "page", clock.now(), timedelta(hours=8))
    return token


def _client(house: House, token: str) -> FlaskClient:
    client = create_app(replace(house.settings, role=ProcessRole.DESK)).test_client()
    client.set_cookie("signals-desk", token)
    return client


def _get(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    if answer.status_code not in (200, 204):
        raise RuntimeError(f"{path} answered {answer.status_code}")
