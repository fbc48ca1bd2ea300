"""A whole installation in a folder: settings, secrets, keys, organisations for the whole country."""

import base64
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from privacy.secret_files import write_new_secret_file
from signals.app import make_worker
from signals.db import make_engine
from signals.operations.installation import migrate, prepare_keystore
from signals.organisations.onboarding import Agreement, create_organisation
from signals.reference import ggd_regions, municipalities
from signals.routing.areas import Area
from signals.settings import Settings, load_settings
from signals.vocabulary import OrganisationKind

PROJECT = Path(__file__).resolve().parents[2]
OWN_ORGANISATIONS = 40
SINCE = date(2026, 1, 1)
_AGREEMENT = Agreement(on=SINCE, legal_basis="bench", retention_basis="bench")
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
open_reports_per_area_and_day = 10000000
"""


@dataclass(frozen=True, kw_only=True)
class House:
    """An installation that is ready to serve; `config` is its settings file."""

    config: Path
    settings: Settings

    def engine(self) -> Engine:
        """A new engine on its database."""
        return make_engine(self.settings.database.url)


def make_house(folder: Path, *, database_url: str, keystore_url: str, port: int = 0) -> House:
    """Build one in an empty folder; its databases are empty, too."""
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "config.toml"
    _write_config(config, port=port, database=database_url, keystore=keystore_url, root=b"")
    settings = load_settings(config, {}, check=False)
    for secret in (settings.keystore.master_key_file, settings.front.secret_file):
        secret.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_new_secret_file(secret)
    root = prepare_keystore(settings)
    _write_config(config, port=port, database=database_url, keystore=keystore_url, root=root)
    house = House(config=config, settings=load_settings(config, {}))
    _furnish(house)
    return house


def clean_environment() -> dict[str, str]:
    """For processes of the bench: none of the settings of who runs it, and this checkout's code."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SIGNALS_")}
    return kept | {"PYTHONPATH": str(PROJECT)}


def _write_config(path: Path, *, port: int, database: str, keystore: str, root: bytes) -> None:
    encoded = base64.b64encode(root).decode()
    path.write_text(
        _CONFIG.format(port=port, database=json.dumps(database), keystore=json.dumps(keystore), root=encoded)
    )


def _furnish(house: House) -> None:
    engine = house.engine()
    migrate(engine)
    worker = make_worker(house.settings, engine=engine)
    with worker.sessions.begin() as session:
        for name, kind, area in _organisations():
            _take_on(session, name, kind, area)
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


def _take_on(session: Session, name: str, kind: OrganisationKind, area: tuple[str, str]) -> None:
    create_organisation(
        session,
        name=name,
        kind=kind,
        areas=[Area(level=area[0], area=area[1], valid_from=SINCE)],
        agreement=_AGREEMENT,
        recipients=["first@example.org", "second@example.org"],
        recipients_verified_on=SINCE,
    )
