"""Fixtures of the desk side, imported by the tests that want them: a migrated database, a session, a team."""

import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

import migrations
from privacy.passwords import PasswordHasherSettings
from signals.audit.log import Actor, AuditLog
from signals.clock import FixedClock
from signals.db import make_engine, session_factory
from signals.models import Organisation, Signal
from signals.models.sealed import seal_rows
from signals.operation import Operation
from signals.staff.identity import actor_for
from signals.vocabulary import Role, SignalState
from tests import factories
from tests.support.operations import operation

CHEAP = PasswordHasherSettings(memory_kib=8, time_cost=1)
"""Argon2 at next to no cost; what is tested is never its strength."""


By = Callable[[Actor], Operation]
"""Makes the operation of an actor, in the test's session."""


class PlainKeys:
    """The two things that desk code asks of a keystore, from memory; `case_keys` forgets what is deleted."""

    def __init__(self) -> None:
        self.gone: set[UUID] = set()

    def secret(self, name: str) -> bytes:
        return name.encode().ljust(32, b".")

    def case_keys(self, key_ids: Iterable[UUID]) -> dict[UUID, bytes]:
        return {key_id: key_id.bytes * 2 for key_id in key_ids if key_id not in self.gone}


@dataclass(frozen=True, kw_only=True)
class Team:
    """One organisation with two workers and a lead, as rows and as actors."""

    organisation: Organisation
    worker: Actor
    colleague: Actor
    lead: Actor

    def signal(self, state: SignalState = SignalState.NEW, **values: Any) -> Signal:
        """A signal of this organisation; one that is not new was claimed by the worker."""
        if state is not SignalState.NEW:
            values = {"claimed_by_id": self.worker.id, "claimed_at": factories.MOMENT} | values
        return factories.SignalFactory.create(organisation_id=self.organisation.id, state=state, **values)


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file at the newest migration, to be copied."""
    path = tmp_path_factory.mktemp("desk") / "migrated.db"
    engine = make_engine(f"sqlite:///{path}")
    migrations.upgrade(engine)
    engine.dispose()  # the last connection writes the WAL back
    return path


@pytest.fixture
def sqlite_engine(migrated_file: Path, tmp_path: Path) -> Iterator[Engine]:
    """A migrated SQLite database of the test's own."""
    path = tmp_path / "signals.db"
    shutil.copyfile(migrated_file, path)
    engine = make_engine(f"sqlite:///{path}")
    seal_rows(engine, PlainKeys().secret)
    yield engine
    engine.dispose()


@pytest.fixture
def session(sqlite_engine: Engine) -> Iterator[Session]:
    """An open session that the factories write to; never committed."""
    with session_factory(sqlite_engine)() as opened, factories.using(opened):
        yield opened


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(factories.MOMENT)


@pytest.fixture
def audit() -> AuditLog:
    return AuditLog(b"k" * 32)


@pytest.fixture
def keys() -> PlainKeys:
    return PlainKeys()


@pytest.fixture
def by(session: Session, clock: FixedClock, audit: AuditLog, keys: PlainKeys) -> By:
    """Return a function that makes the operation of an actor."""
    return lambda actor: operation(session, clock, actor, audit=audit, keystore=keys)


@pytest.fixture
def team(session: Session) -> Team:
    return new_team()


def new_team() -> Team:
    """A team in the factories' session."""
    organisation = factories.OrganisationFactory.create()
    worker, colleague = factories.StaffMemberFactory.create_batch(2, organisation=organisation)
    lead = factories.StaffMemberFactory.create(organisation=organisation, role=Role.LEAD)
    return Team(
        organisation=organisation,
        worker=actor_for(worker),
        colleague=actor_for(colleague),
        lead=actor_for(lead),
    )
