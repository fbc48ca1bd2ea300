"""Test that a restore brings nothing deleted back and loses nothing that lives.

The scripts of docs/deploy run on SQLite and on a real PostgreSQL with the roles of production.
"""

import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyotp
import pytest
from flask import Flask
from sqlalchemy import select

from privacy.keystore import KeyGone
from signals.errors import ContentGone
from signals.intake.content import open_report
from signals.keys.opening import KeysUnusable
from signals.models import AccountLink, IdentityProvider, Passkey, Signal, StaffMember, StaffSession
from signals.routing.postcodes import Address
from signals.staff.accounts import add_staff, disable, set_role
from signals.staff.change_messages import AccountSettings
from signals.staff.recovery import link_token, mail_link, recover
from signals.staff.sessions import open_session
from signals.vocabulary import DeletionReason, ProcessRole, Role
from tests.support.backups import NIGHT, NIGHT_COPY, Cases, Site, at, house
from tests.support.desk_side import PASSWORD, QUICK
from tests.support.fences import OWNER, worker_of
from tests.support.world import AMSTERDAM, NOW, World

PHONE: dict[str, Any] = {
    "label": "a phone",
    "credential_id": b"a credential",
    "public_key": b"a key",
    "sign_count": 1,
    "created_on": NIGHT.date(),
}
PROVIDER = {
    "issuer": "https://login.example.org",
    "client_id": "signals",
    "secret_file": "amsterdam.secret",
    "domains": "example.org",
    "factors": "mfa",
}
MAILING = AccountSettings(site="http://desk.example", hasher=QUICK)


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


def test_what_was_revoked_since_the_copy_stays_revoked(site: Site) -> None:
    world = site.world
    desk = world.app(ProcessRole.DESK)
    names = ("disabled", "demoted", "changed", "signs_out", "passkey", "link")
    people = {name: Somebody(site, name) for name in names}
    with world.sessions.begin() as session:
        session.add(Passkey(staff_member_id=people["passkey"].id, **PHONE))
        session.add(IdentityProvider(organisation_id=AMSTERDAM, **PROVIDER))
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
        session.delete(session.scalars(select(IdentityProvider)).one())
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
        assert session.scalars(select(IdentityProvider)).all() == []


def test_a_restore_forgets_again_and_loses_nothing_that_lives(site: Site, cases: Cases) -> None:
    restore(site)
    assert _readable(site.world, cases.purged) == house(1), "the backup alone does bring it back"
    (journal,) = site.copies("journal")
    done = site.command("retention", "replay", str(journal))
    assert "2 restored signals purged again, 2 restored keys destroyed again" in done.output
    assert _readable(site.world, cases.purged) is None
    assert _readable(site.world, cases.referred_and_purged) is None
    for key_id in (cases.purged.case_key_id, cases.referred_and_purged.case_key_id):
        with pytest.raises(KeyGone):
            site.world.keystore.case_key(key_id)
    assert _readable(site.world, cases.kept) == house(4)
    assert _readable(site.world, cases.referred) == house(2)


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
    assert _readable(site.world, cases.purged) == house(1), "the backup alone does bring it back"
    site.command("retention", "replay", *map(str, site.copies("journal")))
    for case in (cases.purged, cases.referred_and_purged, cases.kept):
        assert _readable(site.world, case) is None
    assert _readable(site.world, cases.referred) == house(2)


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
    assert _readable(site.world, cases.kept) == house(4)
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


def test_a_restore_never_writes_over_what_is_there(site: Site, cases: Cases) -> None:
    (database, *_), (keystore, *_) = site.copies("database"), site.copies("keystore")
    assert site.restore(database, keystore).exit_code == 1
    assert _readable(site.world, cases.kept) == house(4)
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
    site.speak_as(OWNER)
    assert at(NIGHT, "restore", "--database", str(database)).exit_code == 0
    site.reopen()
    assert _readable(site.world, cases.kept) == house(4)


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


def _pair(site: Site, stem: str) -> tuple[Path, Path]:
    """The copies of database and keystore of one night."""
    database, keystore = (
        next(file for file in site.copies(kind) if file.stem == stem) for kind in ("database", "keystore")
    )
    return database, keystore


def restore(site: Site, *, database: Path | None = None, keystore: Path | None = None) -> None:
    """Everything is lost; the night's copies come back, as docs/restore.md says."""
    first_database, first_keystore = site.copies("database")[0], site.copies("keystore")[0]
    site.lose_everything()
    assert site.restore(database or first_database, keystore or first_keystore).exit_code == 0
    if site.server:
        site.command("db", "upgrade", role=OWNER)
        site.command("db", "grants", role=OWNER)
    site.reopen()


def _readable(world: World, case: Signal) -> Address | None:
    """The address of a signal if anybody with everything could still read it."""
    with world.sessions() as session:
        signal = session.get(Signal, case.id)
    try:
        return open_report(world.keystore, signal).address if signal else None
    except ContentGone:
        return None
