"""Keep facts about follow-up, count them in a fixed menu of tables, and release figures that never change.

Start at `menu`, then `releasing.Releasing.release`; `publications` reads what was released.
"""

from signals.statistics.releases import (
    ReleasedTable,
    ReleaseSummary,
    TableName,
    released,
    released_series,
    released_table,
    withheld_tables,
)

__all__ = [
    "ReleaseSummary",
    "ReleasedTable",
    "TableName",
    "released",
    "released_series",
    "released_table",
    "withheld_tables",
]
