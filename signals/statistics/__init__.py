"""Figures about follow-up: facts, a fixed menu of tables, counting, and releases that never change."""

from signals.statistics.facts import Attempt, Course, course_of, fact_from, fact_of

__all__ = ["Attempt", "Course", "course_of", "fact_from", "fact_of"]
