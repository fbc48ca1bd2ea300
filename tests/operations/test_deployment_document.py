"""Do what docs/deployment.md tells a database administrator; one server has both databases."""

import re
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner

from privacy.secret_files import write_new_secret_file
from signals.cli import main
from tests.support.postgres import SUPERUSER, PostgresServer

pytestmark = pytest.mark.postgres

DOCUMENT = (Path(__file__).parents[2] / "docs" / "deployment.md").read_text()
BOTH_SERVERS, KEYS_ON_ITS_OWN, KEYS = re.findall(r"^```sql\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)
FRONT, BACKUP = "signals_front", "signals_backup"


def settings_of_the_log() -> dict[str, str]:
    (text,) = re.findall(r"^```ini\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)
    pairs = (line.split("#")[0].split("=") for line in text.splitlines())
    return {name.strip(): value.strip() for name, value in pairs}


def run(server: PostgresServer, sql: str) -> None:
    plain = "\n".join(line for line in sql.splitlines() if not line.startswith("--"))
    for statement in filter(None, (one.strip() for one in plain.split(";"))):
        server.execute(statement)


def address(server: PostgresServer, database: str, role: str) -> str:
    return server.url(database).replace(f"//{SUPERUSER}@", f"//{role}@", 1)


def test_on_one_server_the_roles_come_to_be_and_everything_after_them_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with PostgresServer(settings=settings_of_the_log()) as server:
        run(server, BOTH_SERVERS)
        run(server, KEYS)
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
        run(server, KEYS_ON_ITS_OWN)
        run(server, KEYS)
        assert said(server, "signals_keys", BACKUP, "SELECT current_user") == BACKUP


def test_a_report_that_fails_leaves_no_line_in_the_servers_log() -> None:
    """A statement in the log may hold what somebody wrote, so no process leaves one."""
    with PostgresServer(settings=settings_of_the_log()) as server:
        run(server, BOTH_SERVERS)
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
