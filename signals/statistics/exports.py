"""Open data: every released table in the long form, as CSV with a description and as one workbook.

A line is a cell and a measure. `signals` is the number to show and `share` the share with what is asked, each
with its interval. `drawn` is the number as it was drawn, with its noise, for a reader's own computations.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from signals.statistics.estimates import cells_of
from signals.statistics.intervals import Interval
from signals.statistics.menu import Codes
from signals.statistics.publications import ReleasedTable

PACKAGE_FILE: Final = "datapackage.json"
LICENCES: Final[Mapping[str, str]] = {
    "CC-BY-4.0": "https://creativecommons.org/licenses/by/4.0/",
    "CC0-1.0": "https://creativecommons.org/publicdomain/zero/1.0/",
}
_NUMBERS: Final = ("value", "low", "high", "epsilon")

Label = Callable[[str, str], str]
"""Returns the words for a code of a dimension."""

Shown = tuple[ReleasedTable, Mapping[Codes, int]]
"""A table with its numbers to show."""


def columns(table: ReleasedTable) -> list[str]:
    """Return the columns: the period, each dimension with its label, the measure and its numbers."""
    sides = (name for one in table.dimensions for name in (one.name, f"{one.name}_label"))
    return ["period", *sides, "measure", *_NUMBERS]


def lines(shown: Shown, label: Label) -> Iterator[list[Any]]:
    """Yield the lines of a table; a drawn number has no interval."""
    table, fitted = shown
    names = [one.name for one in table.dimensions]
    for codes, measure, found in cells_of(table, fitted):
        sides = [part for name, code in zip(names, codes, strict=True) for part in (code, label(name, code))]
        yield [table.period, *sides, measure, *_numbers(measure, found), float(table.epsilon)]


def as_csv(tables: Iterable[Shown], label: Label) -> str:
    """Return one table of the menu over its periods, under one heading; at least one period."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for number, shown in enumerate(tables):
        if number == 0:
            writer.writerow(columns(shown[0]))
        writer.writerows(lines(shown, label))
    return text.getvalue()


def workbook(tables: Mapping[str, Iterable[Shown]], label: Label) -> bytes:
    """Return a sheet for each table of the menu; the same releases give the same bytes."""
    from xlsxwriter import Workbook

    content = io.BytesIO()
    with Workbook(content, {"in_memory": True}) as book:
        book.set_properties({"created": datetime(2024, 1, 1)})  # noqa: DTZ001  (the library takes no other)
        heading = book.add_format({"bold": True})
        for code, periods in tables.items():
            sheet = book.add_worksheet(code)
            rows = [row for shown in periods for row in lines(shown, label)]
            sheet.write_row(0, 0, columns(next(iter(periods))[0]), heading)
            for number, row in enumerate(rows, start=1):
                sheet.write_row(number, 0, row)
            sheet.freeze_panes(1, 0)
            sheet.autofilter(0, 0, len(rows), len(rows[0]) - 1)
            sheet.autofit()
    return content.getvalue()


def datapackage(
    tables: Mapping[str, ReleasedTable], title: Callable[[str], str], *, licence: str
) -> dict[str, Any]:
    """Return the description of the files as a Data Package (v1). `licence` is an SPDX name."""
    return {
        "profile": "tabular-data-package",
        "name": "signals-figures",
        "title": title("open_data"),
        "licenses": [{"name": licence, "path": LICENCES[licence]}],
        "resources": [_resource(code, table, title(code)) for code, table in tables.items()],
    }


def _resource(code: str, table: ReleasedTable, title: str) -> dict[str, Any]:
    return {
        "profile": "tabular-data-resource",
        "name": code,
        "title": title,
        "path": f"{code}.csv",
        "encoding": "utf-8",
        "schema": {
            "fields": [
                {"name": name, "type": "number" if name in _NUMBERS else "string"} for name in columns(table)
            ],
            "missingValues": [""],
        },
    }


def _numbers(measure: str, found: Interval) -> list[float | None]:
    """Return value, low and high: whole numbers of signals, four decimals of a share."""
    if measure == "drawn":
        return [found.value, None, None]
    digits = 4 if measure == "share" else None
    return [round(each, digits) for each in (found.value, found.low, found.high)]
