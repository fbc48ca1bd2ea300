"""Migrations: up, down and up again with rows in every table, in step with the models, on both databases."""

import subprocess
import sys
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Connection, Engine, Table

import migrations
from signals.db import make_engine

VALUES: dict[tuple[str, str], Any] = {
    ("coverage_areas", "level"): "municipality",
    ("coverage_areas", "valid_until"): None,
    ("coverage_areas", "number_from"): None,
    ("coverage_areas", "number_to"): None,
}
"""What a CHECK over several columns asks for; all else follows from the columns' types."""


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An empty database."""
    sqlite = request.param == "sqlite"
    made = make_engine(
        f"sqlite:///{tmp_path}/signals.db" if sqlite else request.getfixturevalue("postgres_url")
    )
    yield made
    made.dispose()


def test_up_makes_what_the_models_say(engine: Engine) -> None:
    migrations.upgrade(engine)
    with engine.connect() as connection:
        assert migrations.differences(connection) == []


def test_down_to_nothing_leaves_no_table(engine: Engine) -> None:
    migrations.upgrade(engine)
    migrations.downgrade(engine, "base")
    assert set(sa.inspect(engine).get_table_names()) <= {"alembic_version"}


def test_up_down_and_up_again_with_a_row_in_every_table(engine: Engine) -> None:
    migrations.upgrade(engine)
    fill_every_table(engine)
    migrations.downgrade(engine, "base")
    migrations.upgrade(engine)
    with engine.connect() as connection:
        assert migrations.differences(connection) == []


def test_each_step_goes_down_and_up_with_rows_in_place_and_keeps_those_of_older_tables(
    engine: Engine,
) -> None:
    migrations.upgrade(engine)
    fill_every_table(engine)
    before = _counts(engine)
    for revision in _revisions_below_head():
        migrations.downgrade(engine, revision)
        kept = _counts(engine)
        assert kept.items() <= before.items()
        migrations.upgrade(engine)
        after = _counts(engine)
        assert {name: after[name] for name in kept} == kept
        with engine.connect() as connection:
            assert migrations.differences(connection) == []


def test_every_check_of_an_enumeration_allows_exactly_its_members(engine: Engine) -> None:
    migrations.upgrade(engine)
    found = {
        (table.name, check["name"]): _listed(str(check["sqltext"]))
        for table in _tables()
        for check in sa.inspect(engine).get_check_constraints(table.name)
    }
    for table in _tables():
        for column in table.columns:
            if isinstance(column.type, sa.Enum) and column.type.create_constraint:
                name = f"ck_{table.name}_{column.type.name}"
                assert found[table.name, name] == set(column.type.enums), name


def test_an_unknown_code_is_refused_by_the_database_itself(engine: Engine) -> None:
    migrations.upgrade(engine)
    fill_every_table(engine)
    with pytest.raises(sa.exc.IntegrityError), engine.begin() as connection:
        connection.exec_driver_sql("UPDATE signals SET state = 'lost'")


def test_the_head_file_names_the_newest_migration() -> None:
    scripts = ScriptDirectory(str(Path(migrations.__file__).parent))
    assert migrations.head() == scripts.get_current_head()


def test_migrations_are_numbered_without_a_gap_and_each_follows_the_one_before() -> None:
    folder = Path(migrations.__file__).parent / "versions"
    numbers = sorted(path.name[:4] for path in folder.glob("[0-9]*.py"))
    assert numbers == [f"{number:04d}" for number in range(1, len(numbers) + 1)]
    assert numbers[-1] == migrations.head()


def test_a_missing_column_is_told_as_a_difference(engine: Engine) -> None:
    migrations.upgrade(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE organisations DROP COLUMN contact_phone")
    with engine.connect() as connection:
        assert len(migrations.differences(connection)) == 1


def test_tables_that_a_report_touches_keep_no_order_of_arrival(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path}/signals.db")
    migrations.upgrade(engine)
    for table in ("idempotency_keys", "sealed_reports", "receipts", "signals", "address_links"):
        with pytest.raises(sa.exc.OperationalError), engine.connect() as connection:
            connection.exec_driver_sql(f"SELECT rowid FROM {table}")
    engine.dispose()


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_two_processes_at_once_migrate_once(
    database: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path}/s.db" if database == "sqlite" else request.getfixturevalue("postgres_url")
    code = (
        "import sys; from signals.db import make_engine; from signals.operations.installation import migrate;"
        "engine = make_engine(sys.argv[1]); sys.stdin.read(1); print(migrate(engine)); engine.dispose()"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=Path(migrations.__file__).parents[1],
        )
        for _ in range(2)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("x")
        process.stdin.flush()
    results = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], results
    engine = make_engine(url)
    with engine.connect() as connection:
        assert migrations.differences(connection) == []
    engine.dispose()


def fill_every_table(engine: Engine) -> None:
    """One row in each table, foreign keys pointing at one another; rows that migrations wrote stay."""
    with engine.begin() as connection:
        for table in _tables():
            if connection.scalar(sa.select(sa.func.count()).select_from(table)) == 0:
                connection.execute(table.insert().values(_row(connection, table)))
    assert min(_counts(engine).values()) == 1


def _row(connection: Connection, table: Table) -> dict[str, Any]:
    return {column.name: _value(connection, column) for column in table.columns}


def _value(connection: Connection, column: "Column[Any]") -> Any:
    if (column.table.name, column.name) in VALUES:
        return VALUES[column.table.name, column.name]
    for key in column.foreign_keys:
        if key.column.table is column.table:
            return None
        return connection.scalar(sa.select(key.column).limit(1))
    return _allowed(column) or _of_type(column.type)


def _allowed(column: "Column[Any]") -> str | None:
    """The first word of a CHECK such as `kind IN ('page', 'api')`."""
    for check in column.table.constraints:
        if isinstance(check, sa.CheckConstraint) and str(check.sqltext).startswith(f"{column.name} IN ("):
            return str(check.sqltext).split("'")[1]
    return None


def _of_type(kind: Any) -> Any:
    if isinstance(kind, sa.Enum):
        return kind.enum_class(kind.enums[0]) if kind.enum_class else kind.enums[0]
    examples: list[tuple[Any, Any]] = [
        (sa.Uuid, uuid.UUID(int=7)),
        (sa.Date, date(2026, 11, 24)),
        (sa.DateTime, datetime(2026, 11, 24, tzinfo=UTC)),
        (sa.LargeBinary, b"x" * 16),
        (sa.Boolean, True),
        (sa.Integer, 1),
        (sa.JSON, {"a": "b"}),
        (sa.String, "x"),
    ]
    impl = getattr(kind, "impl_instance", kind)
    return next(value for known, value in examples if isinstance(impl, known))


def _tables() -> list[Table]:
    return [table for metadata in migrations.TARGET for table in metadata.sorted_tables]


def _counts(engine: Engine) -> dict[str, int]:
    names = set(sa.inspect(engine).get_table_names()) - {"alembic_version"}
    with engine.connect() as connection:
        return {
            name: connection.scalar(sa.select(sa.func.count()).select_from(sa.table(name))) or 0
            for name in names
        }


def _revisions_below_head() -> list[str]:
    return [*(f"{number:04d}" for number in range(int(migrations.head()) - 1, 0, -1)), "base"]


def _listed(condition: str) -> set[str]:
    """The quoted words of `state IN ('a', 'b')`, as either database gives it back."""
    return set(condition.split("'")[1::2])
