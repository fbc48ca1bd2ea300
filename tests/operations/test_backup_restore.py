"""What is forgotten stays forgotten when backups are put back, and nothing that lives is lost.

The scripts are those of docs/deploy, on SQLite and on a real PostgreSQL with the roles of production.
"""

import os
import shutil
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pyotp
import pytest
import time_machine
from click.testing import CliRunner, Result
from flask import Flask
from sqlalchemy import make_url, select, text

from privacy.keystore import KeyGone, open_keystore
from privacy.secret_files import load_master_key
from signals.casework.referral import refer
from signals.cli import main
from signals.db import make_engine
from signals.errors import ContentGone
from signals.intake.content import open_report
from signals.keys.opening import KeysUnusable
from signals.models import AccountLink, Passkey, SealedReport, Signal, StaffMember, StaffSession
from signals.operations import backup
from signals.operations import database_roles as grants
from signals.routing.postcodes import Address
from signals.settings import DatabaseSettings, KeystoreSettings, RetentionSettings
from signals.staff.accounts import add_staff, disable, set_role
from signals.staff.change_messages import AccountSettings
from signals.staff.recovery import link_token, mail_link, recover
from signals.staff.sessions import open_session
from signals.vocabulary import DeletionReason, ProcessRole, ReferralReason, Role
from tests.support.desk_side import PASSWORD, QUICK
from tests.support.fences import OWNER, ROLES, make_owner, worker_of
from tests.support.moved_keystore import moved_keystore
from tests.support.postgres import SUPERUSER, PostgresServer
from tests.support.sealing import sealing_engine
from tests.support.world import (
    AMSTERDAM,
    GRONINGEN,
    IN_AMSTERDAM,
    IN_GRONINGEN,
    NOW,
    World,
    fill_another,
    make_world,
)

BACKUP_ROLE = "signals_backup"
NIGHT = datetime(2026, 11, 25, 2, 17, tzinfo=UTC)
PHONE: dict[str, Any] = {
    "label": "a phone",
    "credential_id": b"a credential",
    "public_key": b"a key",
    "sign_count": 1,
    "created_on": NIGHT.date(),
}
MAILING = AccountSettings(site="http://desk.example", hasher=QUICK)
NIGHT_COPY = "20261125T021700Z"
_numbers = count(1)


