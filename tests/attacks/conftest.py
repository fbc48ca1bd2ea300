"""Give the attacks their worlds, and the pages and calls of `tests.web`, on both databases."""

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from sqlalchemy import Engine

from signals.clock import FixedClock
from signals.db import make_engine
from signals.settings import Settings
from tests.support.app_fixtures import clock, installation
from tests.support.desk_side import Person, desk, desk_settings, signal_id
from tests.support.installations import NOW, Installation, fill_installation, settings_of
from tests.support.kept_rows import bring_back, keep_rows
from tests.support.postgres import PostgresServer
from tests.support.two_processes import site

__all__ = ["clock", "desk", "desk_settings", "installation", "signal_id", "site"]


@pytest.fixture(scope="session")
def postgres_installation(
    postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Installation:
    """The same on PostgreSQL; its rows are brought back for each test."""
    folder, url = tmp_path_factory.mktemp("installation"), postgres_server.create_database("attacked")
    made = fill_installation(folder, FixedClock(NOW), url)
    engine = make_engine(url)
    keep_rows(engine)
    engine.dispose()
    return made


@pytest.fixture
def attacked(request: pytest.FixtureRequest) -> Installation:
    """The installation that is attacked: on SQLite, or where a test says so (`BOTH`) on PostgreSQL too."""
    made: Installation = request.getfixturevalue(getattr(request, "param", "installation"))
    return made


@pytest.fixture
def people(attacked: Installation) -> Mapping[str, Person]:
    return attacked.people


@pytest.fixture
def engine(attacked: Installation, tmp_path: Path) -> Iterator[Engine]:
    """Its database, as every test begins with it."""
    shutil.copytree(attacked.folder, tmp_path, dirs_exist_ok=True)
    engine = make_engine(attacked.database_url or f"sqlite:///{tmp_path}/signals.db")
    if attacked.database_url:
        bring_back(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def front_settings(attacked: Installation, engine: Engine, tmp_path: Path) -> Settings:
    return settings_of(tmp_path, attacked.root_public_key)
