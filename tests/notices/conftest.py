"""Fixtures of the tests of notices."""

from tests.support.drill_practice import practice
from tests.support.reminded_team import team

__all__ = ["practice", "team"]
