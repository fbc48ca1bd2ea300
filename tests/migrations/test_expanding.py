"""A migration only expands: processes of the release before use the tables while it runs and after it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import migrations
from tests.support.next_release import EXPANDING

VERSIONS = Path(migrations.__file__).parent / "versions"
CHANGELOG = VERSIONS.parents[1] / "CHANGELOG.md"
TAKES_AWAY = {"drop_table", "drop_column", "rename_table"}
REFUSES_ROWS = {"create_check_constraint", "create_unique_constraint", "create_foreign_key"}
RAW = re.compile(r"\b(DROP|RENAME|ALTER|TRUNCATE)\b", re.IGNORECASE)


def contracts(source: str) -> list[str]:
    """Return what an `upgrade` does that a process of the release before does not survive."""
    functions = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    upgrades = [node for node in functions if node.name == "upgrade"]
    calls = [node for upgrade in upgrades for node in ast.walk(upgrade) if isinstance(node, ast.Call)]
    return [problem for call in calls for problem in _problems(call)]


def _problems(call: ast.Call) -> Iterator[str]:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    named = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
    if name in TAKES_AWAY | REFUSES_ROWS or (name == "create_index" and named.get("unique") == "True"):
        yield name
    if name == "alter_column" and (named.keys() & {"new_column_name", "type_"} or _required(named)):
        yield name
    if name == "add_column":
        yield from (name for column in ast.walk(call) if _is_required_column(column))
    if name == "execute" and RAW.search(ast.unparse(call)):
        yield name


def _required(named: dict[str | None, str]) -> bool:
    return named.get("nullable") == "False" and "server_default" not in named


def _is_required_column(node: ast.AST) -> bool:
    if not (isinstance(node, ast.Call) and ast.unparse(node.func).endswith("Column")):
        return False
    return _required({keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords})


def _released(source: str) -> bool:
    """Return whether the release that a migration names in `contract_after` is out."""
    named = re.search(r'^contract_after = "([\d.]+)"', source, re.MULTILINE)
    return bool(named and f"## {named[1]}, 20" in CHANGELOG.read_text("utf-8"))


def test_every_migration_after_the_first_expands_or_comes_a_release_later() -> None:
    sources = {file.name: file.read_text("utf-8") for file in sorted(VERSIONS.glob("[0-9]*.py"))[1:]}
    found = {name: contracts(source) for name, source in sources.items() if not _released(source)}
    assert {name: problems for name, problems in found.items() if problems} == {}


def test_the_migrations_with_which_the_front_is_tried_expand() -> None:
    assert contracts(EXPANDING) == []


@pytest.mark.parametrize(
    "statement",
    [
        'op.drop_table("a")',
        'op.drop_column("a", "b")',
        'op.rename_table("a", "b")',
        'op.alter_column("a", "b", new_column_name="c")',
        'op.alter_column("a", "b", type_=sa.Text())',
        'op.alter_column("a", "b", nullable=False)',
        'op.add_column("a", sa.Column("b", sa.Integer, nullable=False))',
        'op.create_unique_constraint("a", "b", ["c"])',
        'op.create_index("a", "b", ["c"], unique=True)',
        'op.execute("ALTER TABLE a DROP COLUMN b")',
        'with op.batch_alter_table("a") as batch:\n        batch.drop_column("b")',
    ],
)
def test_a_migration_that_contracts_is_found(statement: str) -> None:
    assert len(contracts(f"def upgrade():\n    {statement}\n")) == 1
