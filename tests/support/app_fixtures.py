"""Fixtures of an application with organisations, keys and a clock that stands still."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine

from signals.app import close_app, create_app
from signals.clock import FixedClock
from signals.settings import Settings
from signals.vocabulary import ProcessRole
from tests.support.desk_side import Person
from tests.support.installations import NOW, Installation, MakeApp, fill_installation, settings_of
from tests.support.sealing import sealing_engine


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """Make the installation once: to migrate and to add staff takes longer than most tests."""
    return fill_installation(tmp_path_factory.mktemp("installation"), FixedClock(NOW))


@pytest.fixture
def people(installation: Installation) -> Mapping[str, Person]:
    """The staff of the test's database."""
    return installation.people


@pytest.fixture
def engine(tmp_path: Path, installation: Installation) -> Iterator[Engine]:
    """A migrated SQLite database of the test's own, with `ORGANISATIONS` and `people` in it."""
    shutil.copytree(installation.folder, tmp_path, dirs_exist_ok=True)
    engine = sealing_engine(settings_of(tmp_path, installation.root_public_key))
    yield engine
    engine.dispose()


@pytest.fixture
def front_settings(tmp_path: Path, engine: Engine, installation: Installation) -> Settings:
    """Settings of a front; limits and the like by `replace`."""
    return settings_of(tmp_path, installation.root_public_key)


@pytest.fixture
def make_app(engine: Engine, clock: FixedClock) -> Iterator[MakeApp]:
    """Build applications on the test's database from changed settings, and close them afterwards."""
    with ExitStack() as opened:

        def make(settings: Settings) -> Flask:
            app = create_app(settings, clock=clock, engine=engine)
            opened.callback(close_app, app)
            return app

        yield make


@pytest.fixture
def make_front(make_app: MakeApp) -> MakeApp:
    """Build public sides on the test's database from changed settings."""
    return lambda settings: make_app(replace(settings, role=ProcessRole.FRONT))


@pytest.fixture
def front_app(make_front: MakeApp, front_settings: Settings) -> Flask:
    """The public side of `ORGANISATIONS` at `NOW`."""
    return make_front(front_settings)


@pytest.fixture
def client(front_app: Flask) -> FlaskClient:
    return front_app.test_client()
