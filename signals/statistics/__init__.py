"""Keep facts about follow-up, count them in a fixed menu of tables, and release figures that never change.

Start at `releasing.Releasing.release`; `facts.fact_of` makes what it counts.
"""

from signals.statistics.facts import Attempt, Course, course_of, fact_from, fact_of
from signals.statistics.releases import (
    ReleasedTable,
    ReleaseRefused,
    ReleaseSummary,
    TableName,
    released,
    released_series,
    released_table,
    withheld_tables,
)

__all__ = [
    "Attempt",
    "Course",
    "ReleaseRefused",
    "ReleaseSummary",
    "ReleasedTable",
    "TableName",
    "course_of",
    "fact_from",
    "fact_of",
    "released",
    "released_series",
    "released_table",
    "withheld_tables",
]
