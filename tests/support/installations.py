"""Fill a folder with a database, keystore and secrets for tests of pages and calls."""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from flask import Flask
from sqlalchemy.orm import Session

from migrations import upgrade
from privacy.keystore import open_keystore
from privacy.secret_files import load_master_key, write_new_secret_file
from signals.clock import Clock, FixedClock
from signals.db import make_engine, session_factory
from signals.issuer.tables import IssuerBase, make_issuer_engine
from signals.keys.mailbox_keys import provision_mailbox_keys
from signals.models import Organisation
from signals.models.sealed import seal_rows
from signals.organisations.onboarding import Agreement, create_organisation
from signals.routing.areas import Area
from signals.settings import DatabaseSettings, FrontSettings, KeystoreSettings, RoutingSettings, Settings
from signals.vocabulary import Environment, OrganisationKind, ProcessRole
from tests.support.desk_side import Person, add_people, desk, desk_settings  # noqa: F401  (fixtures for the tests beside)
from tests.support.going_live import live_since
from tests.support.operations import operation
from tests.support.token_side import GENEROUS, issuer_in

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


def fill_installation(folder: Path, clock: Clock, database_url: str | None = None) -> Installation:
    """Put database, keystore and secrets into a folder.

    `database_url`: of an empty database that is filled instead of a SQLite file in the folder.
    """
    write_new_secret_file(folder / "master.key")
    write_new_secret_file(folder / "front.key")
    write_new_secret_file(folder / "issuer.key")
    _make_issuer_tables(folder)
    engine = make_engine(database_url or f"sqlite:///{folder}/signals.db")
    keystore = open_keystore(f"sqlite:///{folder}/keystore.db", load_master_key(folder / "master.key"))
    upgrade(engine)
    keystore.create_schema()
    keystore.ensure_root()
    seal_rows(engine, keystore.secret)
    with session_factory(engine).begin() as session:
        long_ago = FixedClock(datetime(2024, 1, 1, 8, tzinfo=UTC))
        live_since(operation(session, long_ago, keystore=keystore), *_add_organisations(session))
        provision_mailbox_keys(operation(session, clock, keystore=keystore))
        people = add_people(session, clock, keystore)
    root = base64.b64encode(keystore.root_public_key()).decode()
    engine.dispose()
    keystore.dispose()
    return Installation(folder=folder, root_public_key=root, people=people, database_url=database_url)


def _make_issuer_tables(folder: Path) -> None:
    engine = make_issuer_engine(issuer_in(folder).database_url)
    IssuerBase.metadata.create_all(engine)
    engine.dispose()


def settings_of(folder: Path, root_public_key: str) -> Settings:
    """Return the settings of an installation that `fill_installation` made."""
    return Settings(
        role=ProcessRole.FRONT,
        environment=Environment.TEST,
        data_folder=folder,
        database=DatabaseSettings(url=f"sqlite:///{folder}/signals.db"),
        keystore=KeystoreSettings(
            url=f"sqlite:///{folder}/keystore.db", master_key_file=folder / "master.key"
        ),
        front=FrontSettings(
            secret_file=folder / "front.key",
            root_public_key=root_public_key,
            issuers_file=folder / "issuers.json",
        ),
        issuer=issuer_in(folder),
        limits=GENEROUS,
        routing=RoutingSettings(refresh_seconds=0),
    )


def _add_organisations(session: Session) -> list[Organisation]:
    return [
        create_organisation(
            session,
            name=name,
            kind=kind,
            areas=[Area(level=level, area=area, valid_from=LONG_AGO)],
            agreement=Agreement(on=LONG_AGO, legal_basis="Wmo 2015, 2.1.2", retention_basis="Selectielijst"),
            recipients=["een@example.org", "twee@example.org"],
            is_example=True,
        )
        for name, kind, level, area in ORGANISATIONS
    ]
