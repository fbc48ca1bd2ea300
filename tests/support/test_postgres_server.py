"""The PostgreSQL that the other tests stand on does what they rely on."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine

from tests.support import postgres
from tests.support.postgres import PostgresServer, PostgresUnavailable

pytestmark = pytest.mark.postgres


def _alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_row_written_through_sqlalchemy_is_read_through_psycopg(
    postgres_server: PostgresServer, postgres_url: str
) -> None:
    engine = create_engine(postgres_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE kept AS SELECT 'Ünïcode' AS word")
    engine.dispose()
    with psycopg.connect(postgres_server.dsn(postgres_url.split("/")[3].split("?")[0])) as connected:
        assert connected.execute("SELECT word FROM kept").fetchone() == ("Ünïcode",)


def test_a_copy_of_a_template_has_its_rows_and_goes_when_dropped(postgres_server: PostgresServer) -> None:
    postgres_server.create_database("stencil")
    postgres_server.execute("CREATE TABLE kept AS SELECT 1 AS number", "stencil")
    postgres_server.create_database("copied", template="stencil")
    assert postgres_server.execute("SELECT number FROM kept", "copied") == "1"
    postgres_server.drop_database("copied")
    postgres_server.drop_database("stencil")
    assert "copied" not in postgres_server.execute("SELECT datname FROM pg_database").splitlines()


def test_a_database_in_use_can_be_dropped(postgres_server: PostgresServer) -> None:
    postgres_server.create_database("busy")
    with psycopg.connect(postgres_server.dsn("busy")):
        postgres_server.drop_database("busy")
    assert "busy" not in postgres_server.execute("SELECT datname FROM pg_database").splitlines()


def test_only_its_own_account_may_enter_its_folder(postgres_server: PostgresServer) -> None:
    for folder in (postgres_server.data_folder, postgres_server.socket_folder):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_no_port_is_opened(postgres_server: PostgresServer) -> None:
    assert postgres_server.execute("SHOW listen_addresses") == ""


@pytest.mark.parametrize("name", ["Upper", "with space", "quote'd", "", "1st", 'a"; DROP TABLE x; --'])
def test_a_name_that_needs_quoting_is_refused(postgres_server: PostgresServer, name: str) -> None:
    with pytest.raises(ValueError, match="not a plain database name"):
        postgres_server.create_database(name)


def test_a_failing_statement_says_why(postgres_server: PostgresServer) -> None:
    with pytest.raises(PostgresUnavailable, match="does not exist"):
        postgres_server.execute("SELECT * FROM nowhere")


@pytest.mark.slow
def test_a_durable_server_keeps_the_promises_of_production() -> None:
    with PostgresServer(durable=True) as server:
        settings = [server.execute(f"SHOW {name}") for name in postgres.DURABLE]
    assert settings == ["on", "on", "on"]


@pytest.mark.slow
def test_after_a_failure_neither_process_nor_folder_is_left() -> None:
    with pytest.raises(ZeroDivisionError), PostgresServer() as server:  # noqa: PT012 - the block is the subject
        process_id, home = server.process_id, server.data_folder.parent
        raise ZeroDivisionError
    assert not _alive(process_id)
    assert not home.exists()


@pytest.mark.slow
def test_a_setting_that_postgresql_refuses_is_reported_with_its_log(tmp_path: Path) -> None:
    server = PostgresServer(settings={"shared_buffers": "nonsense"})
    with pytest.raises(PostgresUnavailable, match="shared_buffers"), server:
        pass


@pytest.mark.slow
def test_programs_in_a_folder_that_its_account_cannot_enter_are_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden = tmp_path / "hidden"
    package = postgres._installed_package()
    shutil.copytree(package / "pginstall", hidden / package.name / "pginstall")
    shutil.copytree(package.with_name(f"{package.name}.libs"), hidden / f"{package.name}.libs")
    monkeypatch.setattr(postgres, "_installed_package", lambda: hidden / package.name)
    monkeypatch.setattr(postgres, "_can_run", _refusing(hidden))
    with PostgresServer() as server:
        assert server._bin.is_relative_to(server.data_folder.parent)
        assert server.execute("SELECT 1") == "1"


def _refusing(folder: Path) -> Callable[[list[str], postgres.Account], bool]:
    """As the system answers for a folder that the account may not enter, whoever runs the tests."""
    original = postgres._can_run
    return lambda command, account: not command[0].startswith(str(folder)) and original(command, account)
