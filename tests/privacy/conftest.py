"""Fixtures of the tests of privacy."""

from tests.support.keystores import another, keystore, url

__all__ = ["another", "keystore", "url"]
