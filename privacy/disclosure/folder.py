"""A folder of published tables as anybody may download it: CSV files and the `datapackage.json` about them.

Each resource names its `table`, `period` and `path`; `disclosure.tables` holds the schemas. A CSV has a
column for each dimension, then `measure` and `value`; a hidden cell is `<10`. A withheld table has no lines.
What is read may come from anywhere, so nothing in it is trusted.
"""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from privacy.disclosure.tables import Cell, Schema, read_period

DESCRIPTION = "datapackage.json"
HIDDEN = "<10"
_MOST_BYTES = 32 * 1024 * 1024
_MOST_RESOURCES = 5_000
_MOST_CELLS = 200_000
_MOST_COUNT = 1_000_000_000


class BrokenFolder(ValueError):
    """The folder is not what it should be; the message says which file, where, and what is wrong."""


@dataclass(frozen=True, kw_only=True)
class Published:
    """All that a folder publishes: the value of each cell (None is hidden), and the tables' schemas.

    `tables`: (period, table) of each, in the order of the folder; `withheld`: those that show nothing.
    """

    schemas: tuple[Schema, ...]
    values: Mapping[Cell, int | None]
    tables: tuple[tuple[str, str], ...] = ()
    withheld: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, kw_only=True)
class PublishedRelease:
    """When a period was released, and the protocol of the audit before it, by language."""

    period: str
    released_on: date
    protocol: Mapping[str, str] = field(repr=False)


def resource(schema: Schema, *, period: str, path: str, withheld: bool = False) -> dict[str, Any]:
    """How the data package describes one CSV file, by its path within the folder."""
    names = [dimension.name for dimension in schema.dimensions]
    return {
        "name": f"{schema.name}-{period}".lower(),
        "path": path,
        "table": schema.name,
        "period": period,
        "withheld": withheld,
        "title": dict(schema.title),
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "schema": {
            "fields": [{"name": name, "type": "string"} for name in (*names, "measure")]
            + [{"name": "value", "type": "integer"}],
            "missingValues": [HIDDEN],
        },
    }


def disclosure(schemas: Iterable[Schema]) -> dict[str, Any]:
    """What `datapackage.json` holds under "disclosure": all that `verify` needs to know of the tables."""
    return {"hidden": HIDDEN, "tables": [schema.as_json() for schema in schemas]}


def read_folder(folder: Path) -> Published:
    """Read what the folder publishes; raises BrokenFolder for one that is not as described above."""
    described = _json_object(folder)
    schemas = _schemas(described)
    resources = described.get("resources")
    if not isinstance(resources, list) or len(resources) > _MOST_RESOURCES:
        raise BrokenFolder(f"{DESCRIPTION}: resources are no list, or too many")
    values: dict[Cell, int | None] = {}
    seen: dict[tuple[str, str], bool] = {}
    for one in resources:
        schema, period, path, withheld = _described(one, schemas)
        if (period, schema.name) in seen:
            raise BrokenFolder(f"{DESCRIPTION}: {schema.name} of {period} is there twice")
        seen[period, schema.name] = withheld
        values |= _read_table(folder, path, schema, period, withheld=withheld)
        if len(values) > _MOST_CELLS:
            raise BrokenFolder(f"{DESCRIPTION}: more than {_MOST_CELLS} cells")
    if not values:
        raise BrokenFolder(f"{DESCRIPTION}: publishes nothing")
    return Published(
        schemas=tuple(schemas.values()),
        values=values,
        tables=tuple(seen),
        withheld=frozenset(place for place, withheld in seen.items() if withheld),
    )


def read_releases(folder: Path) -> tuple[PublishedRelease, ...]:
    """When each period of the folder was released, and its protocol; BrokenFolder when that is not there."""
    found = _json_object(folder).get("releases")
    if not isinstance(found, list) or len(found) > _MOST_RESOURCES:
        raise BrokenFolder(f"{DESCRIPTION}: releases are no list, or too many")
    return tuple(map(_release, found))


def _release(one: Any) -> PublishedRelease:
    fields = one if isinstance(one, dict) else {}
    period, day, protocol = (fields.get(name) for name in ("period", "released_on", "protocol"))
    texts = list(protocol.values()) if isinstance(protocol, dict) else [None]
    if not all(isinstance(text, str) for text in (period, day, *texts)) or not texts:
        raise BrokenFolder(f"{DESCRIPTION}: a release lacks period, released_on or protocol")
    try:
        return PublishedRelease(
            period=str(period), released_on=date.fromisoformat(str(day)), protocol=dict(protocol or {})
        )
    except ValueError:
        raise BrokenFolder(f"{DESCRIPTION}: {str(day)[:20]!r} is not a date") from None


def _json_object(folder: Path) -> dict[str, Any]:
    try:
        data = json.loads(_text_of(folder, DESCRIPTION))
    except (ValueError, RecursionError) as error:
        if isinstance(error, BrokenFolder):
            raise
        raise BrokenFolder(f"{DESCRIPTION}: not JSON") from None
    if not isinstance(data, dict):
        raise BrokenFolder(f"{DESCRIPTION}: not a JSON object")
    return data


