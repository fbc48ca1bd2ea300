"""Releases as rows, of chosen numbers, for tests of what is shown: nothing is counted or protected here."""

from collections.abc import Callable, Iterable
from datetime import date
from json import dumps

from sqlalchemy import Engine

from privacy.disclosure.tables import Cell, read_period
from signals.db import session_factory
from signals.models import StoredRelease, StoredTable
from signals.statistics.old_menu import tables_for

Value = Callable[[Cell], int | None]
RELEASED_ON = date(2026, 10, 20)


def store_releases(
    engine: Engine,
    periods: Iterable[str],
    value: Value | None = None,
    *,
    withheld: frozenset[str] = frozenset(),
) -> None:
    """Store every table of the menu for these periods; `value` gives each cell, None: hidden."""
    with session_factory(engine).begin() as session:
        for period in periods:
            session.add(
                StoredRelease(
                    period=period,
                    released_on=RELEASED_ON,
                    protocol=dumps({"nl": "# Verslag", "en": "# Protocol"}),
                )
            )
            session.flush()
            for position, schema in enumerate(tables_for(read_period(period).kind)):
                cells = [
                    [cell.keys, cell.measure, (value or plausible)(cell)] for cell in schema.cells(period)
                ]
                session.add(
                    StoredTable(
                        period=period,
                        name=schema.name,
                        position=position,
                        schema=dumps(schema.as_json()),
                        cells=None if schema.name in withheld else dumps(cells),
                    )
                )


def plausible(cell: Cell) -> int | None:
    """Numbers of a scheme of some thousand signals a year, the rare ones hidden."""
    split = [key for key in cell.keys if key != "total"]
    if cell.measure.startswith("median"):
        return 6 if cell.measure.endswith("claim") else 14
    whole = 1000 if "Q" in cell.period else 4000
    for key in split:
        whole = int(whole * _PARTS.get(key, 0.04))
    whole = int(whole * _MEASURES.get(cell.measure, 1))
    return None if whole < 10 else 5 * round(whole / 5)


_PARTS = {
    "yes": 0.22, "no": 0.78, "1-2": 0.5, "3": 0.2, "4+": 0.2, "0": 0.1, "none": 0.1, "visit": 0.35,
    "phone": 0.2, "letter": 0.1, "card": 0.05, "through_other": 0.004, "mixed": 0.2, "unknown": 0.001,
}  # fmt: skip
_MEASURES = {
    "claimed_in_time": 0.8, "contacted": 0.9, "contacted_in_time": 0.7, "reached": 0.22, "helped": 0.12,
    "known_asked": 0.2, "newly_known": 0.08, "repeats": 0.06,
}  # fmt: skip
