"""Figures about follow-up: facts, a fixed menu of tables, counting, and releases that never change."""

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
