"""An installation with its backups, and four signals that had their fate after the night's copy."""

import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from unittest.mock import patch

import pytest
import time_machine
from click.testing import CliRunner, Result
from sqlalchemy import make_url

from privacy.keystore import open_keystore
from privacy.secret_files import load_master_key
from signals.casework.referral import refer
from signals.cli import main
from signals.db import make_engine
from signals.models import Signal
from signals.operations import database_roles as grants
from signals.routing.postcodes import Address
from signals.settings import DatabaseSettings, KeystoreSettings, RetentionSettings
from signals.vocabulary import DeletionReason, ReferralReason
from tests.support.fences import OWNER, ROLES, make_owner, worker_of
from tests.support.moved_keystore import moved_keystore
from tests.support.postgres import SUPERUSER, PostgresServer
from tests.support.sealing import sealing_engine
from tests.support.world import (
    AMSTERDAM,
    GRONINGEN,
    IN_AMSTERDAM,
    IN_GRONINGEN,
    World,
    fill_another,
    make_world,
)

BACKUP_ROLE = "signals_backup"


NIGHT = datetime(2026, 11, 25, 2, 17, tzinfo=UTC)


NIGHT_COPY = "20261125T021700Z"


_numbers = count(1)


def at(now: datetime, *arguments: str) -> Result:
    """Run a command at a moment; PostgreSQL's clock cannot travel along, so nothing compares with it."""
    same = patch("signals.clock_guard.time_apart", return_value=timedelta(0))
    with time_machine.travel(now, tick=False), same:
        return CliRunner().invoke(main, list(arguments))


@dataclass(kw_only=True)
class Site:
    """An installation and its backups; `world` is opened anew after a restore."""

    world: World
    backups: Path
    server: PostgresServer | None
    monkeypatch: pytest.MonkeyPatch

    def back_up(self, now: datetime = NIGHT, *options: str) -> None:
        self.speak_as(BACKUP_ROLE)
        assert at(now, "backup", "--to", str(self.backups), *options).exit_code == 0

    def restore(self, database: Path, keystore: Path, now: datetime = NIGHT) -> Result:
        self.speak_as(OWNER)
        return at(now, "restore", "--database", str(database), "--keystore", str(keystore))

    def lose_everything(self) -> None:
        """Both databases are gone, and so is the journal of the machine."""
        self.world.close()
        self.world.settings.retention.journal_file.unlink(missing_ok=True)
        for url in (self.world.settings.database.url, self.world.settings.keystore.url):
            if self.server:
                name = database_name(url)
                self.server.drop_database(name)
                self.server.create_database(name)
                make_owner(self.server, name)
            else:
                for file in Path(url.removeprefix("sqlite:///")).parent.glob(f"{Path(url).name}*"):
                    file.unlink()

    def reopen(self) -> None:
        settings = self.world.settings
        master = load_master_key(settings.keystore.master_key_file)
        self.world = replace(
            self.world,
            engine=sealing_engine(settings),
            keystore=open_keystore(settings.keystore.url, master),
        )

    def said(self, *arguments: str, role: str = ROLES.worker) -> Result:
        self.speak_as(role)
        return CliRunner().invoke(main, list(arguments))

    def command(self, *arguments: str, role: str = ROLES.worker) -> Result:
        done = self.said(*arguments, role=role)
        assert done.exit_code == 0, done.output
        return done

    def copies(self, kind: str) -> list[Path]:
        folder = self.backups / kind
        return sorted(folder.iterdir()) if folder.is_dir() else []

    def speak_as(self, role: str) -> None:
        settings = self.world.settings
        self.monkeypatch.setenv("SIGNALS__DATABASE__URL", _as(settings.database.url, role))
        keeper = OWNER if role in ROLES.names else role
        self.monkeypatch.setenv("SIGNALS__KEYSTORE__URL", _as(settings.keystore.url, keeper))
        self.monkeypatch.setenv("SIGNALS__KEYSTORE__MASTER_KEY_FILE", str(settings.keystore.master_key_file))
        self.monkeypatch.setenv("SIGNALS__RETENTION__JOURNAL_FILE", str(settings.retention.journal_file))


