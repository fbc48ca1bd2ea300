"""Fixtures of the tests in this folder."""

from tests.support.backups import cases, site

__all__ = ["cases", "site"]
