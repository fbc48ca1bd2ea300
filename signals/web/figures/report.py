"""The report of a year as PDF/UA: its figures with their tables and notes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from flask_babel import gettext

from signals.errors import NotFound
from signals.statistics.menu import PeriodKind, kind_of
from signals.web.figures import tables, words
from signals.web.figures.figure import Cell, Figure
from signals.web.figures.library import Library, Release
from signals.web.figures.summary import in_short
from signals.web.pdf import compile_pdf

_TEMPLATE: Final = Path(__file__).parents[1] / "templates" / "figures" / "report.typ"


def figures_of(library: Library, period: str) -> list[Figure]:
    """Return the figures of one period; raise `NotFound`."""
    if kind_of(period) is PeriodKind.QUARTER:
        library.tables(period)
        return [tables.received(library, period)]
    return [tables.yearly(library, code, period) for code in tables.YEARLY if code in library.tables(period)]


def report_pdf(library: Library, period: str) -> bytes:
    """Return the report of a released year, or of pooled years; raise `NotFound` for any other period."""
    if kind_of(period) is PeriodKind.QUARTER:
        raise NotFound
    day = Release(period=period, tables=library.tables(period)).released_on
    return compile_pdf(
        _TEMPLATE,
        {
            "title": gettext("Follow-up of signals: %(period)s", period=words.period(period)),
            "author": gettext("Figures of the signals"),
            "language": words.language(),
            "lead": gettext("Released on %(day)s.", day=words.day(day)),
            "findings_title": gettext("In short"),
            "findings": in_short(library, period),
            "figures": [_plain(one) for one in figures_of(library, period)],
            "method_title": gettext("How reliable is this?"),
            "method": words.reliability(),
        },
    )


def _plain(one: Figure) -> Mapping[str, Any]:
    return {
        "title": one.title,
        "about": one.about,
        "chart": str(one.chart),
        "alt": f"{one.title}. {one.about}",
        "heads": list(one.grid.heads),
        "groups": [
            {"name": name, "rows": [[row.head, *map(_written, row.cells)] for row in rows]}
            for name, rows in one.grid.groups
        ],
        "notes": [*([words.pale_key()] if one.grid.is_pale else []), *one.notes],
    }


def _written(cell: Cell) -> str:
    return f"{cell.shown} ({cell.interval})" if cell.interval else cell.shown