@pytest.fixture(autouse=True)
def umask() -> Iterator[None]:
    """The scripts tighten the umask of their process, which here is the tests' own."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def at(now: datetime, *arguments: str) -> Result:
    """Run a command at a moment."""
    with time_machine.travel(now, tick=False):
        return CliRunner().invoke(main, list(arguments))


@dataclass(kw_only=True)
class Site:
    """An installation and its backups; `world` is opened anew after a restore."""

    world: World
    backups: Path
    server: PostgresServer | None
    monkeypatch: pytest.MonkeyPatch

    def back_up(self, now: datetime = NIGHT, *options: str) -> None:
        self._speak_as(BACKUP_ROLE)
        assert at(now, "backup", "--to", str(self.backups), *options).exit_code == 0

    def restore(self, database: Path, keystore: Path, now: datetime = NIGHT) -> Result:
        self._speak_as(OWNER)
        return at(now, "restore", "--database", str(database), "--keystore", str(keystore))

    def lose_everything(self) -> None:
        """Both databases are gone, and so is the journal of the machine."""
        self.world.close()
        self.world.settings.retention.journal_file.unlink(missing_ok=True)
        for url in (self.world.settings.database.url, self.world.settings.keystore.url):
            if self.server:
                name = _name(url)
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
        self._speak_as(role)
        return CliRunner().invoke(main, list(arguments))

    def command(self, *arguments: str, role: str = ROLES.worker) -> Result:
        done = self.said(*arguments, role=role)
        assert done.exit_code == 0, done.output
        return done

    def copies(self, kind: str) -> list[Path]:
        folder = self.backups / kind
        return sorted(folder.iterdir()) if folder.is_dir() else []

    def _speak_as(self, role: str) -> None:
        settings = self.world.settings
        self.monkeypatch.setenv("SIGNALS__DATABASE__URL", _as(settings.database.url, role))
        keeper = OWNER if role in ROLES.names else role
        self.monkeypatch.setenv("SIGNALS__KEYSTORE__URL", _as(settings.keystore.url, keeper))
        self.monkeypatch.setenv("SIGNALS__KEYSTORE__MASTER_KEY_FILE", str(settings.keystore.master_key_file))
        self.monkeypatch.setenv("SIGNALS__RETENTION__JOURNAL_FILE", str(settings.retention.journal_file))


class Somebody:
    """A lead with a session for programs."""

    def __init__(self, site: Site, name: str) -> None:
        self.email, self._site, world = f"{name}@example.org", site, site.world
        with world.sessions.begin() as session:
            made = add_staff(
                world.operation(session),
                organisation_id=AMSTERDAM,
                role=Role.LEAD,
                name=name,
                email=self.email,
                password=PASSWORD,
                hasher=QUICK,
            )
            self.id, self._secret = made.member.id, made.totp_secret
            self._token, opened = open_session(session, made.member, "api", NOW, timedelta(hours=12))
            session.flush()
            self.session_id = opened.id

    def me(self, desk: Flask) -> int:
        headers = {"Authorization": f"Bearer {self._token}"}
        return desk.test_client().get("/api/v1/me", headers=headers).status_code

    def sign_in(self, desk: Flask) -> str:
        """Return the role with which the password of before gets in; empty when it does not."""
        code = pyotp.TOTP(self._secret).at(self._site.world.clock.now())
        form = {"email": self.email, "password": PASSWORD, "totp": code}
        found = desk.test_client().post("/api/v1/sessions", json=form)
        return str(found.get_json().get("role", ""))


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
        world.receive(number, _house(number))
    worker_of(world).arrive()
    world.receive(5, IN_GRONINGEN)
    site.back_up()
    signals = world.addresses()
    found = Cases(
        purged=signals[_house(1)],
        referred=signals[_house(2)],
        referred_and_purged=signals[_house(3)],
        kept=signals[_house(4)],
    )
    _refer(world, found.referred.id)
    _refer(world, found.referred_and_purged.id)
    retention = worker_of(world).retention()
    gone = [found.purged.id, found.referred_and_purged.id]
    assert retention.purge_now(world.clock, gone, DeletionReason.ERASURE) == 2
    site.back_up(NIGHT + timedelta(hours=9), "--journal")
    return found


def test_what_was_revoked_since_the_copy_stays_revoked(site: Site) -> None:
    world = site.world
    desk = world.app(ProcessRole.DESK)
    names = ("disabled", "demoted", "changed", "signs_out", "passkey", "link")
    people = {name: Somebody(site, name) for name in names}
    with world.sessions.begin() as session:
        session.add(Passkey(staff_member_id=people["passkey"].id, **PHONE))
        owner = session.get_one(StaffMember, people["link"].id)
        mail_link(world.operation(session), MAILING, owner, "recovery")
        link = link_token(world.keystore, session.scalars(select(AccountLink.id)).one())
    site.back_up()
    with world.sessions.begin() as session:
        operation = world.operation(session)
        of = {name: session.get_one(StaffMember, one.id) for name, one in people.items()}
        disable(operation, of["disabled"])
        set_role(operation, of["demoted"], Role.WORKER)
        recover(operation, settings=MAILING, member=of["changed"])
        session.get_one(StaffSession, people["signs_out"].session_id).revoked_at = NIGHT
        session.delete(session.scalars(select(Passkey)).one())
    assert [one.me(desk) for one in people.values()] == [401, 401, 401, 401, 200, 200]
    site.back_up(NIGHT + timedelta(hours=1), "--journal")

    restore(site)
    with pytest.raises(KeysUnusable, match="a restore is not finished"):
        site.world.app(ProcessRole.DESK)
    refused = site.said("staff", "token", people["link"].email, "--label", "x")
    assert "a restore is not finished" in refused.output
    done = site.command("retention", "replay", *map(str, site.copies("journal")))
    assert "3 restored accounts changed again" in done.output
    desk = site.world.app(ProcessRole.DESK)
    assert {one.me(desk) for one in people.values()} == {401}
    signed_in = {name: one.sign_in(desk) for name, one in people.items()}
    assert signed_in == dict.fromkeys(names, "lead") | {"disabled": "", "demoted": "worker", "changed": ""}
    assert desk.test_client().post("/desk/account/link", data={"token": link}).status_code == 410
    with site.world.sessions() as session:
        assert session.scalars(select(Passkey)).all() == []


def test_a_restore_forgets_again_and_loses_nothing_that_lives(site: Site, cases: Cases) -> None:
    restore(site)
    assert _readable(site.world, cases.purged) == _house(1), "the backup alone does bring it back"
    (journal,) = site.copies("journal")
    done = site.command("retention", "replay", str(journal))
    assert "2 restored signals purged again, 2 restored keys destroyed again" in done.output
    assert _readable(site.world, cases.purged) is None
    assert _readable(site.world, cases.referred_and_purged) is None
    for key_id in (cases.purged.case_key_id, cases.referred_and_purged.case_key_id):
        with pytest.raises(KeyGone):
            site.world.keystore.case_key(key_id)
    assert _readable(site.world, cases.kept) == _house(4)
    assert _readable(site.world, cases.referred) == _house(2)


def test_a_report_that_waited_during_the_backup_arrives_after_the_restore(site: Site, cases: Cases) -> None:
    restore(site)
    site.command("retention", "replay", *map(str, site.copies("journal")))
    with site.world.sessions() as session:
        waiting = select(SealedReport.signal_id)
        (signal_id,) = session.scalars(waiting)
    assert worker_of(site.world).arrive() == 1
    assert {signal.id: address for address, signal in site.world.addresses().items()}[
        signal_id
    ] == IN_GRONINGEN


def test_replaying_twice_changes_nothing_more(site: Site, cases: Cases) -> None:
    restore(site)
    (journal,) = site.copies("journal")
    site.command("retention", "replay", str(journal))
    assert "0 restored signals purged again" in site.command("retention", "replay", str(journal)).output


def test_a_forgotten_signal_stays_forgotten_when_a_second_restore_brings_back_an_older_copy(
    site: Site, cases: Cases
) -> None:
    """The machine of the journal was lost, and on the new one it begins anew: the copy keeps its lines."""
    after = NIGHT + timedelta(days=1)
    site.back_up(after)
    first_night, second_night = _pair(site, NIGHT_COPY), _pair(site, "20261126T021700Z")
    restore(site, database=second_night[0], keystore=second_night[1])
    site.command("retention", "replay", *map(str, site.copies("journal")))
    retention = worker_of(site.world).retention()
    assert retention.purge_now(site.world.clock, [cases.kept.id], DeletionReason.ERASURE) == 1
    site.back_up(after + timedelta(hours=1), "--journal")
    restore(site, database=first_night[0], keystore=first_night[1])
    assert _readable(site.world, cases.purged) == _house(1), "the backup alone does bring it back"
    site.command("retention", "replay", *map(str, site.copies("journal")))
    for case in (cases.purged, cases.referred_and_purged, cases.kept):
        assert _readable(site.world, case) is None
    assert _readable(site.world, cases.referred) == _house(2)


def test_a_replay_writes_what_it_forgot_to_the_journal_of_the_new_machine_once(
    site: Site, cases: Cases
) -> None:
    journal = site.world.settings.retention.journal_file
    lost = journal.read_text().splitlines()
    restore(site)
    copied = str(*site.copies("journal"))
    site.command("retention", "replay", copied)
    assert sorted(journal.read_text().splitlines()) == sorted(lost)
    site.command("retention", "replay", copied)
    worker_of(site.world).retention().run(site.world.clock)
    assert sorted(journal.read_text().splitlines()) == sorted(lost), "each line once"


def test_a_replay_writes_also_what_only_the_restored_database_remembers(site: Site, cases: Cases) -> None:
    journal = site.world.settings.retention.journal_file
    lost = journal.read_text().splitlines()
    site.back_up(NIGHT + timedelta(days=1))
    database, keystore = _pair(site, "20261126T021700Z")
    restore(site, database=database, keystore=keystore)
    site.command("retention", "replay")
    assert sorted(journal.read_text().splitlines()) == sorted(lost)


def test_an_old_keystore_beside_the_live_database_gives_no_key_back(site: Site, cases: Cases) -> None:
    """Only the keystore was lost: the database remembers itself what it deleted and referred."""
    keys = [cases.purged.case_key_id, cases.referred.case_key_id, cases.referred_and_purged.case_key_id]
    (database, *_), (keystore, *_) = site.copies("database"), site.copies("keystore")
    site.back_up(NIGHT + timedelta(hours=10))
    newest = site.copies("database")[-1]
    restore(site, database=newest, keystore=keystore)
    assert set(site.world.keystore.case_keys(keys)) == set(keys), "the old copy does hold them"
    site.command("retention", "replay")
    assert site.world.keystore.case_keys(keys) == {}
    assert _readable(site.world, cases.kept) == _house(4)
    assert database != newest


def test_fourteen_days_after_a_purge_no_combination_of_backups_opens_it(site: Site, cases: Cases) -> None:
    world = site.world
    databases = site.backups.parent / "kept_longer_than_allowed"
    shutil.copytree(site.backups / "database", databases)
    for night in (1, 7, 13, 14):
        site.back_up(NIGHT + timedelta(days=night))
    assert len(site.copies("keystore")) == 4
    with world.sessions() as session:
        known = set(session.scalars(select(Signal.case_key_id)))
    site.lose_everything()
    for copy in site.copies("keystore"):
        restored = site.restore(next(databases.iterdir()), copy, NIGHT + timedelta(days=14))
        assert restored.exit_code == 0
        site.reopen()
        keys = site.world.keystore
        assert keys.case_keys([cases.purged.case_key_id, cases.referred_and_purged.case_key_id]) == {}
        assert set(keys.case_keys(known)) == known
        assert _readable(site.world, cases.purged) is None
        site.lose_everything()
    site.restore(next(databases.iterdir()), site.copies("keystore")[-1], NIGHT + timedelta(days=14))
    site.reopen()


def test_a_copy_of_keys_is_deleted_after_fourteen_days_whatever_is_asked(site: Site) -> None:
    site.back_up(NIGHT, "--keep-days", "60")
    site.back_up(NIGHT + timedelta(days=13, hours=23), "--journal", "--keep-days", "60")
    assert len(site.copies("keystore")) == 1
    site.back_up(NIGHT + timedelta(days=14), "--journal", "--keep-days", "60")
    assert site.copies("keystore") == []
    assert len(site.copies("database")) == 1


def test_a_copy_of_keys_that_should_be_gone_is_not_restored(site: Site) -> None:
    site.back_up()
    (database,), (keystore,) = site.copies("database"), site.copies("keystore")
    site.lose_everything()
    refused = site.restore(database, keystore, NIGHT + timedelta(days=14))
    assert refused.exit_code == 1
    assert "older than 14 days" in refused.stderr
    assert site.restore(database, keystore, NIGHT + timedelta(days=13)).exit_code == 0
    site.reopen()


def test_a_restore_never_writes_over_what_is_there(site: Site, cases: Cases) -> None:
    (database, *_), (keystore, *_) = site.copies("database"), site.copies("keystore")
    assert site.restore(database, keystore).exit_code == 1
    assert _readable(site.world, cases.kept) == _house(4)
    assert _readable(site.world, cases.purged) is None


def test_a_restore_that_fails_halfway_says_what_is_done_and_what_comes_next(site: Site, cases: Cases) -> None:
    database, keystore = _pair(site, NIGHT_COPY)
    site.lose_everything()
    whole = database.read_bytes()
    database.write_bytes(whole[: len(whole) // 2])
    done = site.restore(database, keystore)
    assert done.exit_code == 1
    said = done.stderr
    assert "not restored, the database" in said
    assert "Restored: keystore." in said
    assert "go on with --database alone" in said
    database.write_bytes(whole)
    done = site.restore(database, keystore)
    assert done.exit_code == 1, "the same command finds the keystore there"
    said = done.stderr
    assert "not restored, the keystore" in said
    assert "Restored: nothing." in said
    assert "go on with --database alone" in said
    site._speak_as(OWNER)
    assert at(NIGHT, "restore", "--database", str(database)).exit_code == 0
    site.reopen()
    assert _readable(site.world, cases.kept) == _house(4)


def test_a_copy_without_a_moment_in_its_name_is_refused_in_plain_words_before_anything_is_restored(
    site: Site, cases: Cases
) -> None:
    database, keystore = _pair(site, NIGHT_COPY)
    renamed = keystore.rename(keystore.with_stem("keys"))
    site.lose_everything()
    done = site.restore(database, renamed)
    assert done.exit_code == 1
    said = done.stderr
    assert f"the name of {renamed.name} does not say when the copy was made" in said
    assert "time data" not in said
    back = renamed.rename(keystore)
    done = site.restore(database.with_stem("20261126T000000Z"), back)
    assert done.exit_code == 1, "the second copy is not there"
    assert "Restored: nothing." in done.stderr
    assert site.restore(database, back).exit_code == 0
    site.reopen()


def test_only_their_owner_may_read_the_copies_and_no_address_is_in_them(site: Site, cases: Cases) -> None:
    files = [file for file in site.backups.rglob("*") if file.is_file()]
    assert {file.parent.name for file in files} == {"database", "keystore", "journal"}
    assert {file.stat().st_mode & 0o077 for file in [*files, *(f.parent for f in files)]} == {0}
    master = load_master_key(site.world.settings.keystore.master_key_file)
    for file in files:
        content = file.read_bytes()
        assert master not in content
        assert IN_AMSTERDAM.postcode.encode() not in content


def test_the_head_of_each_night_finds_who_removes_the_end_of_the_trail_and_its_heads(
    site: Site, cases: Cases
) -> None:
    """Nothing in the database says that they were there."""
    assert worker_of(site.world).link_audit() > 0
    site.back_up(NIGHT + timedelta(days=1))
    heads = site.backups / "heads" / "heads.jsonl"
    assert (heads.stat().st_mode & 0o077, len(heads.read_text().splitlines())) == (0, 1)
    assert site.said("audit", "verify", "--head", str(heads)).exit_code == 0
    with site.world.engine.begin() as connection:
        for table in ("audit_heads", "audit_links", "audit_entries"):
            connection.execute(text(f"DELETE FROM {table}"))
    assert site.said("audit", "verify").exit_code == 0
    found = site.said("audit", "verify", "--head", str(heads))
    assert (found.exit_code, "truncated" in found.output) == (1, True)


def test_a_head_that_a_crash_cut_off_takes_nothing_of_the_next_nights(site: Site, cases: Cases) -> None:
    assert worker_of(site.world).link_audit() > 0
    site.back_up(NIGHT + timedelta(days=1))
    heads = site.backups / "heads" / "heads.jsonl"
    whole = heads.read_text()
    heads.write_text(whole + whole[:40])
    site.back_up(NIGHT + timedelta(days=2))
    assert heads.read_text() == whole + whole[:40] + "\n" + whole
    assert site.said("audit", "verify", "--head", str(heads)).exit_code == 0


def test_a_backup_that_fails_says_so_and_leaves_no_half(site: Site) -> None:
    site.lose_everything()
    if site.server:
        site.server.drop_database(_name(site.world.settings.database.url))
    site._speak_as(BACKUP_ROLE)
    done = at(NIGHT, "backup", "--to", str(site.backups))
    assert done.exit_code == 1
    assert "backup failed" in done.stderr
    assert site.copies("database") == []


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://signals_backup:s3%40cret@127.0.0.1:1/signals",
        "postgresql+psycopg://signals_backup@/signals?host=/run/postgresql&password=s3%40cret",
    ],
)
def test_a_password_of_the_database_is_in_no_command_and_in_no_message(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A program that fails and tells how it was called, as `ps` and the journal would see it."""
    for program in ("pg_dump", "pg_restore"):
        (tmp_path / program).write_text('#!/bin/sh\necho "$0 $*; $PGPASSWORD" > "$0.called"\nexit 3\n')
        (tmp_path / program).chmod(0o700)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("SIGNALS__DATABASE__URL", url)
    monkeypatch.setenv("SIGNALS__KEYSTORE__URL", url)
    monkeypatch.setenv("SIGNALS__RETENTION__JOURNAL_FILE", str(tmp_path / "none.journal"))
    copy = tmp_path / f"{NIGHT_COPY}.pgdump"
    copy.touch()
    tried = [
        at(NIGHT, "backup", "--to", str(tmp_path / "copies")),
        at(NIGHT, "restore", "--keystore", str(copy)),
    ]
    assert [done.exit_code for done in tried] == [1, 1]
    for program in ("pg_dump", "pg_restore"):
        command, password = (tmp_path / f"{program}.called").read_text().strip().split("; ")
        assert password == "s3@cret"
        assert "cret" not in command
        assert "signals_backup@" in command
    said = "".join(capfd.readouterr())
    said += "".join(done.output for done in tried)
    assert "pg_dump ended with exit code 3" in said
    assert "pg_restore ended with exit code 3" in said
    assert "cret" not in said