@dataclass(frozen=True, kw_only=True)
class Cases:
    """Five concerns and what becomes of them after the backup."""

    purged: Signal
    referred: Signal
    referred_and_purged: Signal
    kept: Signal


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def site(
    request: pytest.FixtureRequest, template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Site]:
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.chdir(tmp_path)
    server = request.getfixturevalue("postgres_server") if request.param == "postgresql" else None
    if server:
        monkeypatch.setenv("PATH", f"{server.programs}{os.pathsep}{os.environ['PATH']}")
    made = Site(
        world=_postgres_world(server, template, folder) if server else _sqlite_world(template, folder),
        backups=tmp_path / "backups",
        server=server,
        monkeypatch=monkeypatch,
    )
    yield made
    made.world.close()


@pytest.fixture
def cases(site: Site) -> Cases:
    """Four signals that arrived, and a report that still waits in its mailbox; all in the night's backup."""
    world = site.world
    for number in range(1, 5):
        world.receive(number, house(number))
    worker_of(world).arrive()
    world.receive(5, IN_GRONINGEN)
    site.back_up()
    signals = world.addresses()
    found = Cases(
        purged=signals[house(1)],
        referred=signals[house(2)],
        referred_and_purged=signals[house(3)],
        kept=signals[house(4)],
    )
    _refer(world, found.referred.id)
    _refer(world, found.referred_and_purged.id)
    retention = worker_of(world).retention()
    gone = [found.purged.id, found.referred_and_purged.id]
    assert retention.purge_now(world.clock, gone, DeletionReason.ERASURE) == 2
    site.back_up(NIGHT + timedelta(hours=9), "--journal")
    return found


def _sqlite_world(template: Path, folder: Path) -> World:
    return _with_journal(make_world(template, folder))


def _postgres_world(server: PostgresServer, template: Path, folder: Path) -> World:
    """Database and keystore each a database of PostgreSQL, made by an owner, with the roles of production."""
    number = next(_numbers)
    names = [f"backed_up_{number}", f"keys_{number}"]
    for name in names:
        server.create_database(name)
        make_owner(server, name)
    database, keys = (server.url(name) for name in names)
    owner = make_engine(_as(database, OWNER))
    fill_another(owner, template)
    grants.apply(owner, ROLES, create=True)
    owner.dispose()
    for role in ROLES.names:
        server.execute(f"ALTER ROLE {role} LOGIN")
    if not server.execute(f"SELECT 1 FROM pg_roles WHERE rolname = '{BACKUP_ROLE}'"):
        server.execute(f"CREATE ROLE {BACKUP_ROLE} LOGIN BYPASSRLS IN ROLE pg_read_all_data")
    world = make_world(template, folder, database)
    world.keystore.dispose()
    keystore = moved_keystore(folder, _as(keys, OWNER))
    settings = replace(
        world.settings,
        database=DatabaseSettings(url=database),
        keystore=KeystoreSettings(url=_as(keys, OWNER), master_key_file=folder / "master.key"),
    )
    return _with_journal(replace(world, keystore=keystore, settings=settings))


def _with_journal(world: World) -> World:
    retention = RetentionSettings(journal_file=world.folder / "deletions.journal")
    return replace(world, settings=replace(world.settings, retention=retention))


def database_name(url: str) -> str:
    return make_url(url).database or ""


def _as(url: str, role: str) -> str:
    for other in (SUPERUSER, OWNER):
        url = url.replace(f"//{other}@", f"//{role}@", 1)
    return url


def house(number: int) -> Address:
    return replace(IN_AMSTERDAM, number=number)


def _refer(world: World, signal_id: uuid.UUID) -> None:
    with world.sessions.begin() as session:
        refer(
            world.operation(session, world.staff(AMSTERDAM)),
            signal_id=signal_id,
            to_organisation_id=GRONINGEN,
            reason=ReferralReason.OUTSIDE_AREA,
        )
