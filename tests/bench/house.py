"""A whole installation in a folder: settings, secrets, keys, organisations for the whole country."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from privacy.keystore import Keystore, open_keystore
from privacy.secret_files import load_master_key, write_new_secret_file
from signals.app import make_worker
from signals.clock import FixedClock
from signals.db import is_sqlite
from signals.models import Organisation
from signals.operations.installation import migrate, prepare_keystore
from signals.organisations.onboarding import Agreement, create_organisation
from signals.reference import ggd_regions, municipalities
from signals.routing.areas import Area
from signals.settings import Settings, load_settings
from signals.vocabulary import OrganisationKind
from tests.support.going_live import live_since
from tests.support.sealing import sealing_engine

OWN_ORGANISATIONS = 40
SINCE = datetime(2026, 1, 1, 8, tzinfo=UTC)
_AGREEMENT = Agreement(on=SINCE.date(), legal_basis="bench", retention_basis="bench")
_CONFIG = """\
role = "front"
environment = "test"
[server]
port = {port}
processes = 2
threads = 1
[database]
url = {database}
[keystore]
url = {keystore}
[front]
root_public_key = "{root}"
[limits]
openings_per_hour = 1000000000
open_reports_per_area_and_day = 10000000
unproven_reports_per_area_and_day = 10000000
unproven_reports_per_area_and_hour = 10000000
"""


@dataclass(frozen=True, kw_only=True)
class House:
    """An installation that is ready to serve; `config` is its settings file."""

    config: Path
    settings: Settings

    def engine(self) -> Engine:
        """Return a new engine on its database."""
        return sealing_engine(self.settings)

    def keystore(self) -> Keystore:
        """Open its keystore."""
        keystore = self.settings.keystore
        return open_keystore(keystore.url, load_master_key(keystore.master_key_file))


def make_house(
    folder: Path, database_url: str | None = None, keystore_url: str | None = None, *, port: int = 0
) -> House:
    """Build one in an empty folder. Its databases are empty; without urls they are files in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "config.toml"
    values = {
        "port": port,
        "database": json.dumps(database_url or f"sqlite:///{folder}/signals.db"),
        "keystore": json.dumps(keystore_url or f"sqlite:///{folder}/keystore.db"),
    }
    config.write_text(_CONFIG.format(root="", **values))
    settings = load_settings(config, {}, check=False)
    for secret in (settings.keystore.master_key_file, settings.front.secret_file):
        secret.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_new_secret_file(secret)
    root = base64.b64encode(prepare_keystore(settings)).decode()
    config.write_text(_CONFIG.format(root=root, **values))
    house = House(config=config, settings=load_settings(config, {}))
    _furnish(house)
    return house


def settle(engine: Engine) -> None:
    """Do what a database does in the background: statistics, and on PostgreSQL the visibility map."""
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.exec_driver_sql("ANALYZE" if is_sqlite(engine) else "VACUUM (ANALYZE)")


def _furnish(house: House) -> None:
    engine = house.engine()
    migrate(engine)
    worker = make_worker(house.settings, engine=engine)
    since = replace(worker, clock=FixedClock(SINCE))
    with since.begin() as operation:
        taken_on = [_take_on(operation.session, name, kind, area) for name, kind, area in _organisations()]
        live_since(operation, *taken_on)
    worker.provision_keys()
    worker.keystore.dispose()
    engine.dispose()


def _organisations() -> Iterator[tuple[str, OrganisationKind, tuple[str, str]]]:
    """The largest municipalities have one of their own, the GGDs receive for the others."""
    largest = sorted(municipalities().values(), key=lambda m: (-m.inhabitants, m.code))
    for municipality in largest[:OWN_ORGANISATIONS]:
        yield municipality.name, OrganisationKind.SOCIAL_WORK, ("municipality", municipality.code)
    for region in ggd_regions().values():
        yield f"GGD {region.name}", OrganisationKind.GGD, ("ggd_region", region.code)
    yield "National desk", OrganisationKind.NATIONAL, ("national", "NL")


def _take_on(session: Session, name: str, kind: OrganisationKind, area: tuple[str, str]) -> Organisation:
    return create_organisation(
        session,
        name=name,
        kind=kind,
        areas=[Area(level=area[0], area=area[1], valid_from=SINCE.date())],
        agreement=_AGREEMENT,
        recipients=["first@example.org", "second@example.org"],
    )
