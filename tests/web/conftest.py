"""An application with organisations, keys and a clock that stands still, for tests of pages and calls."""

import base64
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from migrations import upgrade
from privacy.keystore import open_keystore
from privacy.secret_files import load_master_key, write_new_secret_file
from signals.app import close_app, create_app
from signals.clock import Clock, FixedClock
from signals.db import make_engine, session_factory, transaction
from signals.keys.mailbox_keys import provision_mailbox_keys
from signals.organisations.onboarding import Agreement, create_organisation
from signals.routing.areas import Area
from signals.settings import (
    DatabaseSettings,
    FrontSettings,
    KeystoreSettings,
    RoutingSettings,
    Settings,
)
from signals.vocabulary import Environment, OrganisationKind, ProcessRole
from tests.support.catalogues import compile_catalogues
from tests.support.desk_side import (  # noqa: F401  (fixtures for the tests beside)
    Person,
    add_people,
    desk,
    desk_settings,
)

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
LONG_AGO = date(2024, 1, 1)
ORGANISATIONS = (
    ("Voorbeeld Welzijn Amsterdam", OrganisationKind.SOCIAL_WORK, "municipality", "GM0363"),
    ("Voorbeeld Welzijn Groningen", OrganisationKind.SOCIAL_WORK, "municipality", "GM0014"),
    ("GGD Amsterdam", OrganisationKind.GGD, "ggd_region", "GG3406"),
    ("GGD Groningen", OrganisationKind.GGD, "ggd_region", "GG0111"),
    ("GGD Zeeland", OrganisationKind.GGD, "ggd_region", "GG5006"),
    ("Landelijk meldpunt", OrganisationKind.NATIONAL, "national", "NL"),
)

MakeApp = Callable[[Settings], Flask]


@pytest.fixture(scope="session", autouse=True)
def _catalogues() -> None:
    compile_catalogues()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@dataclass(frozen=True, kw_only=True)
class Installation:
    """A folder with a filled database, keystore and secrets, to be copied for each test.

    `people` are its staff, by first name; `database_url`: of the database, where it is not the SQLite file in
    the folder.
    """

    folder: Path
    root_public_key: str
    people: Mapping[str, Person]
    database_url: str | None = None


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """Made once: to migrate and to add staff takes longer than most tests."""
    return fill_installation(tmp_path_factory.mktemp("installation"), FixedClock(NOW))


@pytest.fixture
def people(installation: Installation) -> Mapping[str, Person]:
    """The staff of the test's database."""
    return installation.people


@pytest.fixture
def engine(tmp_path: Path, installation: Installation) -> Iterator[Engine]:
    """A migrated SQLite database of the test's own, with `ORGANISATIONS` and `people` in it."""
    shutil.copytree(installation.folder, tmp_path, dirs_exist_ok=True)
    engine = make_engine(f"sqlite:///{tmp_path}/signals.db")
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


def fill_installation(folder: Path, clock: Clock, database_url: str | None = None) -> Installation:
    """Put database, keystore and secrets into a folder.

    `database_url`: of an empty database that is filled instead of a SQLite file in the folder.
    """
    write_new_secret_file(folder / "master.key")
    write_new_secret_file(folder / "front.key")
    engine = make_engine(database_url or f"sqlite:///{folder}/signals.db")
    keystore = open_keystore(f"sqlite:///{folder}/keystore.db", load_master_key(folder / "master.key"))
    upgrade(engine)
    keystore.create_schema()
    keystore.ensure_root()
    with transaction(session_factory(engine)) as session:
        _add_organisations(session)
        provision_mailbox_keys(session, clock, keystore=keystore)
        people = add_people(session, clock, keystore)
    root = base64.b64encode(keystore.root_public_key()).decode()
    engine.dispose()
    keystore.dispose()
    return Installation(folder=folder, root_public_key=root, people=people, database_url=database_url)


def settings_of(folder: Path, root_public_key: str) -> Settings:
    """Settings for what `fill_installation` made."""
    return Settings(
        role=ProcessRole.FRONT,
        environment=Environment.TEST,
        data_folder=folder,
        database=DatabaseSettings(url=f"sqlite:///{folder}/signals.db"),
        keystore=KeystoreSettings(
            url=f"sqlite:///{folder}/keystore.db", master_key_file=folder / "master.key"
        ),
        front=FrontSettings(secret_file=folder / "front.key", root_public_key=root_public_key),
        routing=RoutingSettings(refresh_seconds=0),
    )


def _add_organisations(session: Session) -> None:
    for name, kind, level, area in ORGANISATIONS:
        create_organisation(
            session,
            name=name,
            kind=kind,
            areas=[Area(level=level, area=area, valid_from=LONG_AGO)],
            agreement=Agreement(on=LONG_AGO, legal_basis="Wmo 2015, 2.1.2", retention_basis="Selectielijst"),
            recipients=["een@example.org", "twee@example.org"],
            recipients_verified_on=LONG_AGO,
            is_example=True,
        )
    session.flush()