def test_copies_of_keys_expire_though_the_nights_copy_fails_and_a_strange_file_is_told(site: Site) -> None:
    site.back_up(NIGHT)
    (site.backups / "keystore" / "0-notes.txt").touch()
    site.lose_everything()
    if site.server:
        site.server.drop_database(_name(site.world.settings.database.url))
    site._speak_as(BACKUP_ROLE)
    done = at(NIGHT + timedelta(days=14), "backup", "--to", str(site.backups))
    assert done.exit_code == 1
    told = done.stderr
    assert "never expires" in told
    assert "0-notes.txt" in told
    assert NIGHT_COPY not in {file.stem for file in site.copies("keystore")}


def test_a_copy_that_is_still_being_written_is_no_half_of_a_dead_run(site: Site) -> None:
    """The journal's run every quarter of an hour meets a dump that takes longer than that."""
    site.back_up(NIGHT)
    half = site.backups / "database" / f"{NIGHT_COPY}.part"
    half.touch()
    site.back_up(NIGHT + timedelta(minutes=15), "--journal")
    assert half.exists()
    site.back_up(NIGHT + timedelta(days=1), "--journal")
    assert not half.exists()


def test_the_journals_of_worker_and_desk_on_one_machine_are_both_copied(site: Site, tmp_path: Path) -> None:
    site.world.settings.retention.journal_file.write_text("of the worker\n")
    desk = tmp_path / "desk.journal"
    desk.write_text("of the desk\n")
    also = ("--also-journal", str(desk), "--also-journal", str(tmp_path / "none.journal"))
    site.back_up(NIGHT, "--journal", *also)
    assert [file.read_text() for file in site.copies("journal")] == ["of the worker\n", "of the desk\n"]


