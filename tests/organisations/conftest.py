"""Fixtures of the tests of files of organisations."""

from tests.support.csv_lines import session

__all__ = ["session"]
