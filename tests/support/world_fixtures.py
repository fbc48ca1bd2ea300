"""Fixtures: worlds on both databases, copies of one template; imported by the conftests that want them."""

import io
import logging
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from signals.db import make_engine
from tests.support.catalogues import compile_catalogues
from tests.support.kept_rows import bring_back, keep_rows
from tests.support.postgres import PostgresServer
from tests.support.world import World, fill_another, make_template, make_world

_numbers = count(1)


@pytest.fixture(scope="session", autouse=True)
def catalogues() -> None:
    compile_catalogues()


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files of a world."""
    folder = tmp_path_factory.mktemp("world")
    make_template(folder)
    return folder


@pytest.fixture(scope="session")
def postgres_template(postgres_server: PostgresServer, template: Path) -> str:
    """The url of a PostgreSQL database with the rows of a world, and these again in a schema beside."""
    url = postgres_server.create_database(f"world_{next(_numbers)}")
    engine = make_engine(url)
    fill_another(engine, template)
    keep_rows(engine)
    engine.dispose()
    return url


@pytest.fixture
def postgres_world_url(postgres_template: str) -> str:
    """Bring the database back to the rows of a world."""
    engine = make_engine(postgres_template)
    bring_back(engine)
    engine.dispose()
    return postgres_template


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest) -> str | None:
    """The url of a database with the rows of a world; None stands for the SQLite file of the world itself."""
    if request.param == "sqlite":
        return None
    url: str = request.getfixturevalue("postgres_world_url")
    return url


@pytest.fixture
def world(template: Path, tmp_path: Path, database_url: str | None) -> Iterator[World]:
    """A world on SQLite, and again on PostgreSQL."""
    made = make_world(template, tmp_path, database_url)
    yield made
    made.close()


@pytest.fixture
def sqlite_world(template: Path, tmp_path: Path) -> Iterator[World]:
    """Make a world on SQLite only, for tests in which the database has no part."""
    made = make_world(template, tmp_path)
    yield made
    made.close()


@pytest.fixture
def postgres_world(template: Path, tmp_path: Path, postgres_world_url: str) -> Iterator[World]:
    """Make a world on PostgreSQL only, for tests of parts that SQLite has not."""
    made = make_world(template, tmp_path, postgres_world_url)
    yield made
    made.close()


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Collect the log of the application at DEBUG; restore logging afterwards."""
    root = logging.getLogger()
    before, level, raising = root.handlers[:], root.level, logging.raiseExceptions
    stream = io.StringIO()
    yield stream
    root.handlers[:], logging.raiseExceptions = before, raising
    root.setLevel(level)