def test_the_copy_of_a_journal_loses_no_line_to_a_shorter_one_and_has_none_twice(
    site: Site,
) -> None:
    """Also one that is cut off, or that is being written, takes nothing away and adds no half."""
    journal = site.world.settings.retention.journal_file
    first, second, third = (_line(number, "2026-11-24") for number in (1, 2, 3))
    journal.write_text(first + second)
    site.back_up(NIGHT, "--journal")
    journal.write_text(second + third + third[:20])
    site.back_up(NIGHT + timedelta(minutes=15), "--journal")
    journal.write_text("")
    site.back_up(NIGHT + timedelta(minutes=30), "--journal")
    (copy,) = site.copies("journal")
    assert copy.read_text() == first + second + third
    assert copy.stat().st_mode & 0o777 == 0o600


def test_the_copy_of_a_journal_drops_a_line_after_its_days_as_the_journal_does(site: Site) -> None:
    journal = site.world.settings.retention.journal_file
    old, last, new = (
        _line(number, on) for number, on in enumerate(("2024-11-24", "2024-11-25", "2026-11-24"))
    )
    journal.write_text(old + last + new)
    site.back_up(NIGHT, "--journal")
    assert [file.read_text() for file in site.copies("journal")] == [old + last + new], (
        "the journal has it yet"
    )
    journal.write_text(new)
    site.back_up(NIGHT, "--journal")
    assert [file.read_text() for file in site.copies("journal")] == [last + new]
    journal.unlink()
    site.back_up(NIGHT + timedelta(days=1), "--journal")
    assert [file.read_text() for file in site.copies("journal")] == [new]


