"""Fixtures of the tests of accounts."""

from tests.support.recovering import office

__all__ = ["office"]
