"""Open data: every released table as CSV, with a description that holds all it takes to check them.

With the folder alone an outsider runs `signals statistics verify FOLDER`: the descriptions of the tables say
which cells add up to which.
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
    """The long form: a column for each dimension, then `measure` and `value`, which is `<10` when hidden.

    A withheld table is its heading alone.
    """
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(_columns(table.schema))
    for keys, measure, value in table.rows:
        lines.writerow([*keys, measure, HIDDEN if value is None else value])
    return text.getvalue()


def csv_name(table: ReleasedTable) -> str:
    """The file's name, which never changes: `2026-Q3-intake.csv`."""
    return f"{table.period}-{table.schema.name}.csv"


def datapackage(session: Session, *, licence: str) -> dict[str, Any]:
    """The description of everything released, as Data Package (v1) says, oldest first.

    `disclosure`: what `verify` needs, the tables' schemas; `releases`: when, and the protocol of each; each
    resource names its period and table and says whether it was withheld. `licence`: an SPDX name.
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
    """Write the description and every table; returns how many tables. OSError when that cannot be done."""
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