def _text_of(folder: Path, path: str) -> str:
    """A file below the folder, as text; links that lead out of it are refused like paths that do."""
    try:
        place = (folder / path).resolve()
        if not place.is_relative_to(folder.resolve()):
            raise BrokenFolder(f"{path[:80]!r}: leads out of the folder")
        if not place.is_file():
            raise BrokenFolder(f"{path[:80]!r}: no such file")
        if place.stat().st_size > _MOST_BYTES:
            raise BrokenFolder(f"{path[:80]!r}: too large")
        return place.read_text(encoding="utf-8-sig")
    except BrokenFolder:
        raise
    except UnicodeDecodeError:
        raise BrokenFolder(f"{path[:80]!r}: not UTF-8") from None
    except (OSError, RuntimeError, ValueError) as error:
        raise BrokenFolder(f"{path[:80]!r}: cannot be read ({type(error).__name__})") from None


def _schemas(described: Mapping[str, Any]) -> dict[str, Schema]:
    known = described.get("disclosure")
    tables = known.get("tables") if isinstance(known, dict) else None
    if not isinstance(tables, list) or not tables:
        raise BrokenFolder(f"{DESCRIPTION}: lacks disclosure.tables")
    try:
        schemas = {schema.name: schema for schema in map(Schema.from_json, tables)}
    except ValueError as error:
        raise BrokenFolder(f"{DESCRIPTION}: {error}") from None
    if len(schemas) != len(tables):
        raise BrokenFolder(f"{DESCRIPTION}: a table is described twice")
    for schema in schemas.values():
        if _size(schema) > _MOST_CELLS:
            raise BrokenFolder(f"{DESCRIPTION}: {schema.name} has more than {_MOST_CELLS} cells")
    return schemas


def _size(schema: Schema) -> int:
    size = len(schema.measures)
    for dimension in schema.dimensions:
        size *= len(dimension.members) + 1
    return size


def _described(one: Any, schemas: Mapping[str, Schema]) -> tuple[Schema, str, str, bool]:
    fields = one if isinstance(one, dict) else {}
    table, period, path = (fields.get(name) for name in ("table", "period", "path"))
    withheld = fields.get("withheld", False)
    if not (isinstance(table, str) and isinstance(period, str) and isinstance(path, str) and path):
        raise BrokenFolder(f"{DESCRIPTION}: a resource lacks table, period or path")
    if not isinstance(withheld, bool):
        raise BrokenFolder(f"{DESCRIPTION}: withheld is neither true nor false")
    schema = schemas.get(table)
    if schema is None:
        raise BrokenFolder(f"{DESCRIPTION}: the table {table[:40]!r} is not described")
    try:
        kind = read_period(period).kind
    except ValueError as error:
        raise BrokenFolder(f"{DESCRIPTION}: {error}") from None
    if kind not in schema.periods:
        raise BrokenFolder(f"{DESCRIPTION}: {table} is not published per {kind}")
    return schema, period, path, withheld


def _read_table(
    folder: Path, path: str, schema: Schema, period: str, *, withheld: bool
) -> dict[Cell, int | None]:
    try:
        lines = list(csv.reader(io.StringIO(_text_of(folder, path), newline=""), strict=True))
    except csv.Error:
        raise BrokenFolder(f"{path[:80]!r}: not CSV") from None
    header = [*(dimension.name for dimension in schema.dimensions), "measure", "value"]
    if not lines or lines[0] != header:
        raise BrokenFolder(f"{path[:80]!r}: the first line must be {','.join(header)}")
    cells: dict[Cell, int | None] = {}
    for number, line in enumerate(lines[1:], start=2):
        cell, value = _read_line(line, schema, period, f"{path[:80]!r} line {number}")
        if cell in cells:
            raise BrokenFolder(f"{path[:80]!r} line {number}: this cell is there twice")
        cells[cell] = value
    _check_whole(schema, period, path, cells, withheld=withheld)
    return cells


def _read_line(line: Sequence[str], schema: Schema, period: str, where: str) -> tuple[Cell, int | None]:
    if len(line) != len(schema.dimensions) + 2:
        raise BrokenFolder(f"{where}: has {len(line)} columns")
    cell = Cell(schema.name, period, tuple(line[:-2]), line[-2])
    if not schema.has(cell):
        raise BrokenFolder(f"{where}: no such cell in {schema.name}")
    return cell, _value(line[-1], schema.measure(cell.measure).derived, where)


def _value(text: str, derived: bool, where: str) -> int | None:
    if text == HIDDEN:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and int(text) <= _MOST_COUNT):
        raise BrokenFolder(f"{where}: {text[:20]!r} is neither a count nor {HIDDEN}")
    value = int(text)
    if not derived and (value < 10 or value % 5):
        raise BrokenFolder(f"{where}: {value} is below ten or not rounded to five")
    return value


def _check_whole(
    schema: Schema, period: str, path: str, cells: Mapping[Cell, int | None], *, withheld: bool
) -> None:
    if withheld and cells:
        raise BrokenFolder(f"{path[:80]!r}: has lines, though it is said to be withheld")
    counts = (cell for cell in schema.cells(period) if not schema.measure(cell.measure).derived)
    lacking = sum(cell not in cells for cell in counts)
    if lacking and not withheld:
        raise BrokenFolder(f"{path[:80]!r}: lacks {lacking} cells of the table")
