"""Try every verb on every table with each database role, and compare with the lists of what it may.

The lists do not come from `signals.operations.database_roles`. A new table that no list names fails here.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, Table, text
from sqlalchemy.exc import DBAPIError

import migrations
from tests.support.fenced_rows import BELONGS_TO, COLUMNS, MATRIX, permitted
from tests.support.fences import ROLES, FencedDatabase, FencedWorld

pytestmark = pytest.mark.postgres

VERBS = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE")


# Without a fence, and why.
OPEN_TO_THE_DESK = {
    "organisations": "a referral chooses among all of them",
    "recipients": "whether a receiver receives depends on them",
    "coverage_areas": "routing",
    "mailbox_public_keys": "public",
    "staff_members": "sign-in comes before any organisation is known",
    "staff_sessions": "sign-in",
    "passkeys": "sign-in",
    "challenges": "sign-in",
    "identity_providers": "sign-in",
    "account_links": "sign-in",
    "stopped_accounts": "sign-in",
    "area_days": "the front reads how far a limit was raised, administrators see them all",
    "drills": "an answer comes without sign-in, and administrators see them all",
    "posted_letters": "administrators choose what becomes of dead letters, whose content is not in it",
    "delivery_figures": "administrators see how delivery goes everywhere",
}


TABLES: dict[str, Table | None] = {
    **{table.name: table for metadata in migrations.TARGET for table in metadata.sorted_tables},
    "alembic_version": None,
}


def test_every_table_of_the_models_and_of_the_database_is_in_the_matrix(
    fenced_database: FencedDatabase,
) -> None:
    found = fenced_database.server.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public'", fenced_database.name
    )
    assert set(MATRIX) == set(TABLES) == set(found.splitlines())


def test_every_table_with_an_organisation_or_a_signal_is_fenced_or_said_to_be_open() -> None:
    def is_bound(table: Table) -> bool:
        return bool({"organisation_id", "signal_id", "staff_member_id"} & set(table.columns.keys()))

    bound = {name for name, table in TABLES.items() if table is not None and is_bound(table)}
    hidden = {name for name, (_, desk, _) in MATRIX.items() if not desk}
    assert bound - hidden <= set(BELONGS_TO) | set(OPEN_TO_THE_DESK)


@pytest.mark.parametrize("table", sorted(MATRIX))
@pytest.mark.parametrize("role", ["front", "desk", "worker"])
def test_a_role_may_do_with_a_table_what_the_matrix_says_and_nothing_else(
    fenced_database: FencedDatabase, role: str, table: str
) -> None:
    may = dict(zip(("front", "desk", "worker"), MATRIX[table], strict=True))[role]
    model = TABLES[table]
    columns = set(model.columns.keys()) if model is not None else {"version_num"}
    with _as(fenced_database, role) as connection:
        for verb in VERBS:
            allowed = COLUMNS.get((role, verb, table), columns) if verb[0] in may else set()
            assert {c for c in columns if permitted(connection, _attempt(verb, table, c))} == allowed, verb


@pytest.mark.parametrize("role", ["front", "desk", "worker"])
@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (id int)",
        "DROP TABLE signals",
        "ALTER TABLE signals DISABLE ROW LEVEL SECURITY",
        "DROP POLICY signals_see ON signals",
        "CREATE POLICY mine ON signals USING (true)",
        "GRANT ALL ON signals TO PUBLIC",
        "SET ROLE signals_owner",
        "ALTER ROLE signals_front SUPERUSER",
        "COPY (SELECT 1) TO PROGRAM 'true'",
        "SELECT pg_read_file('postgresql.conf')",
    ],
)
def test_no_role_changes_the_schema_or_its_own_rights(
    fenced_database: FencedDatabase, role: str, statement: str
) -> None:
    with _as(fenced_database, role) as connection:
        assert _is_refused(connection, statement)
    assert (
        fenced_database.server.execute(
            "SELECT count(*) FROM pg_class WHERE relname = 'signals' AND relforcerowsecurity",
            fenced_database.name,
        )
        == "1"
    )


def test_the_front_cannot_read_an_envelope_back_not_even_its_own(fenced_world: FencedWorld) -> None:
    fenced_world.front.receive(1)
    with (
        fenced_world.front.engine.connect() as connection,
        pytest.raises(DBAPIError, match="permission denied"),
    ):
        connection.execute(text("SELECT envelope FROM sealed_reports"))


def test_the_front_cannot_read_while_it_writes(fenced_database: FencedDatabase) -> None:
    write = "INSERT INTO sealed_reports (signal_id) VALUES (DEFAULT) RETURNING"
    with _as(fenced_database, "front") as connection:
        for column in TABLES["sealed_reports"].columns.keys():  # noqa: SIM118 - names, not columns
            assert not permitted(connection, f"{write} {column}"), column
        assert not permitted(connection, f"{write} *")


@contextmanager
def _as(database: FencedDatabase, role: str) -> Iterator[Connection]:
    engine = database.engine(getattr(ROLES, role))
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def _attempt(verb: str, table: str, column: str) -> str:
    """The least that asks for the right; none of them changes a row."""
    return {
        "SELECT": f'SELECT "{column}" FROM {table} LIMIT 0',
        "INSERT": f'INSERT INTO {table} ("{column}") VALUES (DEFAULT)',
        "UPDATE": f'UPDATE {table} SET "{column}" = DEFAULT WHERE false',
        "DELETE": f"DELETE FROM {table} WHERE false",
        "TRUNCATE": f"TRUNCATE {table}",
    }[verb]


def _is_refused(connection: Connection, statement: str) -> bool:
    """Return whether it ends in an error, or, for a grant by somebody who is no owner, in a warning."""
    warnings: list[str] = []
    raw = connection.connection.driver_connection
    assert raw is not None
    raw.add_notice_handler(lambda notice: warnings.append(notice.sqlstate))
    return not permitted(connection, statement, refusal="") or warnings == ["01007"]
