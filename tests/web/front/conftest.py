"""Fixtures of the tests in this folder."""

from tests.support.public_api import caller

__all__ = ["caller"]
