"""Run the SQL of `signals setup` as a database administrator, and count the commands of an installation."""

import re
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner

from privacy.secret_files import write_new_secret_file
from signals.cli import main
from tests.support.postgres import SUPERUSER, PostgresServer

pytestmark = pytest.mark.postgres

PROJECT = Path(__file__).parents[2]
FRONT, BACKUP = "signals_front", "signals_backup"


def run(server: PostgresServer, what: str) -> None:
    """Run what `signals setup --sql` prints, as psql does: one statement after the other."""
    printed = CliRunner().invoke(main, ["setup", "--sql", what])
    assert printed.exit_code == 0, printed.output
    for statement in filter(None, (line.strip() for line in printed.output.split("\n"))):
        if "CREATE ROLE" not in statement or not _is_role(server, statement.split()[2]):
            server.execute(statement)


def _is_role(server: PostgresServer, name: str) -> bool:
    return server.execute(f"SELECT count(*) FROM pg_roles WHERE rolname = '{name}'") == "1"


def commands_of(page: str) -> list[str]:
    """Return the lines of the commands on a page, without comments."""
    blocks = re.findall(r"^ *```sh\n(.*?)^ *```", (PROJECT / page).read_text(), re.MULTILINE | re.DOTALL)
    return [line.strip() for block in blocks for line in block.splitlines() if line.strip()]


def test_an_installation_takes_25_commands_at_most() -> None:
    install = commands_of("docs/deployment.md")
    assert any(line.startswith("signals setup") for line in install)
    assert len(install) <= 25


def address(server: PostgresServer, database: str, role: str) -> str:
    return server.url(database).replace(f"//{SUPERUSER}@", f"//{role}@", 1)


def test_on_one_server_the_roles_come_to_be_and_everything_after_them_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with PostgresServer() as server:
        run(server, "database")
        run(server, "keystore")
        write_new_secret_file(tmp_path / "master.key")
        (tmp_path / "worker.toml").write_text("")
        monkeypatch.setenv("SIGNALS_CONFIG", str(tmp_path / "worker.toml"))
        monkeypatch.setenv("SIGNALS__ROLE", "worker")
        monkeypatch.setenv("SIGNALS__KEYSTORE__MASTER_KEY_FILE", str(tmp_path / "master.key"))
        monkeypatch.setenv("SIGNALS__KEYSTORE__URL", address(server, "signals_keys", "signals_keys"))
        monkeypatch.setenv("SIGNALS__DATABASE__URL", address(server, "signals", "signals_owner"))
        for command in (["db", "upgrade"], ["db", "grants"], ["init"], ["keys", "grants"]):
            done = CliRunner().invoke(main, command)
            assert done.exit_code == 0, done.output
        monkeypatch.setenv("SIGNALS__DATABASE__URL", address(server, "signals", "signals_worker"))
        done = CliRunner().invoke(main, ["keys", "list"])
        assert done.exit_code == 0, done.output
        for database, table in (("signals", "signals"), ("signals_keys", "case_keys")):
            assert said(server, database, BACKUP, f"SELECT count(*) FROM {table}") == "0"
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            said(server, "signals_keys", "signals_desk", "SELECT wrapped FROM case_keys")


def test_a_keystore_with_a_server_of_its_own_is_copied_by_a_role_there() -> None:
    with PostgresServer() as server:
        run(server, "keystore")
        assert said(server, "signals_keys", BACKUP, "SELECT current_user") == BACKUP


def test_a_report_that_fails_leaves_no_line_in_the_servers_log() -> None:
    """A statement in the log may hold what somebody wrote, so no process leaves one."""
    with PostgresServer() as server:
        run(server, "database")
        before = server.log_file.read_text()
        for role in (FRONT, "signals_worker"):
            with pytest.raises(Exception, match="division by zero"):
                said(server, "signals", role, f"SELECT 1/0 AS of_{role}")
        kept = server.log_file.read_text().removeprefix(before)
    assert kept.count("division by zero") == 1, "the log has the worker's error"
    assert "of_signals" not in kept


def said(server: PostgresServer, database: str, role: str, statement: str) -> str:

    with psycopg.connect(server.dsn(database).replace(f"//{SUPERUSER}@", f"//{role}@", 1)) as connection:
        row = connection.execute(statement).fetchone()
        return str(row[0]) if row else ""
