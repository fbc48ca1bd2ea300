"""Read docs/privacy/velden.md: for each column its owner, its categories, and how it is stored."""

import re
from pathlib import Path

FIELDS = Path(__file__).resolve().parents[2] / "docs/privacy/velden.md"

_TABLE = re.compile(r"^### (\w+)$")
_NAMES = r"(`\w+`(?:, `\w+`)*)"
_CODES = r"(geen|[A-Z]{2}-[A-Z]+(?: [A-Z]{2}-[A-Z]+)*)(?:, (verzegeld|afgeleid|ingepakt))?"
_GROUP = re.compile(rf"^- {_CODES}(?:: {_NAMES})?$")
_COLUMNS = re.compile(rf"^  - {_NAMES}(?:: .+)?$")
_OWNERS = {"BW": "bewoner", "MW": "medewerker", "BZ": "bezorger"}


def column_lines() -> list[tuple[str, str, set[str], str]]:
    """Return the columns in the order of the document, as (table.column, owner, codes, how it is stored).

    Raises ValueError for a line under a table that is neither a group, a column, nor the rest of a column.
    """
    found = []
    table = codes = how = ""
    for line in FIELDS.read_text(encoding="utf-8").split("\n"):
        if line.startswith("#"):
            heading = _TABLE.match(line)
            table, codes = heading[1] if heading else "", ""
        elif group := table and _GROUP.match(line):
            codes, how, names = group[1], group[2] or "leesbaar", group[3] or ""
            found += _described(table, names, codes, how)
        elif (columns := _COLUMNS.match(line)) and codes:
            found += _described(table, columns[1], codes, how)
        elif codes and line and not line.startswith("    "):
            raise ValueError(f"not a column of {table}: {line}")
    return found


def described_columns() -> dict[str, tuple[str, set[str], str]]:
    """Return for each column its owner, its codes, and how it is stored."""
    return {column: (owner, codes, how) for column, owner, codes, how in column_lines()}


def _described(table: str, names: str, codes: str, how: str) -> list[tuple[str, str, set[str], str]]:
    return [(f"{table}.{name}", *_group(codes), how) for name in re.findall(r"`(\w+)`", names)]


def _group(label: str) -> tuple[str, set[str]]:
    if label == "geen":
        return "geen", set()
    codes = set(label.split())
    (prefix,) = {code[:2] for code in codes}
    return _OWNERS[prefix], codes