def test_a_copy_is_whole_while_others_write(template: Path, tmp_path: Path) -> None:
    source = tmp_path / "signals.db"
    shutil.copyfile(template / "signals.db", source)
    with closing(sqlite3.connect(source)) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("DELETE FROM organisations")
        backup._copy_sqlite(source, tmp_path / "copy.sqlite")
        writer.rollback()
    with closing(sqlite3.connect(tmp_path / "copy.sqlite")) as copy:
        assert copy.execute("SELECT count(*) FROM organisations").fetchone()[0] > 0


def _line(number: int, on: str) -> str:
    key = uuid.UUID(int=number)
    return f'{{"key": "{key}", "on": "{on}", "reason": "concluded", "signal": "{key}"}}\n'


def _pair(site: Site, stem: str) -> tuple[Path, Path]:
    """The copies of database and keystore of one night."""
    database, keystore = (
        next(file for file in site.copies(kind) if file.stem == stem) for kind in ("database", "keystore")
    )
    return database, keystore


def restore(site: Site, *, database: Path | None = None, keystore: Path | None = None) -> None:
    """Everything is lost; the night's copies come back, as docs/backup.md says."""
    first_database, first_keystore = site.copies("database")[0], site.copies("keystore")[0]
    site.lose_everything()
    assert site.restore(database or first_database, keystore or first_keystore).exit_code == 0
    if site.server:
        site.command("db", "upgrade", role=OWNER)
        site.command("db", "grants", role=OWNER)
    site.reopen()


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


