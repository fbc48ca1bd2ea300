"""A PostgreSQL database with an owner and the three roles of `signals db grants`, as in production."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import Engine

from notifications.channels.memory import MemoryChannel
from signals.app import make_worker
from signals.db import make_engine
from signals.operations import database_roles as grants
from signals.operations.database_roles import Roles
from signals.operations.jobs import Worker
from signals.settings import RetentionSettings
from tests.support.kept_rows import bring_back
from tests.support.postgres import SUPERUSER, PostgresServer
from tests.support.world import World, fill_another, make_world

OWNER = "signals_owner"
ROLES = Roles()
_numbers = count(1)


@dataclass(frozen=True, kw_only=True)
class FencedDatabase:
    """One database, reached as whoever; its rows are brought back by `reset`."""

    server: PostgresServer
    name: str

    def url(self, role: str = SUPERUSER) -> str:
        """The address of the database for a role."""
        return self.server.url(self.name).replace(f"//{SUPERUSER}@", f"//{role}@", 1)

    def engine(self, role: str = SUPERUSER) -> Engine:
        """An engine of one connection, which is given out again and again."""
        return make_engine(self.url(role), pool_size=1)

    def reset(self) -> None:
        """The rows that every world begins with."""
        engine = self.engine()
        bring_back(engine)
        engine.dispose()


@dataclass(frozen=True, kw_only=True)
class FencedWorld:
    """A world of which each process works as its own role; `all_seeing` is nobody's but the test's."""

    database: FencedDatabase
    all_seeing: World
    front: World
    desk: World
    worker: World


@pytest.fixture(scope="session")
def fenced_database(postgres_server: PostgresServer, template: Path) -> FencedDatabase:
    """Migrate a database with an owner who is no superuser, and roles that may log in."""
    name = f"fenced_{next(_numbers)}"
    postgres_server.create_database(name)
    make_owner(postgres_server, name)
    database = FencedDatabase(server=postgres_server, name=name)
    owner = database.engine(OWNER)
    fill_another(owner, template)
    grants.apply(owner, ROLES, create=True)
    owner.dispose()
    for role in ROLES.names:
        postgres_server.execute(f"ALTER ROLE {role} LOGIN")
    postgres_server.execute("CREATE SCHEMA kept", name)
    for table in postgres_server.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public'", name
    ).splitlines():
        postgres_server.execute(f'CREATE TABLE kept."{table}" AS TABLE public."{table}"', name)
    return database


@pytest.fixture
def fenced_world(fenced_database: FencedDatabase, template: Path, tmp_path: Path) -> Iterator[FencedWorld]:
    """An installation at `NOW`, each process as its own role."""
    fenced_database.reset()
    worlds = [make_world(template, tmp_path, fenced_database.url())]
    for role in ROLES.names:
        settings = worlds[0].settings
        url = fenced_database.url(role)
        worlds.append(
            replace(
                worlds[0],
                engine=make_engine(url, pool_size=1),
                settings=replace(settings, database=replace(settings.database, url=url)),
            )
        )
    all_seeing, front, desk, worker = worlds
    yield FencedWorld(database=fenced_database, all_seeing=all_seeing, front=front, desk=desk, worker=worker)
    for world in worlds:
        world.close()


def worker_of(world: World) -> Worker:
    """The jobs as the world's own role, sending to memory."""
    retention = RetentionSettings(journal_file=world.folder / "deletions.journal")
    made = make_worker(replace(world.settings, retention=retention), clock=world.clock, engine=world.engine)
    made.keystore.dispose()
    return replace(made, keystore=world.keystore, channels={"email": MemoryChannel()})


def make_owner(server: PostgresServer, database: str) -> None:
    """Give a database to an owner who is no superuser."""
    if not server.execute(f"SELECT 1 FROM pg_roles WHERE rolname = '{OWNER}'"):
        server.execute(f"CREATE ROLE {OWNER} LOGIN CREATEROLE")
    server.execute(f'ALTER DATABASE "{database}" OWNER TO {OWNER}')
