"""The commands that grant and print the rights of database roles."""

from collections.abc import Iterator

import pytest
from click.testing import CliRunner, Result

from signals.cli import main
from tests.support.fences import OWNER, ROLES, FencedDatabase
from tests.support.postgres import PostgresServer

pytestmark = pytest.mark.postgres


# The command
def test_granting_takes_back_what_is_not_in_the_table_of_facts(fenced_database: FencedDatabase) -> None:
    before = _rules(fenced_database)
    for statement in (
        f"GRANT ALL ON signals TO {ROLES.front}",
        f"GRANT SELECT (envelope) ON sealed_reports TO {ROLES.front}",
        "GRANT SELECT ON signals TO PUBLIC",
        f"CREATE POLICY signals_of_old ON signals TO {ROLES.desk} USING (true)",
        "ALTER TABLE signals NO FORCE ROW LEVEL SECURITY",
    ):
        fenced_database.server.execute(statement, fenced_database.name)
    assert _rules(fenced_database) != before
    assert _grants(fenced_database).exit_code == 0
    assert _rules(fenced_database) == before


def test_the_printed_sql_does_the_same(fenced_database: FencedDatabase) -> None:
    before = _rules(fenced_database)
    printed = _grants(fenced_database, "--sql", "--create")
    assert printed.exit_code == 0
    fenced_database.server.execute("GRANT SELECT ON signals TO PUBLIC", fenced_database.name)
    owner = fenced_database.engine(OWNER)
    raw = owner.raw_connection()
    raw.driver_connection.execute(printed.output)  # type: ignore[union-attr]
    raw.close()
    owner.dispose()
    assert _rules(fenced_database) == before


@pytest.mark.parametrize("option", ["--front", "--desk", "--worker"])
@pytest.mark.parametrize(
    ("role", "reason"),
    [
        ("nobody_here", "no role nobody_here"),
        ("postgres", "superuser"),
        (OWNER, "owns tables"),
        ("signals_bypass", "bypasses"),
    ],
)
def test_a_role_that_no_fence_holds_is_refused(
    fenced_database: FencedDatabase, bypassing_role: None, option: str, role: str, reason: str
) -> None:
    before = _rules(fenced_database)
    done = _grants(fenced_database, option, role)
    assert (done.exit_code, reason in done.output) == (1, True), done.output
    assert _rules(fenced_database) == before


@pytest.mark.parametrize("name", ['x"; DROP TABLE signals; --', "", "signals_worker"])
def test_a_name_that_is_no_plain_role_of_its_own_is_a_wrong_call(
    fenced_database: FencedDatabase, name: str
) -> None:
    assert _grants(fenced_database, "--desk", name).exit_code == 2


def test_sqlite_has_no_roles() -> None:
    done = CliRunner().invoke(main, ["db", "grants"], env={"SIGNALS__DATABASE__URL": "sqlite:///:memory:"})
    assert (done.exit_code, "SQLite" in done.output) == (1, True)


@pytest.fixture
def bypassing_role(postgres_server: PostgresServer) -> Iterator[None]:
    postgres_server.execute("CREATE ROLE signals_bypass BYPASSRLS")
    yield
    postgres_server.execute("DROP ROLE signals_bypass")


def _grants(database: FencedDatabase, *options: str) -> Result:
    """`signals db grants` as the owner."""
    return CliRunner().invoke(
        main, ["db", "grants", *options], env={"SIGNALS__DATABASE__URL": database.url(OWNER)}
    )


def _rules(database: FencedDatabase) -> str:
    """All that a role may and that a fence says, as PostgreSQL keeps it."""
    return database.server.execute(
        """
        SELECT string_agg(line, E'\n' ORDER BY line) FROM (
          SELECT concat_ws(' ', c.relname, c.relrowsecurity, c.relforcerowsecurity, acl) AS line
          FROM pg_class c LEFT JOIN LATERAL unnest(c.relacl::text[]) AS acl ON true
          WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
          UNION ALL
          SELECT concat_ws(' ', attrelid::regclass, attname, acl)
          FROM pg_attribute, unnest(attacl::text[]) AS acl WHERE attacl IS NOT NULL
          UNION ALL
          SELECT concat_ws(' ', tablename, policyname, roles, cmd, qual, with_check) FROM pg_policies
          UNION ALL
          SELECT acl FROM pg_namespace, unnest(nspacl::text[]) AS acl WHERE nspname = 'public'
        ) AS lines
        """,
        database.name,
    )
