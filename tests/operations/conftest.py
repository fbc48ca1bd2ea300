"""Fixtures of the tests in this folder."""

from tests.support.backups import cases, site, umask

__all__ = ["cases", "site", "umask"]
