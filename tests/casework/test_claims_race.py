"""Test two people at the same moment, on both databases: one wins, and the other learns it."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar
from uuid import UUID

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session, sessionmaker

import migrations
from signals import casework
from signals.audit.log import Actor, AuditLog
from signals.casework.queue import queue_page, state_counts
from signals.clock import FixedClock
from signals.db import make_engine, session_factory
from signals.errors import ClaimedByOther, SignInFailed, StaleVersion
from signals.models import Signal, StatusChange
from signals.models.sealed import seal_rows
from signals.vocabulary import SignalState
from tests import factories
from tests.support.desk_fixtures import PlainKeys, Team, new_team
from tests.support.operations import operation

Result = TypeVar("Result")
CLOCK = FixedClock(factories.MOMENT)
AUDIT = AuditLog(b"k" * 32)
AT_ONCE = 6


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite_engine")
        return
    made = make_engine(request.getfixturevalue("postgres_url"), pool_size=AT_ONCE)
    migrations.upgrade(made)
    seal_rows(made, PlainKeys().secret)
    yield made
    made.dispose()


@pytest.fixture
def sessions(engine: Engine) -> sessionmaker[Session]:
    return session_factory(engine)


@pytest.fixture
def team(sessions: sessionmaker[Session]) -> Team:
    with sessions.begin() as session, factories.using(session):
        return new_team()


def new_signal(sessions: sessionmaker[Session], team: Team) -> UUID:
    with sessions.begin() as session, factories.using(session):
        return team.signal().id


def at_once(attempts: list[Callable[[], Result]]) -> list[Result | Exception]:
    """Run all from threads that start together; return what each returned or raised."""
    start = Barrier(len(attempts))

    def run(attempt: Callable[[], Result]) -> Result | Exception:
        start.wait(timeout=20)
        try:
            return attempt()
        except (ClaimedByOther, StaleVersion, SignInFailed) as refused:
            return refused

    with ThreadPoolExecutor(len(attempts)) as pool:
        return list(pool.map(run, attempts))


def claiming(
    sessions: sessionmaker[Session], signal_id: UUID, actor: Actor, version: int | None = None
) -> Callable[[], UUID]:
    def attempt() -> UUID:
        with sessions.begin() as session:
            begun = operation(session, CLOCK, actor, audit=AUDIT)
            signal = casework.claim(begun, signal_id=signal_id, expected_version=version)
            assert signal.claimed_by_id is not None
            return signal.claimed_by_id

    return attempt


def history(sessions: sessionmaker[Session], signal_id: UUID) -> list[StatusChange]:
    with sessions() as session:
        found = select(StatusChange).where(StatusChange.signal_id == signal_id)
        return list(session.scalars(found.order_by(StatusChange.sequence)))


def test_one_of_two_simultaneous_claims_wins_and_the_other_names_the_winner(
    sessions: sessionmaker[Session], team: Team
) -> None:
    for _ in range(5):
        signal_id = new_signal(sessions, team)
        results = at_once([claiming(sessions, signal_id, actor) for actor in (team.worker, team.colleague)])
        (winner,) = (result for result in results if isinstance(result, UUID))
        (refused,) = (result for result in results if isinstance(result, ClaimedByOther))
        names = {team.worker.id: team.worker.name, team.colleague.id: team.colleague.name}
        assert (refused.claimed_by, refused.claimed_at) == (names[winner], factories.MOMENT)
        (change,) = history(sessions, signal_id)
        assert change.actor_id == winner


def test_one_of_many_changes_on_one_version_passes(sessions: sessionmaker[Session], team: Team) -> None:
    signal_id = new_signal(sessions, team)
    actors = [team.worker, team.colleague] * (AT_ONCE // 2)
    results = at_once([claiming(sessions, signal_id, actor, version=1) for actor in actors])
    assert len([result for result in results if isinstance(result, UUID)]) == 1
    assert len([result for result in results if isinstance(result, StaleVersion)]) == AT_ONCE - 1
    with sessions() as session:
        signal = session.get_one(Signal, signal_id)
        assert (signal.state, signal.version) == (SignalState.CLAIMED, 2)


def test_a_page_of_the_queue_comes_in_the_same_order_on_every_database(
    sessions: sessionmaker[Session], team: Team
) -> None:
    made = [new_signal(sessions, team) for _ in range(7)]
    found: list[UUID] = []
    cursor = None
    with sessions() as session:
        while True:
            page = queue_page(session, organisation_id=team.organisation.id, limit=3, cursor=cursor)
            found += [signal.id for signal in page.items]
            cursor = page.next_cursor
            if cursor is None:
                break
        assert found == sorted(made)
        assert state_counts(session, organisation_id=team.organisation.id)[SignalState.NEW] == 7
