"""Copies of databases, keys, journals and heads: private, whole, and gone in time."""

import os
import shutil
import sqlite3
import uuid
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from privacy.secret_files import load_master_key
from signals.cli import main
from signals.operations import backup
from tests.support.backups import BACKUP_ROLE, NIGHT, NIGHT_COPY, Cases, Site, at, database_name
from tests.support.fences import OWNER, worker_of
from tests.support.world import IN_AMSTERDAM


def test_a_copy_of_keys_that_should_be_gone_is_not_restored(site: Site) -> None:
    site.back_up()
    (database,), (keystore,) = site.copies("database"), site.copies("keystore")
    site.lose_everything()
    refused = site.restore(database, keystore, NIGHT + timedelta(days=14))
    assert refused.exit_code == 1
    assert "older than 14 days" in refused.stderr
    assert site.restore(database, keystore, NIGHT + timedelta(days=13)).exit_code == 0
    site.reopen()


def test_a_moment_whose_keys_should_be_gone_is_not_restored(site: Site) -> None:
    site.speak_as(OWNER)
    refused = at(NIGHT + timedelta(days=14), "restore", "--moment", "2026-11-25T02:17:00+0000")
    assert "must be destroyed" in refused.output


def test_an_archive_expires_in_time_for_the_keys_that_its_files_hold(site: Site, tmp_path: Path) -> None:
    for days in (13, 12):
        file = tmp_path / "archive" / "wal" / f"{days}_days_old"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
        written = (NIGHT - timedelta(days=days, seconds=1)).timestamp()
        os.utime(file, (written, written))
    site.back_up(NIGHT, "--archive", str(tmp_path / "archive"))
    assert [file.name for file in (tmp_path / "archive" / "wal").iterdir()] == ["12_days_old"]


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
    """The database itself keeps no trace of them."""
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
        site.server.drop_database(database_name(site.world.settings.database.url))
    site.speak_as(BACKUP_ROLE)
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
        assert "user=signals_backup" in command
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
        site.server.drop_database(database_name(site.world.settings.database.url))
    site.speak_as(BACKUP_ROLE)
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


def test_the_ledger_of_figures_is_copied_beside_the_journal_and_never_shortened(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = site.world.settings.figures.ledger_file
    monkeypatch.setenv("SIGNALS__FIGURES__LEDGER_FILE", str(ledger))
    ledger.write_text('{"period": "2026-Q2"}\n')
    site.back_up(NIGHT + timedelta(days=1))
    ledger.write_text('{"period": "2026-Q3"}\n')  # that of a new machine
    site.back_up(NIGHT + timedelta(days=800))
    copied = (site.backups / "journal" / ledger.name).read_text()
    assert copied.splitlines() == ['{"period": "2026-Q2"}', '{"period": "2026-Q3"}']


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


@pytest.mark.parametrize("command", [("backup", "--to", "copies"), ("restore", "--database", "copy.sqlite")])
def test_refused_settings_end_a_copy_with_a_list_and_no_traceback(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    config = tmp_path / "config.toml"
    config.write_text("nonsense = 1\n")
    done = CliRunner().invoke(main, ["--config", str(config), *command])
    assert (done.exit_code, done.stderr) == (1, "Error: Settings refused:\n  - nonsense is not a setting\n")