def _name(url: str) -> str:
    return make_url(url).database or ""


def _as(url: str, role: str) -> str:
    for other in (SUPERUSER, OWNER):
        url = url.replace(f"//{other}@", f"//{role}@", 1)
    return url


def _house(number: int) -> Address:
    return replace(IN_AMSTERDAM, number=number)


def _refer(world: World, signal_id: uuid.UUID) -> None:
    with world.sessions.begin() as session:
        refer(
            world.operation(session, world.staff(AMSTERDAM)),
            signal_id=signal_id,
            to_organisation_id=GRONINGEN,
            reason=ReferralReason.OUTSIDE_AREA,
        )


def _readable(world: World, case: Signal) -> Address | None:
    """The address of a signal if anybody with everything could still read it."""
    with world.sessions() as session:
        signal = session.get(Signal, case.id)
    try:
        return open_report(world.keystore, signal).address if signal else None
    except ContentGone:
        return None


@pytest.mark.parametrize("command", [("backup", "--to", "copies"), ("restore", "--database", "copy.sqlite")])
def test_refused_settings_end_a_copy_with_a_list_and_no_traceback(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    config = tmp_path / "config.toml"
    config.write_text("nonsense = 1\n")
    done = CliRunner().invoke(main, ["--config", str(config), *command])
    assert (done.exit_code, done.stderr) == (1, "Error: Settings refused:\n  - nonsense is not a setting\n")
