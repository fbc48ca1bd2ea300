"""A database that cannot be used: the commands say what mends it, in one sentence, without its SQL."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from privacy.logs import configure_logging
from signals import db
from signals.cli import main
from tests.support.installation import install, settings_in
from tests.support.postgres import PostgresServer


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.delenv("SIGNALS_CONFIG", raising=False)
    install(tmp_path)
    yield tmp_path
    configure_logging()  # the runner's standard error is closed by now


def refusal(folder: Path, *arguments: str) -> str:
    result = CliRunner().invoke(main, ["--config", str(folder / "config.toml"), *arguments])
    assert result.exit_code == 1, result.output
    assert isinstance(result.exception, SystemExit)
    assert "Traceback" not in result.output
    assert "SELECT" not in result.output
    return result.output


def file_of_database(folder: Path) -> Path:
    return Path(settings_in(folder).database.url.removeprefix("sqlite:///"))


def test_a_start_beside_another_that_writes_says_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db, "SQLITE_BUSY_SECONDS", 0.1)
    with closing(sqlite3.connect(file_of_database(folder), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        said = refusal(folder, "serve", "--prepare")
    assert "another process is writing to it" in said
    assert "Try again" in said


def test_a_full_disk_is_called_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # SQLite refuses to grow a file past its number of pages with the code of a full disk.
    prepare = db._prepare_sqlite_connection

    def without_room(connection: sqlite3.Connection, record: object) -> None:
        prepare(connection, record)
        connection.execute("PRAGMA max_page_count = 1")

    monkeypatch.setattr(db, "_prepare_sqlite_connection", without_room)
    assert "the disk is full" in refusal(folder, "demo")


def test_a_file_that_is_no_database_is_called_one(folder: Path) -> None:
    for file in folder.glob("**/*.db-*"):
        file.unlink()
    file_of_database(folder).write_bytes(b"not a database, but long enough to be looked at" * 100)
    assert "restore.md" in refusal(folder, "db", "check")


@pytest.mark.postgres
def test_a_postgresql_that_is_away_leads_to_the_doctor(folder: Path, postgres_server: PostgresServer) -> None:
    url = postgres_server.create_database("away")
    config = folder / "config.toml"
    config.write_text(config.read_text() + f'\n[database]\nurl = "{url}_and_gone"\n')
    for command in (("serve", "--prepare"), ("demo",), ("db", "check")):
        assert "See 'signals doctor'" in refusal(folder, *command)
