"""Open data: every released table as CSV, with a description that is enough to verify them.

An outsider needs only the folder to run `signals statistics verify FOLDER`: the descriptions name the cells
that add up to others.
"""

import csv
import io
import json
from pathlib import Path
from typing import Any, Final

from sqlalchemy.orm import Session

from privacy.disclosure.folder import DESCRIPTION, HIDDEN, disclosure, resource
from privacy.disclosure.tables import Schema
from signals.statistics.releases import ReleasedTable, all_tables

PACKAGE_FILE: Final = DESCRIPTION
_LICENCES: Final = {
    "CC-BY-4.0": "https://creativecommons.org/licenses/by/4.0/",
    "CC0-1.0": "https://creativecommons.org/publicdomain/zero/1.0/",
}


def table_as_csv(table: ReleasedTable) -> str:
    """Return the long form: a column for each dimension, then `measure` and `value` (`<10` when hidden).

    A withheld table has a heading only.
    """
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(_columns(table.schema))
    for keys, measure, value in table.rows:
        lines.writerow([*keys, measure, HIDDEN if value is None else value])
    return text.getvalue()


def csv_name(table: ReleasedTable) -> str:
    """Return the file's lasting name, like `2026-Q3-intake.csv`."""
    return f"{table.period}-{table.schema.name}.csv"


def datapackage(session: Session, *, licence: str) -> dict[str, Any]:
    """Return the description of all releases as a Data Package (v1), oldest first.

    `disclosure` holds the schemas that `verify` needs; `releases` the day and protocol of each release. Each
    resource names its period and table, and whether it was withheld. `licence` is an SPDX name.
    """
    tables = list(all_tables(session))
    schemas = {table.schema.name: table.schema for table in tables}
    return {
        "profile": "tabular-data-package",
        "name": "signals-figures",
        "title": "Figures about follow-up of concerns passed on by carriers",
        "licenses": [{"name": licence, "path": _LICENCES[licence]}],
        "disclosure": disclosure(schemas.values()),
        "releases": [_release(table) for table in {table.period: table for table in tables}.values()],
        "resources": [_resource(table) for table in tables],
    }


def write_folder(session: Session, folder: Path, *, licence: str) -> int:
    """Write the description and every table; return the number of tables. Raise `OSError` on failure."""
    folder.mkdir(parents=True, exist_ok=True)
    written = 0
    for table in all_tables(session):
        (folder / csv_name(table)).write_text(table_as_csv(table), encoding="utf-8")
        written += 1
    text = json.dumps(datapackage(session, licence=licence), indent=1, ensure_ascii=False)
    (folder / PACKAGE_FILE).write_text(f"{text}\n", encoding="utf-8")
    return written


def _release(table: ReleasedTable) -> dict[str, Any]:
    return {
        "period": table.period,
        "released_on": table.released_on.isoformat(),
        "protocol": dict(table.protocol),
    }


def _resource(table: ReleasedTable) -> dict[str, Any]:
    described = resource(table.schema, period=table.period, path=csv_name(table), withheld=table.withheld)
    return {
        **described,
        "profile": "tabular-data-resource",
        "title": f"{table.schema.title.get('en', table.schema.name)}, {table.period}",
        "released_on": table.released_on.isoformat(),
    }


def _columns(schema: Schema) -> list[str]:
    return [*(dimension.name for dimension in schema.dimensions), "measure", "value"]
